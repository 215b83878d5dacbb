"""Answering the forgotten passwords: each request is one transaction, forgotten with its answer."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.database import reading
from app.extensions import db
from app.models import DemandeLien
from app.operations import oublis
from app.operations.deployment import Deployment
from app.security.perimetres import TOUT, perimetre


def answer_due(app: Flask, limit: int = 50) -> int:
    """Answer the requests that wait; return how many mails were queued. Commits each."""
    deployment = Deployment.of(app.extensions["reglages"])
    queued = 0
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            with reading():
                ids = session.scalars(select(DemandeLien.id).order_by(DemandeLien.id).limit(limit)).all()
                session.rollback()
            for id_ in ids:
                demande = session.scalars(
                    select(DemandeLien).where(DemandeLien.id == id_).with_for_update(skip_locked=True)
                ).one_or_none()
                if demande is not None:
                    queued += oublis.repondre(session, demande, deployment)
                session.commit()
        finally:
            db.session.remove()
    return queued
