"""Reads about schools: choices for filters, the sheet's figures, its locks and last feed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Division,
    Rattachement,
    VerrouEtablissement,
)


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
