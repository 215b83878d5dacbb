"""The account of somebody the directory knows: born when they activate it, never before (I5)."""

from __future__ import annotations

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import SANS_ADRESSE, Attribution, Compte, Personne, Rattachement, VerrouPersonne
from app.operations import journal, liens_ouverts, nominations
from app.operations.deployment import Deployment
from app.operations.messages import in_words, send
from app.operations.saisies import SYSTEME, TITULAIRE, Actor, record
from app.operations.titulaires import Titulaire, holder_of

DEJA = "Ce compte est déjà activé. Connectez-vous, ou demandez un nouveau mot de passe."
LONGEST_NAME = 64


def activer(
    session: Session,
    personne: Personne,
    empreinte: str,
    *,
    generation: int,
    deployment: Deployment,
    email: str | None = None,
) -> Compte:
    """Create the account of a person, with the role of each of their profiles; their code is dead.

    ``generation`` is that of the code that was shown: among twenty who hold it, one gets through (K2).

    :raises RuleViolationError: the code has served, the account exists, or the person is suspended.
    """
    _spend_code(session, personne, generation)
    who = holder_of(session, personne)
    if who.suspension:
        raise RuleViolationError(who.suspension)
    if who.compte is not None or who.deleted or not personne.login:
        raise RuleViolationError(DEJA)
    liens_ouverts.close(session, personne.id, None)
    before = personne.email
    if email:
        personne.email = email
        _typed_by_holder(session, personne, before)
    compte = Compte(
        personne=personne,
        username=personne.login,
        first_name=personne.prenom[:LONGEST_NAME],
        last_name=personne.nom_courant[:LONGEST_NAME],
        email=f"{personne.login}{SANS_ADRESSE}",
        active=True,
        password=empreinte,
    )
    session.add(compte)
    session.flush()
    profiles, school = _give_roles(session, personne, compte)
    journal.write(
        session,
        acte="compte.activer",
        acteur=str(compte),
        compte_id=compte.id,
        objet_type="compte",
        objet_id=compte.id,
        objet=str(compte.username),
        etablissement_id=school,
        apres={"profil": profiles},
    )
    nominations.honorer(session, personne, compte)
    if before and before != personne.email:
        _tell_before(session, before, personne, compte, deployment)
    _tell(session, Titulaire(personne, compte), deployment)
    return compte


def _spend_code(session: Session, personne: Personne, generation: int) -> None:
    spent = session.execute(
        update(Personne)
        .where(Personne.id == personne.id, Personne.code_generation == generation)
        .values(code_generation=Personne.code_generation + 1)
        .execution_options(synchronize_session=False, hors_perimetre=True)
    )
    if not isinstance(spent, CursorResult) or not spent.rowcount:
        raise RuleViolationError(DEJA)
    session.refresh(personne)


def _give_roles(session: Session, personne: Personne, compte: Compte) -> tuple[list[str], int | None]:
    """Give the role each profile opens (they bear the same names); return them, and the latest school."""
    places = session.execute(
        select(Rattachement.profil, Rattachement.etablissement_id)
        .where(Rattachement.personne_id == personne.id, Rattachement.fin.is_(None))
        .order_by(Rattachement.id.desc())
        .execution_options(hors_perimetre=True)
    ).all()
    profiles = sorted({place.profil for place in places})
    for profil in profiles:
        session.add(Attribution(compte_id=compte.id, role=profil, accordee_par=SYSTEME.nom))
    session.flush()
    return profiles, places[0].etablissement_id if places else None


def _tell(session: Session, who: Titulaire, deployment: Deployment) -> None:
    if who.address and who.compte is not None:
        send(
            session,
            "courriels/compte_active.html",
            who.address,
            deployment,
            cle=f"activation:{who.compte.id}",
            qui=who.call_name,
            login=who.login,
        )


def _typed_by_holder(session: Session, personne: Personne, before: str | None) -> None:
    """Keep feeds away from an address its holder typed, which nobody vouches for."""
    held = select(VerrouPersonne.id).where(
        VerrouPersonne.personne_id == personne.id, VerrouPersonne.champ == "email"
    )
    if personne.email != before and session.scalars(held).first() is None:
        session.add(VerrouPersonne(personne_id=personne.id, champ="email", par=TITULAIRE))


def _tell_before(
    session: Session, before: str, personne: Personne, compte: Compte, deployment: Deployment
) -> None:
    """Write that the address known before serves no more, and tell who reads it: a code may be stolen."""
    me = Actor(str(compte), compte.id)
    changes = {"email": (before, personne.email)}
    record(session, personne, "compte.changer_coordonnees", me, changes=changes)
    send(
        session,
        "courriels/adresse_changee.html",
        before,
        deployment,
        qui=Titulaire(personne, compte).call_name,
        quand=in_words(now()),
    )
