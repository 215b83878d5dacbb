"""Reads about accounts and the roles they hold."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.extensions import now
from app.models import Attribution


def holders_by_role(session: Session) -> dict[str, int]:
    """Return role → number of accounts that hold it now, within the perimeter."""
    moment = now()
    rows = session.execute(
        select(Attribution.role, func.count(Attribution.compte_id.distinct()))
        .where(
            Attribution.depuis <= moment,
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
        )
        .group_by(Attribution.role)
    )
    return {row[0]: row[1] for row in rows}


def roles_of(session: Session, compte_id: int) -> Sequence[Attribution]:
    """Return the roles an account holds now, with what they are held over as far as the perimeter goes."""
    moment = now()
    statement = (
        select(Attribution)
        .where(
            Attribution.compte_id == compte_id,
            Attribution.depuis <= moment,
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
        )
        .options(
            joinedload(Attribution.etablissement),
            joinedload(Attribution.academie),
            joinedload(Attribution.collectivite),
        )
        .order_by(Attribution.id)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).all()
