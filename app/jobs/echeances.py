"""What ends with time: guests whose last day has passed, files kept a day."""

from __future__ import annotations

from flask import Flask

from app.extensions import db
from app.operations import invites, sorties
from app.security.perimetres import TOUT, perimetre


def end_due(app: Flask) -> int:
    """Close what is due, lot by lot, each committed; return how many guests left."""
    ended = 0
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            while count := invites.terminer_echus(session):
                session.commit()
                ended += count
            session.commit()
        finally:
            db.session.remove()
        sorties.purge(app.extensions["reglages"].dossier)
    return ended
