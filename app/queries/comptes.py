"""Reads about accounts and the roles they hold."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

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
