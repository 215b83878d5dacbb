"""The daily round over «Suppressions»: who left longer ago than the delay is anonymised.

Each lot is one transaction. Killed in the middle, the next round goes on with who is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy.orm import Session

from app.database import reading
from app.extensions import db, now
from app.operations import anonymisation
from app.security.perimetres import TOUT, perimetre


def round_once(session: Session) -> Iterator[int]:
    """Anonymise everybody whose delay is over, lot by lot, committed; yield how many each time."""
    jours = current_app.extensions["reglages"].suppressions_jours
    limit = now() - timedelta(days=jours)
    while True:
        ids = anonymisation.purgeables(session, limit)
        if not ids:
            session.rollback()
            return
        done = anonymisation.anonymiser(session, ids)
        session.commit()
        yield done


def due(app: Flask) -> int:
    """Do the round when somebody's delay is over; return how many people were anonymised."""
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            with reading():
                limit = now() - timedelta(days=app.extensions["reglages"].suppressions_jours)
                waiting = bool(anonymisation.purgeables(session, limit, limit=1))
                session.rollback()
            return sum(round_once(session)) if waiting else 0
        finally:
            db.session.remove()
