"""What somebody may ask about their own data: an export, a correction, to be forgotten (U16)."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import ConflictError, RuleViolationError
from app.models import Attribution, Compte, Personne, Rattachement
from app.operations import journal
from app.operations.anonymisation import anonymiser
from app.operations.saisies import Actor, clean_text, record
from app.queries.noms import search_key


def noter_export(
    session: Session, personne: Personne | None, compte: Compte | None, *, acteur: Actor
) -> None:
    """Write in the journal that the data of somebody were exported; never what they say."""
    if personne is not None:
        record(session, personne, "donnees.exporter", acteur)
    elif compte is not None:
        journal.write(
            session,
            acte="donnees.exporter",
            acteur=acteur.nom,
            compte_id=acteur.compte_id,
            objet_type="compte",
            objet_id=compte.id,
            objet=str(compte.username),
        )


def noter_rectification(
    session: Session, personne: Personne, demande: str, *, acteur: Actor, etablissement_id: int | None = None
) -> None:
    """Write down that somebody asks for a correction, and which.

    :raises RuleViolationError: nothing was said.
    """
    said = clean_text(
        demande, field="demande", longest=500, required="Dites ce que la personne demande de corriger."
    )
    record(
        session, personne, "donnees.rectifier", acteur,
        changes={"demande": (None, said)}, etablissement_id=etablissement_id,
    )  # fmt: skip


def effacer(session: Session, personne: Personne, confirmation: str, *, acteur: Actor) -> None:
    """Anonymise one person who asks for it; it cannot be undone.

    :raises RuleViolationError: the name was not typed, they are still fed by the State, or hold a wide role.
    """
    if search_key(confirmation) != search_key(f"{personne.prenom} {personne.nom_courant}"):
        raise RuleViolationError(
            f"Pour confirmer, tapez exactement : {personne.prenom} {personne.nom_courant}",
            field="confirmation",
        )
    if personne.anonymise_le is not None:
        raise ConflictError("Cette fiche est déjà anonymisée.")
    outside = {"hors_perimetre": True}
    fed = select(Rattachement.id).where(
        Rattachement.personne_id == personne.id, Rattachement.fin.is_(None), Rattachement.source != "manuel"
    )
    if session.scalars(fed.limit(1), execution_options=outside).first() is not None:
        raise RuleViolationError(
            f"L’annuaire nomme encore {personne} : la prochaine alimentation ramènerait sa fiche. Faites-la"
            " d’abord retirer de l’annuaire ; après son départ, elle sera effacée."
        )
    wide = (
        select(Attribution.id)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(
            Compte.personne_id == personne.id,
            or_(
                Attribution.academie_id.is_not(None),
                Attribution.collectivite_id.is_not(None),
                Attribution.role == "assistant_n2",
            ),
        )
    )
    if session.scalars(wide.limit(1), execution_options=outside).first() is not None:
        raise RuleViolationError(f"{personne} tient un rôle académique. Retirez-le d’abord.")
    anonymiser(session, [personne.id], acteur=acteur)
