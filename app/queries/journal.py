"""Reads of one school's journal: filtered, by keyset, and what came since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from app.extensions import PARIS
from app.models import Compte, Journal


@dataclass(frozen=True)
class JournalFilter:
    """What is looked for: who, which acts, on what, between which days of Paris, both included."""

    qui: str = ""
    debut_acte: str = ""
    actes: tuple[str, ...] = ()
    objet: str = ""
    du: date | None = None
    au: date | None = None
    personne: int | None = None


def statement(etablissement_id: int, wanted: JournalFilter) -> Select[tuple[Journal]]:
    """Return the lines of a school that match, the newest first."""
    lines = select(Journal).where(Journal.etablissement_id == etablissement_id).order_by(Journal.id.desc())
    if wanted.personne is not None:
        lines = lines.where(about(wanted.personne))
    if wanted.qui:
        lines = lines.where(Journal.acteur.icontains(wanted.qui, autoescape=True))
    if wanted.objet:
        lines = lines.where(Journal.objet.icontains(wanted.objet, autoescape=True))
    if wanted.actes or wanted.debut_acte:
        kinds: list[ColumnElement[bool]] = [Journal.acte.in_(wanted.actes)]
        if wanted.debut_acte:
            kinds.append(Journal.acte.startswith(wanted.debut_acte, autoescape=True))
        lines = lines.where(or_(*kinds))
    if wanted.du:
        lines = lines.where(Journal.instant >= _start(wanted.du))
    if wanted.au:
        lines = lines.where(Journal.instant < _start(wanted.au + timedelta(days=1)))
    return lines


def about(personne_id: int) -> ColumnElement[bool]:
    """Tell the lines about a person or their account."""
    account = select(Compte.id).where(Compte.personne_id == personne_id)
    return or_(
        and_(Journal.objet_type == "personne", Journal.objet_id == personne_id),
        and_(Journal.objet_type == "compte", Journal.objet_id.in_(account)),
    )


def last_about(
    session: Session, personne_id: int, etablissement_id: int | None, *, limit: int
) -> Sequence[Journal]:
    """Return the last lines about a person: of one school, or of the perimeter."""
    lines = select(Journal).where(about(personne_id)).order_by(Journal.id.desc()).limit(limit)
    if etablissement_id is not None:
        lines = lines.where(Journal.etablissement_id == etablissement_id)
    return session.scalars(lines).all()


def page(
    session: Session, etablissement_id: int, wanted: JournalFilter, *, before: int | None, limit: int
) -> Sequence[Journal]:
    """Return one page of lines, from below the id ``before``."""
    lines = statement(etablissement_id, wanted)
    if before:
        lines = lines.where(Journal.id < before)
    return session.scalars(lines.limit(limit)).all()


def newer(
    session: Session, etablissement_id: int, wanted: JournalFilter, *, after: int, limit: int
) -> Sequence[Journal]:
    """Return the lines written since the id ``after``, the newest first."""
    return session.scalars(statement(etablissement_id, wanted).where(Journal.id > after).limit(limit)).all()


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
