"""Reads of the frame: the school of the address, the counts of its tree, what an account remembers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import (
    PROFILS,
    Division,
    Etablissement,
    Favori,
    Personne,
    Preference,
    Rattachement,
    Visite,
)

_COMPTE: Any = bindparam("compte")
_ETABLISSEMENT: Any = bindparam("etablissement")
_SCHOOL = (
    select(Etablissement, Visite.le, Favori.compte_id)
    .outerjoin(Visite, and_(Visite.etablissement_id == Etablissement.id, Visite.compte_id == _COMPTE))
    .outerjoin(Favori, and_(Favori.etablissement_id == Etablissement.id, Favori.compte_id == _COMPTE))
    .where(Etablissement.uai == bindparam("uai"))
    .options(joinedload(Etablissement.academie), joinedload(Etablissement.collectivite))
)
_DEPARTED = (
    select(func.count())
    .select_from(Rattachement)
    .join(Personne, Personne.id == Rattachement.personne_id)
    .where(
        Rattachement.etablissement_id == _ETABLISSEMENT,
        Rattachement.profil.in_(PROFILS),  # said, so that the index goes on to those who left
        Rattachement.fin.is_not(None),
        Personne.anonymise_le.is_(None),
    )
)
_TREE = (
    select(
        Rattachement.profil,
        func.count().filter(Rattachement.fin.is_(None)),
        _DEPARTED.scalar_subquery(),
        select(func.count(Division.id))
        .where(Division.etablissement_id == _ETABLISSEMENT, Division.active)
        .scalar_subquery(),
    )
    .where(Rattachement.etablissement_id == _ETABLISSEMENT)
    .group_by(Rattachement.profil)
)
"""Everybody is counted by the index of lists alone; people are only looked at among those who left."""
_PREFERENCES = select(Preference.cle, Preference.valeur).where(Preference.compte_id == _COMPTE)


def school(
    session: Session, uai: str, compte_id: int | None
) -> tuple[Etablissement, datetime | None, bool] | None:
    """Return a school of the perimeter, when this account last opened it, and whether it is a favourite."""
    row = session.execute(_SCHOOL, {"uai": uai, "compte": compte_id}).first()
    return None if row is None else (row[0], row[1], row[2] is not None)


def tree_counts(session: Session, etablissement_id: int) -> dict[str, int]:
    """Return what the tree counts, by name: people present by profile, departures, classes."""
    rows = session.execute(_TREE, {"etablissement": etablissement_id}).all()
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    counts["utilisateurs"] = sum(counts.values())
    counts["suppressions"] = rows[0][2] if rows else 0
    if rows:
        counts["divisions"] = rows[0][3]
    return counts


def preferences(session: Session, compte_id: int) -> Mapping[str, Any]:
    """Return what an account chose for the look of the console, by key."""
    return {row[0]: row[1] for row in session.execute(_PREFERENCES, {"compte": compte_id})}
