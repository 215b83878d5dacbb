"""Reading the feeds of schools when their time comes; what is taken aside for good goes too.

Feeds are claimed in one short transaction, called outside any, written in another each. The same address
shown by many schools is called once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.database import reading
from app.errors import UserError
from app.extensions import db, now
from app.imports import syndication
from app.models import Bloc, Flux, Image, Logo
from app.operations import flux as operations
from app.operations import images
from app.operations.flux import Lecture
from app.operations.outgoing import Network
from app.queries.pages import feeds_on
from app.security.perimetres import TOUT, perimetre

log = logging.getLogger("preau.flux")
BATCH = 40
AT_ONCE = 8
TRIPPED = "Ce flux ne se lit pas. Signalez-le à la personne qui exploite Préau."
KEPT = timedelta(days=30)
"""How long what was taken off a page can be put back."""


class Asked(NamedTuple):
    """One call: an address, and the version known of it."""

    url: str
    etag: str | None
    modifie: str | None


def due(app: Flask) -> int:
    """Read the feeds whose time has come; return how many were written. Commits each."""
    permitted = app.extensions["reglages"].permitted_networks()
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            if not _waiting(session):
                return 0
            claimed = {row.id: Asked(row.url, row.etag, row.modifie) for row in _claimed(session)}
            answers = _called(set(claimed.values()), permitted)
            return sum(_written(session, id_, answers[asked]) for id_, asked in claimed.items())
        finally:
            db.session.remove()


def purge(app: Flask) -> int:
    """Delete what was taken off a page a month ago, and pictures nothing shows any more; return how many.

    A picture has an address anybody may keep: off every page, it must stop answering.
    """
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        try:
            gone = 0
            for table in (Logo, Flux, Bloc):
                done = session.execute(
                    delete(table)
                    .where(table.supprime_le < now() - KEPT)
                    .execution_options(synchronize_session=False)
                )
                gone += done.rowcount
            session.commit()
            old = select(Image.etablissement_id).where(Image.cree_le < now() - images.SPARED)
            for school in session.scalars(old.distinct()).all():
                gone += images.drop_unused(session, school)
                session.commit()
            return gone
        finally:
            db.session.remove()


def _waiting(session: Session) -> bool:
    """Tell whether a feed waits, without taking the write lock of SQLite."""
    with reading():
        found = session.execute(
            select(Flux.id)
            .where(feeds_on(), Flux.supprime_le.is_(None), Flux.prochaine_lecture <= now())
            .limit(1)
        ).first()
        session.rollback()
    return found is not None


def _claimed(session: Session) -> Iterable[Flux]:
    rows = operations.a_lire(session, limit=BATCH)
    session.commit()
    return rows


def _called(asked: set[Asked], permitted: tuple[Network, ...]) -> dict[Asked, Lecture | str]:
    """Call each address once, several at a time; return what it gave, or why not."""

    def call(one: Asked) -> Lecture | str:
        try:
            return syndication.read(one.url, permitted=permitted, etag=one.etag, modifie=one.modifie)
        except UserError as error:
            return error.message
        except Exception:  # a feed that trips its reader stops neither the others nor the rounds to come
            log.exception("A feed could not be read")
            return TRIPPED

    ordered = sorted(asked, key=str)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(ordered, pool.map(call, ordered), strict=True))


def _written(session: Session, id_: int, answer: Lecture | str) -> int:
    row = session.scalars(
        select(Flux).where(Flux.id == id_, Flux.supprime_le.is_(None)).with_for_update()
    ).first()
    if row is None:
        session.rollback()
        return 0
    if isinstance(answer, str):
        operations.noter_panne(session, row, answer)
    else:
        operations.noter_lecture(session, row, answer)
    session.commit()
    return 1
