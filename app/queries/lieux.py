"""Where somebody is or was: their places in the schools of the perimeter, as lines of their sheet's facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Select, String, bindparam, cast, func, literal, select
from sqlalchemy.orm import Session

from app.models import Division, Etablissement, Mef, Rattachement

GENRE = "lieu"
PERSONNE: Any = bindparam("personne")
_TEXTS: tuple[Any, ...] = (
    Rattachement.profil,
    Rattachement.source,
    Rattachement.debut,
    Rattachement.fin,
    Rattachement.motif_fin,
    Rattachement.regime,
    Rattachement.etablissement_id,
    Etablissement.uai,
    Etablissement.nom,
    Division.id,
    func.coalesce(func.nullif(Division.libelle, ""), Division.code),
    Mef.libelle,
    Mef.code,
    Mef.niveau,
)
WIDTH = len(_TEXTS)
"""How many texts a line of a place holds; other lines of the same statement are as wide."""


@dataclass(frozen=True, slots=True)
class Lieu:
    """A place of a person in a school, the class and level of a pupil with it."""

    profil: str
    source: str
    debut: date | None
    fin: datetime | None
    motif_fin: str
    regime: str
    etablissement_id: int
    uai: str
    etablissement: str
    division_id: int | None
    classe: str
    mef: str
    mef_code: str
    niveau: str


def lines() -> Select[Any]:
    """Return the statement of the places of a person: a kind, ``WIDTH`` texts, the attachment's number."""
    return (
        select(literal(GENRE), *(cast(text, String) for text in _TEXTS), Rattachement.id)
        .select_from(Rattachement)
        .join(Etablissement, Etablissement.id == Rattachement.etablissement_id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .outerjoin(Mef, Mef.id == Rattachement.mef_id)
        .where(Rattachement.personne_id == PERSONNE)
    )


def read(rows: Sequence[Sequence[Any]]) -> list[Lieu]:
    """Return the places such lines tell, present ones first, then the oldest."""
    ordered = sorted(rows, key=lambda row: (row[4] is not None, row[-1]))
    return [_place(["" if text is None else str(text) for text in row[1:-1]]) for row in ordered]


def _place(texts: Sequence[str]) -> Lieu:
    profil, source, debut, fin, motif, regime, school, uai, name, division, classe, mef, code, niveau = texts
    return Lieu(
        *(profil, source, _day(debut), as_instant(fin), motif, regime, int(school), uai, name),
        int(division) if division else None,
        *(classe, mef, code, niveau),
    )


def as_instant(text: str) -> datetime | None:
    """Return an instant a statement read as text."""
    moment = datetime.fromisoformat(text) if text else None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


_LINES = lines()


def attachments(session: Session, pk: int) -> list[Lieu]:
    """Return the places of a person in the schools of the perimeter, present ones first."""
    return read(session.execute(_LINES, {"personne": pk}).all())
