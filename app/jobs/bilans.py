"""Keeping the figures of schools fresh: after each feed, every quarter of an hour, on demand.

A lot of schools is one transaction, so nobody waits for the write lock of SQLite. A process killed
in the middle leaves figures a little old, never wrong by half: the next round takes them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.database import reading
from app.extensions import db, now
from app.operations import bilans
from app.security.perimetres import TOUT, perimetre

FRESH = timedelta(minutes=14)
"""A little under the worker's period: two workers do the round once."""


def refresh(
    session: Session,
    ids: Iterable[int] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Compute and commit the figures of these schools, of all by default; return how many."""
    done = 0
    lots = bilans.lots(session, ids)
    session.commit()
    total = sum(len(lot) for lot in lots)
    for lot in lots:
        bilans.calculer(session, lot)
        session.commit()
        done += len(lot)
        if progress is not None:
            progress(done, total)
    return done


def refresh_due(app: Flask) -> int:
    """Do the periodic round, unless another process has just done it; return how many schools."""
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            with reading():
                due = bilans.est_perime(session, avant=now() - FRESH)
                session.rollback()
            return refresh(session) if due else 0
        finally:
            db.session.remove()
