"""Reads of what an account keeps about its lists: named views."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import VueEnregistree


def views(session: Session, compte_id: int, page: str) -> Sequence[VueEnregistree]:
    """Return the views an account saved on a list, the oldest first."""
    statement = (
        select(VueEnregistree)
        .where(VueEnregistree.compte_id == compte_id, VueEnregistree.page == page)
        .order_by(VueEnregistree.id)
    )
    return session.scalars(statement).all()


def view(session: Session, compte_id: int, pk: int) -> VueEnregistree | None:
    """Return one view of an account; somebody else's is as absent."""
    statement = select(VueEnregistree).where(VueEnregistree.id == pk, VueEnregistree.compte_id == compte_id)
    return session.scalars(statement).first()
