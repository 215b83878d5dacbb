"""Reads of files of guests: counts by state, lines of a page, lines to give back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import Compte, ImportInvites, LigneImport, Tache

ONGLETS = {
    "tout": "Toutes",
    "erreur": "À corriger",
    "remarque": "À vérifier",
    "deja": "Déjà là",
    "valide": "Bonnes",
    "ecartee": "Écartées",
    "faite": "Faites",
}
REJETS = ("erreur", "deja", "ecartee")


@dataclass(frozen=True)
class Comptes:
    """How many lines of a file are in each state."""

    tout: int = 0
    erreur: int = 0
    remarque: int = 0
    deja: int = 0
    valide: int = 0
    ecartee: int = 0
    faite: int = 0
    suggestion: int = 0

    def of(self, tab: str) -> int:
        """Return the count of a tab."""
        return int(getattr(self, tab))


def find(session: Session, etablissement_id: int, pk: int) -> ImportInvites | None:
    """Return a file of a school."""
    return session.scalars(
        select(ImportInvites).where(
            ImportInvites.id == pk, ImportInvites.etablissement_id == etablissement_id
        )
    ).first()


def recent(session: Session, etablissement_id: int, limit: int = 10) -> Sequence[ImportInvites]:
    """Return the last files of a school, the newest first."""
    return session.scalars(
        select(ImportInvites)
        .where(ImportInvites.etablissement_id == etablissement_id)
        .order_by(ImportInvites.id.desc())
        .limit(limit)
    ).all()


def counts(session: Session, import_id: int) -> Comptes:
    """Count the lines of a file by state."""

    def when(clause: ColumnElement[bool] | InstrumentedAttribute[bool]) -> ColumnElement[int]:
        return func.count(case((clause, 1)))

    state = LigneImport.etat
    row = session.execute(
        select(
            func.count(),
            when(state == "erreur"),
            when(LigneImport.remarque),
            when(state == "deja"),
            when(state == "valide"),
            when(state == "ecartee"),
            when(state == "faite"),
        ).where(LigneImport.import_id == import_id)
    ).one()
    return Comptes(*row)


def lines(
    session: Session, import_id: int, onglet: str, *, after: int = 0, limit: int = 50
) -> Sequence[LigneImport]:
    """Return lines of a tab, in the order of the file."""
    statement = select(LigneImport).where(LigneImport.import_id == import_id, LigneImport.numero > after)
    if onglet == "remarque":
        statement = statement.where(LigneImport.remarque)
    elif onglet != "tout":
        statement = statement.where(LigneImport.etat == onglet)
    return session.scalars(statement.order_by(LigneImport.numero).limit(limit)).all()


def line(session: Session, import_id: int, numero: int) -> LigneImport | None:
    """Return one line of a file."""
    return session.scalars(
        select(LigneImport).where(LigneImport.import_id == import_id, LigneImport.numero == numero)
    ).first()


def stream(session: Session, import_id: int, etats: Sequence[str]) -> Iterator[LigneImport]:
    """Yield every line in these states, in the order of the file."""
    statement = (
        select(LigneImport)
        .where(LigneImport.import_id == import_id, LigneImport.etat.in_(etats))
        .order_by(LigneImport.numero)
    )
    with session.scalars(statement.execution_options(yield_per=500)) as found:
        yield from found


def activated(session: Session, import_id: int) -> int:
    """Count the guests of a file who have an account."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(LigneImport)
            .join(Compte, Compte.personne_id == LigneImport.personne_id)
            .where(
                LigneImport.import_id == import_id, LigneImport.etat == "faite", LigneImport.creee.is_(True)
            )
        )
        or 0
    )


def task_of(session: Session, item: ImportInvites) -> Tache | None:
    """Return the work under way or last done on a file."""
    return session.scalars(select(Tache).where(Tache.id == (item.tache_id or 0))).first()
