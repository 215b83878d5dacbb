"""Rights promised to somebody who has not activated their account: they are theirs the day they do (M1)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Compte, Etablissement, Nomination, Personne, Rattachement
from app.operations import comptes
from app.operations.saisies import Actor, record
from app.queries.fiche_etablissement import NOMMABLES

APART = {"hors_perimetre": True}


def promettre(
    session: Session,
    personne: Personne,
    role: str,
    etablissement: Etablissement,
    *,
    jusqua: datetime | None,
    acteur: Actor,
) -> Nomination:
    """Promise a role over a school. The caller has checked that the actor holds it.

    :raises RuleViolationError: it is promised already.
    """
    same = select(Nomination.id).where(
        Nomination.personne_id == personne.id,
        Nomination.role == role,
        Nomination.etablissement_id == etablissement.id,
    )
    if session.scalars(same).first() is not None:
        raise RuleViolationError(
            f"{personne} a déjà ces droits en attente : ils s’ouvriront quand son compte sera activé.",
            field="personne",
        )
    promise = Nomination(
        personne_id=personne.id,
        role=role,
        etablissement_id=etablissement.id,
        jusqua=jusqua,
        accordee_par=acteur.nom[:160],
    )
    session.add(promise)
    session.flush()
    _record(session, promise, personne, "role.promettre", acteur)
    return promise


def reprendre(session: Session, promise: Nomination, *, acteur: Actor) -> None:
    """Take back a promise."""
    person = promise.personne
    _record(session, promise, person, "role.reprendre", acteur)
    session.delete(promise)
    session.flush()


def honorer(session: Session, personne: Personne, compte: Compte) -> None:
    """Give an account that has just been activated what was promised to its holder.

    A promise whose term is over, or over a school the person has left meanwhile, is forgotten.
    """
    here = select(Rattachement.etablissement_id).where(
        Rattachement.personne_id == personne.id,
        Rattachement.fin.is_(None),
        Rattachement.profil.in_(NOMMABLES),
    )
    kept = (
        select(Nomination)
        .where(
            Nomination.personne_id == personne.id,
            Nomination.etablissement_id.in_(here),
            or_(Nomination.jusqua.is_(None), Nomination.jusqua > now()),
        )
        .order_by(Nomination.id)
    )
    for promise in session.scalars(kept, execution_options=APART).all():
        comptes.attribuer(
            session,
            compte,
            promise.role,
            etablissement_id=promise.etablissement_id,
            jusqua=promise.jusqua,
            acteur=Actor(promise.accordee_par),
        )
    session.execute(
        delete(Nomination).where(Nomination.personne_id == personne.id),
        execution_options={**APART, "synchronize_session": False},
    )


def _record(session: Session, promise: Nomination, personne: Personne, acte: str, acteur: Actor) -> None:
    changes = {"rôle": (None, promise.role)} if acte == "role.promettre" else {"rôle": (promise.role, None)}
    record(session, personne, acte, acteur, changes=changes, etablissement_id=promise.etablissement_id)
