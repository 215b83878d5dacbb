"""A short transaction apart from the request's: throttle, sessions, journal of refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.database import reading, writing
from app.extensions import db
from app.security.perimetres import TOUT, perimetre


@contextmanager
def own_transaction() -> Iterator[Session]:
    """Yield a session that sees everything and is committed when the block ends well."""
    with (
        writing(),
        Session(db.engine, expire_on_commit=False) as session,
        session.begin(),
        perimetre(session, TOUT),
    ):
        yield session


@contextmanager
def own_reading() -> Iterator[Session]:
    """Yield a session that sees everything and writes nothing."""
    with reading(), Session(db.engine, expire_on_commit=False) as session, perimetre(session, TOUT):
        yield session
