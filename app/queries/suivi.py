"""Reads of what happened and of what is under way: journal, tasks, outgoing mail.

Lists are read by keyset: ``before`` is the id of the last row of the page before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import Courriel, Etablissement, Journal, Tache

PARIS = ZoneInfo("Europe/Paris")
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


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """What a person narrows the journal to; empty means everything."""

    acteur: str = ""
    acte: str = ""
    objet: str = ""
    etablissement_id: int | None = None
    depuis: date | None = None
    jusqua: date | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the filter; days are those of Paris."""
        clauses: list[ColumnElement[bool]] = []
        if self.acteur:
            clauses.append(Journal.acteur.icontains(self.acteur, autoescape=True))
        if self.acte:
            clauses.append(Journal.acte.startswith(self.acte, autoescape=True))
        if self.objet:
            clauses.append(Journal.objet.icontains(self.objet, autoescape=True))
        if self.etablissement_id:
            clauses.append(Journal.etablissement_id == self.etablissement_id)
        if self.depuis:
            clauses.append(Journal.instant >= _midnight(self.depuis))
        if self.jusqua:
            clauses.append(Journal.instant < _midnight(self.jusqua + timedelta(days=1)))
        return clauses


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=PARIS)


def journal_statement(criteria: JournalFilter) -> Select[tuple[Journal]]:
    """Return the statement of the filtered journal, the newest line first."""
    return (
        select(Journal)
        .where(*criteria.clauses())
        .options(joinedload(Journal.etablissement))
        .order_by(Journal.id.desc())
    )


def journal_page(
    session: Session, criteria: JournalFilter, *, before: int | None = None, limit: int = 50
) -> Sequence[Journal]:
    """Return one page of the filtered journal."""
    statement = journal_statement(criteria).limit(limit)
    if before:
        statement = statement.where(Journal.id < before)
    return session.scalars(statement).all()


def journal_stream(session: Session, criteria: JournalFilter, *, limit: int = 100_000) -> Iterator[Journal]:
    """Yield the filtered journal for an export, by slices."""
    before: int | None = None
    given = 0
    while given < limit:
        page = journal_page(session, criteria, before=before, limit=1000)
        yield from page
        given += len(page)
        if len(page) < 1000:
            return
        before = page[-1].id
        session.expunge_all()


def journal_acts(session: Session) -> Sequence[str]:
    """Return the kinds of act present in the journal of the perimeter."""
    return session.scalars(select(Journal.acte).distinct().order_by(Journal.acte).limit(200)).all()


def journal_of(session: Session, objet_type: str, objet_id: int, *, limit: int = 10) -> Sequence[Journal]:
    """Return the last lines about one object."""
    statement = (
        select(Journal)
        .where(Journal.objet_type == objet_type, Journal.objet_id == objet_id)
        .order_by(Journal.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


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


def task_of_feed(session: Session, alimentation_id: int, type_: str) -> Tache | None:
    """Return the last task of a type asked for on one feed."""
    statement = (
        select(Tache)
        .where(Tache.type == type_, Tache.parametres["alimentation_id"].as_integer() == alimentation_id)
        .order_by(Tache.id.desc())
        .limit(1)
    )
    return session.scalars(statement).first()


def running_tasks(session: Session) -> int:
    """Return how many tasks of the perimeter wait or run."""
    statement = select(func.count(Tache.id)).where(Tache.etat.in_(("attente", "cours")))
    return session.execute(statement).scalar_one()


def mail_counts(session: Session) -> dict[str, int]:
    """Return how many outgoing mails stand in each state."""
    rows = session.execute(select(Courriel.etat, func.count(Courriel.id)).group_by(Courriel.etat))
    return {row[0]: row[1] for row in rows}


def school_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return the names of these schools, those of the perimeter only."""
    if not ids:
        return {}
    rows: Any = session.execute(
        select(Etablissement.id, Etablissement.nom, Etablissement.uai).where(Etablissement.id.in_(ids))
    )
    return {row.id: f"{row.nom} ({row.uai})" for row in rows}
