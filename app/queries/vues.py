"""Reads of what an account keeps about its lists: named views, chosen columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Preference, VueEnregistree


def views(session: Session, compte_id: int, page: str) -> Sequence[VueEnregistree]:
    """Return the views an account saved on a list, the oldest first."""
    statement = (
        select(VueEnregistree)
        .where(VueEnregistree.compte_id == compte_id, VueEnregistree.page == page)
        .order_by(VueEnregistree.id)
    )
    return session.scalars(statement).all()


def preference(session: Session, compte_id: int, cle: str) -> Any:
    """Return one choice of look of an account, None when it made none."""
    statement = select(Preference.valeur).where(Preference.compte_id == compte_id, Preference.cle == cle)
    return session.execute(statement).scalar_one_or_none()
