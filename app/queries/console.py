"""Reads of the frame: the school of the address, the counts of its tree, what an account remembers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import Division, Etablissement, Favori, Preference, Rattachement, Visite


def school(
    session: Session, uai: str, compte_id: int | None
) -> tuple[Etablissement, datetime | None, bool] | None:
    """Return a school of the perimeter, when this account last opened it, and whether it is a favourite."""
    mine = Favori.compte_id == compte_id
    statement = (
        select(Etablissement, Visite.le, Favori.compte_id)
        .outerjoin(Visite, and_(Visite.etablissement_id == Etablissement.id, Visite.compte_id == compte_id))
        .outerjoin(Favori, and_(Favori.etablissement_id == Etablissement.id, mine))
        .where(Etablissement.uai == uai)
        .options(joinedload(Etablissement.academie), joinedload(Etablissement.collectivite))
    )
    row = session.execute(statement).first()
    return None if row is None else (row[0], row[1], row[2] is not None)


def tree_counts(session: Session, etablissement_id: int) -> dict[str, int]:
    """Return what the tree counts, by name: people present by profile, departures, classes."""
    present = func.count().filter(Rattachement.fin.is_(None))
    gone = func.count().filter(Rattachement.fin.is_not(None))
    classes = (
        select(func.count(Division.id))
        .where(Division.etablissement_id == etablissement_id, Division.active)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Rattachement.profil, present, gone, classes)
        .where(Rattachement.etablissement_id == etablissement_id)
        .group_by(Rattachement.profil)
    ).all()
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    counts["utilisateurs"] = sum(counts.values())
    counts["suppressions"] = sum(row[2] for row in rows)
    if rows:
        counts["divisions"] = rows[0][3]
    return counts


def preferences(session: Session, compte_id: int) -> Mapping[str, Any]:
    """Return what an account chose for the look of the console, by key."""
    rows = session.execute(select(Preference.cle, Preference.valeur).where(Preference.compte_id == compte_id))
    return {row[0]: row[1] for row in rows}
