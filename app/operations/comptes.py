"""Accounts: password, suspension, deletion, roles. Each act ends the sessions it must (L4)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Attribution, Compte
from app.operations import cles_api, journal, liens_ouverts
from app.operations.saisies import SYSTEME, Actor, clean_text
from app.operations.sessions import MotifFin, end_all


def changer_mot_de_passe(
    session: Session,
    compte: Compte,
    empreinte: str,
    *,
    sauf_jeton: str | None,
    garder_cles: bool = False,
    acteur: Actor = SYSTEME,
) -> None:
    """Store the digest of a new password; other sessions, links sent to choose one and API keys end.

    ``garder_cles``: its holder, who knew the former password, said that the keys stay.
    """
    compte.password = empreinte
    nobody = None if compte.personne_id is not None else compte.id
    liens_ouverts.close(session, compte.personne_id, nobody, usage="ent")
    end_all(session, compte.id, MotifFin.MOT_DE_PASSE, sauf_jeton=sauf_jeton)
    if not garder_cles:
        cles_api.revoquer_de(session, compte.id, acteur=acteur)
    record(session, "compte.changer_secret", compte, acteur)


def suspended_text(motif: str | None) -> str:
    """Return what the holder of a suspended account reads (A4)."""
    reason = (motif or "").strip().rstrip(".")
    why = f"Motif\u00a0: {reason}. " if reason else ""
    return f"Votre compte est suspendu. {why}Adressez-vous à l’administrateur local de votre établissement."


def suspendre(session: Session, compte: Compte, motif: str, *, acteur: Actor = SYSTEME) -> None:
    """Suspend an account: its sessions end, its holder will read why."""
    reason = clean_reason(motif)
    _write_suspension(compte, now(), reason)
    end_all(session, compte.id, MotifFin.SUSPENSION)
    record(session, "compte.suspendre", compte, acteur, apres={"motif": reason})


def retablir(session: Session, compte: Compte, *, acteur: Actor = SYSTEME) -> None:
    """Lift a suspension."""
    _write_suspension(compte, None, None)
    record(session, "compte.retablir", compte, acteur)


def clean_reason(motif: str) -> str:
    """Return why somebody is suspended, as they will read it.

    :raises RuleViolationError: nothing was said, or too much.
    """
    missing = "Dites pourquoi : la personne le lira en se connectant."
    return clean_text(motif, field="motif", longest=255, required=missing) or ""


def _write_suspension(compte: Compte, le: datetime | None, motif: str | None) -> None:
    """Write a suspension where it is kept: on the person, or on an account that is nobody's."""
    if compte.personne is not None:
        compte.personne.suspendu_le, compte.personne.motif_suspension = le, motif
        compte.personne.suspension_de = None
    else:
        compte.suspendu_seul_le, compte.motif_suspension_seul = le, motif


def supprimer(session: Session, compte: Compte, *, acteur: Actor = SYSTEME) -> None:
    """Delete an account: nobody logs in with it, and it looks unknown from outside."""
    compte.supprime_le = now()
    compte.active = False
    end_all(session, compte.id, MotifFin.SUPPRESSION)
    record(session, "compte.supprimer", compte, acteur)


def attribuer(
    session: Session,
    compte: Compte,
    role: str,
    *,
    academie_id: int | None = None,
    collectivite_id: int | None = None,
    etablissement_id: int | None = None,
    jusqua: datetime | None = None,
    acteur: Actor = SYSTEME,
) -> Attribution:
    """Give a role over a perimeter; the account logs in again to use it."""
    attribution = Attribution(
        compte_id=compte.id,
        role=role,
        academie_id=academie_id,
        collectivite_id=collectivite_id,
        etablissement_id=etablissement_id,
        jusqua=jusqua,
        accordee_par=acteur.nom[:160],
    )
    session.add(attribution)
    end_all(session, compte.id, MotifFin.DROITS)
    record(session, "role.attribuer", compte, acteur, etablissement_id, apres={"rôle": role})
    return attribution


def retirer(session: Session, attribution: Attribution, *, acteur: Actor = SYSTEME) -> None:
    """Withdraw a role: what it opened closes at once (D5)."""
    compte, role, school = attribution.compte, attribution.role, attribution.etablissement_id
    session.delete(attribution)
    end_all(session, compte.id, MotifFin.DROITS)
    record(session, "role.retirer", compte, acteur, school, avant={"rôle": role})


def record(
    session: Session,
    acte: str,
    compte: Compte,
    acteur: Actor,
    etablissement_id: int | None = None,
    *,
    avant: dict[str, object] | None = None,
    apres: dict[str, object] | None = None,
) -> None:
    """Write the journal line of an act on an account, named by its login."""
    session.flush()
    journal.write(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="compte",
        objet_id=compte.id,
        objet=str(compte.username),
        etablissement_id=etablissement_id,
        avant=avant,
        apres=apres,
    )
