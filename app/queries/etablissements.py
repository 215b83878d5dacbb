"""Reads about schools: choices for filters, the sheet's figures, its locks and last feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Compte,
    Division,
    Etablissement,
    Rattachement,
    VerrouEtablissement,
)
from app.queries.noms import search_key
from app.queries.personnes import prefix


def by_uai(session: Session, uai: str) -> Etablissement | None:
    """Return the school of this UAI, if the perimeter holds it."""
    return session.scalars(select(Etablissement).where(Etablissement.uai == uai.strip().upper())).first()


def choices(session: Session, typed: str = "", *, limit: int = 30) -> Sequence[Etablissement]:
    """Return schools of the perimeter by the first letters of a word of the name, town or UAI."""
    statement = select(Etablissement).order_by(Etablissement.nom_recherche, Etablissement.id).limit(limit)
    key = search_key(typed)
    if key:
        statement = statement.where(
            or_(
                prefix(Etablissement.nom_recherche, key),
                Etablissement.nom_recherche.contains(f" {key}", autoescape=True),
                prefix(Etablissement.uai, key.replace(" ", "").upper()),
            )
        )
    return session.scalars(statement).all()


def count_up_to(session: Session, limit: int) -> int:
    """Return how many schools the perimeter holds, counting no further than ``limit``."""
    inner = select(Etablissement.id).limit(limit).subquery()
    return session.execute(select(func.count()).select_from(inner)).scalar_one()


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


def linked_account_ids(session: Session, etablissement_id: int) -> Sequence[int]:
    """Return the accounts of the people who are in a school now."""
    statement = (
        select(Compte.id)
        .join(Rattachement, Rattachement.personne_id == Compte.personne_id)
        .where(Rattachement.etablissement_id == etablissement_id, Rattachement.fin.is_(None))
        .distinct()
    )
    return session.scalars(statement).all()
