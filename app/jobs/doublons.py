"""Searching the whole base for people who may be one: by days of birth, each lot committed.

Killed in the middle, the search goes on from the last day it finished.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import reading
from app.extensions import db, now
from app.jobs.context import Contexte
from app.jobs.registry import handler
from app.models import Personne, Tache
from app.operations import doublons, taches
from app.security.perimetres import TOUT, perimetre

EVERY = timedelta(hours=23)
FIRST = "0001-01-01"
LABEL = "Recherche des doublons"


@handler(doublons.CHERCHER)
def search(context: Contexte) -> dict[str, Any]:
    """Compare everybody, store the new pairs, take off those that no longer hold."""
    session, cursor = context.session, context.cursor or {"jour": FIRST, "trouves": 0}
    cursor.setdefault("debut", now().isoformat())
    total = session.scalar(select(func.count()).where(Personne.date_naissance.is_not(None)))
    while cursor["jour"]:
        found, day, read = doublons.nes_le_meme_jour(session, cursor["jour"])
        cursor = {**cursor, "jour": day, "trouves": cursor["trouves"] + doublons.retenir(session, found)}
        context.progress(context.fait + read, total, cursor=cursor)
    others = doublons.retenir(session, doublons.autrement(session))
    doublons.oublier(session, datetime.fromisoformat(cursor["debut"]))
    return {"doublons_trouves": cursor["trouves"] + others}


def due(app: Flask) -> bool:
    """Ask for the daily search unless one is under way or was made today; tell whether it was asked."""
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            with reading():
                fresh = _recent(session)
                session.rollback()
            if fresh:
                return False
            taches.request(session, doublons.CHERCHER, libelle=LABEL, parametres={})
            session.commit()
            return True
        finally:
            db.session.remove()


def _recent(session: Session) -> bool:
    """Tell whether a search would find nothing new: nobody in the base, or one made today."""
    if session.scalars(select(Personne.id).limit(1)).first() is None:
        return True
    read = select(Tache.id).where(
        Tache.type == doublons.CHERCHER,
        (Tache.etat.in_(("attente", "cours"))) | (Tache.cree_le > now() - EVERY),
    )
    return session.scalars(read.limit(1)).first() is not None
