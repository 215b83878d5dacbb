"""What the command palette finds beyond schools and people: classes (C6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from app.models import Division, Etablissement


def classes(session: Session, typed: str, ecoles: Sequence[int], *, limit: int = 5) -> Sequence[Row[Any]]:
    """Return the classes of these schools whose code or name begins, or goes on, as typed."""
    key = typed.strip()
    if not key or not ecoles:
        return []
    named = [column.istartswith(key, autoescape=True) for column in (Division.code, Division.libelle)] + [
        Division.libelle.icontains(f" {key}", autoescape=True)
    ]
    statement = (
        select(
            Division.id,
            func.coalesce(func.nullif(Division.libelle, ""), Division.code).label("nom"),
            Etablissement.nom.label("ecole"),
            Etablissement.uai,
        )
        .join(Etablissement, Etablissement.id == Division.etablissement_id)
        .where(Division.etablissement_id.in_(ecoles), Division.active, or_(*named))
        .order_by(Division.code, Division.id)
        .limit(limit)
    )
    return session.execute(statement).all()
