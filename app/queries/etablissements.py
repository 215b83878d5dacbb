"""Reads about schools: choices for filters, the sheet's figures, its locks and last feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Division,
    Etablissement,
    Favori,
    Rattachement,
    VerrouEtablissement,
    Visite,
)
from app.queries.noms import search_key


def by_uai(session: Session, uai: str) -> Etablissement | None:
    """Return the school an address or a program names, None when it is not in the perimeter."""
    return session.scalars(select(Etablissement).where(Etablissement.uai == uai[:8].upper())).first()


def headcount(session: Session, etablissement_id: int) -> Mapping[str, int]:
    """Return how many people are in a school now, by profile, and its active divisions."""
    rows = session.execute(
        select(Rattachement.profil, func.count(Rattachement.id))
        .where(Rattachement.etablissement_id == etablissement_id, Rattachement.fin.is_(None))
        .group_by(Rattachement.profil)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    counts["division"] = session.execute(
        select(func.count(Division.id)).where(Division.etablissement_id == etablissement_id, Division.active)
    ).scalar_one()
    return counts


def locks(session: Session, etablissement_id: int) -> dict[str, VerrouEtablissement]:
    """Return the fields of a school that feeds leave alone, with who edited them and when."""
    rows = session.scalars(
        select(VerrouEtablissement).where(VerrouEtablissement.etablissement_id == etablissement_id)
    )
    return {row.champ: row for row in rows}


def last_feed(session: Session, etablissement_id: int) -> Alimentation | None:
    """Return the last feed applied to a school."""
    statement = (
        select(Alimentation)
        .join(AlimentationEtablissement, AlimentationEtablissement.alimentation_id == Alimentation.id)
        .where(
            AlimentationEtablissement.etablissement_id == etablissement_id,
            AlimentationEtablissement.applique_le.is_not(None),
        )
        .order_by(AlimentationEtablissement.applique_le.desc())
        .limit(1)
    )
    return session.scalars(statement).first()


@dataclass(frozen=True)
class Choix:
    """A school «Changer d'établissement» offers."""

    uai: str
    nom: str
    commune: str
    ferme: bool
    favori: bool
    visite: datetime | None


def choices(session: Session, typed: str, compte_id: int, *, limit: int = 30) -> list[Choix]:
    """Return the schools that match every word typed, any part of name, town or UAI.

    The best match first; without any word, favourites, then the last opened, then by name.
    """
    key = search_key(typed)[:100]
    statement = (
        select(
            Etablissement.uai,
            Etablissement.nom,
            Etablissement.commune,
            Etablissement.etat,
            Favori.compte_id,
            Visite.le,
        )
        .outerjoin(Favori, and_(Favori.etablissement_id == Etablissement.id, Favori.compte_id == compte_id))
        .outerjoin(Visite, and_(Visite.etablissement_id == Etablissement.id, Visite.compte_id == compte_id))
        .where(*[Etablissement.recherche.contains(word, autoescape=True) for word in key.split()[:8]])
        .limit(limit)
    )
    favourite = case((Favori.compte_id.is_not(None), 0), else_=1)
    if key:
        start = Etablissement.recherche.startswith(key, autoescape=True)
        word = Etablissement.recherche.contains(f" {key}", autoescape=True)
        rank = case((Etablissement.uai == typed.strip().upper(), 0), (start, 1), (word, 2), else_=3)
        order: list[Any] = [rank, favourite]
    else:
        order = [favourite, Visite.le.desc().nulls_last()]
    rows = session.execute(statement.order_by(*order, Etablissement.nom_recherche, Etablissement.id))
    return [
        Choix(row[0], row[1], row[2] or "", row[3] == "ferme", row[4] is not None, row[5]) for row in rows
    ]
