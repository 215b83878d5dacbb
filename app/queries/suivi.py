"""Reads of what happened and of what is under way: journal, tasks, outgoing mail.

Lists are read by keyset: ``before`` is the id of the last row of the page before.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models import Tache

TACHE_ETATS = {
    "attente": "En attente",
    "cours": "En cours",
    "finie": "Terminé",
    "echec": "En échec",
    "annulee": "Annulé",
}
COURRIEL_ETATS = {
    "attente": "En attente",
    "envoi": "En cours d’envoi",
    "envoye": "Envoyé",
    "echec": "En échec",
    "annule": "Annulé",
}


def tasks(
    session: Session, *, etat: str = "", type_: str = "", before: int | None = None, limit: int = 50
) -> Sequence[Tache]:
    """Return one page of tasks, the newest first."""
    statement = select(Tache).options(joinedload(Tache.etablissement)).order_by(Tache.id.desc()).limit(limit)
    if etat in TACHE_ETATS:
        statement = statement.where(Tache.etat == etat)
    if type_:
        statement = statement.where(Tache.type == type_)
    if before:
        statement = statement.where(Tache.id < before)
    return session.scalars(statement).all()


def task_of_feed(session: Session, alimentation_id: int) -> Tache | None:
    """Return the last task asked for on one feed."""
    statement = (
        select(Tache)
        .where(
            Tache.type.startswith("alimentation."),
            Tache.parametres["alimentation_id"].as_integer() == alimentation_id,
        )
        .order_by(Tache.id.desc())
        .limit(1)
    )
    return session.scalars(statement).first()
