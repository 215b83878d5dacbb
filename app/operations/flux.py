"""«Brèves du net»: the feeds a school shows on its home page, read in the background (P2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import Breve, Flux
from app.operations import journal
from app.operations.saisies import Actor, record
from app.queries.pages import feeds_on

MOST_FEEDS = 12
MOST_ITEMS = 20
"""Items kept of a feed: the newest as it gives them."""
EVERY = timedelta(minutes=30)
SLOWEST = timedelta(hours=24)
CLAIM = timedelta(minutes=10)
"""A feed being read is left to its reader for so long; a reader that dies loses it to the next."""
FULL = f"La page d’accueil montre {MOST_FEEDS} flux au plus. Retirez-en un d’abord."
TWICE = "Ce flux est déjà dans la liste."


@dataclass(frozen=True, slots=True)
class Article:
    """One item of a feed as it was read: plain text, a web link or none."""

    cle: str
    titre: str
    lien: str | None
    resume: str
    publiee_le: datetime | None


@dataclass(frozen=True, slots=True)
class Lecture:
    """What reading a feed gave; ``articles`` is None when it has not changed since last time."""

    titre: str
    articles: Sequence[Article] | None
    etag: str | None = None
    modifie: str | None = None


def ajouter(session: Session, etablissement_id: int, url: str, lu: Lecture, *, acteur: Actor) -> Flux:
    """Add a feed that has just been read; one that had been taken off comes back.

    :raises RuleViolationError: there already, or too many of them.
    """
    lock(session, f"flux:{etablissement_id}")
    mine = Flux.etablissement_id == etablissement_id
    row = session.scalars(select(Flux).where(mine, Flux.url == url)).first()
    if row is not None and row.supprime_le is None:
        raise RuleViolationError(TWICE, field="url")
    last = _room(session, etablissement_id)
    row = row or Flux(etablissement_id=etablissement_id, url=url)
    row.titre, row.supprime_le, row.rang = lu.titre[:200], None, last + 1
    session.add(row)
    session.flush()
    noter_lecture(session, row, lu)
    told = {"titre": (None, row.titre), "url": (None, url)}
    record(session, row, "flux.ajouter", acteur, changes=told, etablissement_id=etablissement_id)
    return row


def supprimer(session: Session, row: Flux, *, acteur: Actor) -> None:
    """Take a feed off the page; it can be put back for a month."""
    if row.supprime_le is not None:
        return
    row.supprime_le = now()
    session.flush()
    told = {"titre": (row.titre, None), "url": (row.url, None)}
    record(session, row, "flux.supprimer", acteur, changes=told, etablissement_id=row.etablissement_id)


def remettre(session: Session, row: Flux, *, acteur: Actor) -> None:
    """Put back a feed that was taken off; it is read again soon.

    :raises RuleViolationError: too many of them meanwhile.
    """
    if row.supprime_le is None:
        return
    lock(session, f"flux:{row.etablissement_id}")
    _room(session, row.etablissement_id)
    row.supprime_le, row.prochaine_lecture = None, now()
    session.flush()
    told = {"titre": (None, row.titre)}
    record(session, row, "flux.remettre", acteur, changes=told, etablissement_id=row.etablissement_id)


def noter_lecture(session: Session, row: Flux, lu: Lecture) -> None:
    """Keep what a reading gave, and when to read again."""
    if row.en_panne_depuis is not None:
        _event(session, row, "flux.retabli", f"en panne depuis {row.en_panne_depuis:%d/%m/%Y}", None)
    row.lu_le, row.prochaine_lecture = now(), now() + EVERY
    row.echecs, row.en_panne_depuis, row.panne = 0, None, None
    if lu.articles is None:
        return
    row.titre = lu.titre[:200] or row.titre
    row.etag, row.modifie = (lu.etag or "")[:200] or None, (lu.modifie or "")[:60] or None
    session.flush()
    session.execute(delete(Breve).where(Breve.flux_id == row.id).execution_options(synchronize_session=False))
    seen: set[str] = set()
    for rang, article in enumerate(lu.articles):
        cle = hashlib.sha256(article.cle.encode("utf-8", "replace")).hexdigest()
        if cle in seen or len(seen) >= MOST_ITEMS:
            continue
        seen.add(cle)
        session.add(
            Breve(
                flux_id=row.id,
                cle=cle,
                titre=article.titre[:300],
                lien=article.lien,
                resume=article.resume[:600],
                publiee_le=article.publiee_le,
                rang=rang,
            )
        )
    session.flush()


def noter_panne(session: Session, row: Flux, sentence: str) -> None:
    """Note that a feed could not be read: what it said stays, it is tried less and less often."""
    row.echecs += 1
    row.panne = sentence[:255]
    row.prochaine_lecture = now() + min(EVERY * 2 ** min(row.echecs, 8), SLOWEST)
    if row.en_panne_depuis is None:
        row.en_panne_depuis = now()
        _event(session, row, "flux.panne", None, sentence)
    session.flush()


def a_lire(session: Session, *, limit: int) -> Sequence[Flux]:
    """Take the feeds whose time has come, of schools that show them; the caller commits at once."""
    due = (
        select(Flux)
        .where(feeds_on(), Flux.supprime_le.is_(None), Flux.prochaine_lecture <= now())
        .order_by(Flux.prochaine_lecture)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Flux)
    )
    rows = session.scalars(due).all()
    for row in rows:
        row.prochaine_lecture = now() + CLAIM
    session.flush()
    return rows


def _room(session: Session, etablissement_id: int) -> int:
    """Return the last rank, when the page can take one more feed."""
    here = select(func.count(Flux.id), func.coalesce(func.max(Flux.rang), 0)).where(
        Flux.etablissement_id == etablissement_id, Flux.supprime_le.is_(None)
    )
    count, last = session.execute(here).one()
    if count >= MOST_FEEDS:
        raise RuleViolationError(FULL, field="url")
    return int(last)


def _event(session: Session, row: Flux, acte: str, before: str | None, after: str | None) -> None:
    journal.write(
        session,
        acte=acte,
        objet_type="flux",
        objet_id=row.id,
        objet=row.titre,
        etablissement_id=row.etablissement_id,
        avant={"etat": before} if before else None,
        apres={"etat": after} if after else None,
    )
