"""Secret addresses a calendar program reads: made, ended, recognised (F1). Shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import AdresseCalendrier, Personne
from app.operations.saisies import Actor, record

BYTES = 16
LONGEST = 64


def creer(session: Session, personne: Personne, ressource_id: int | None, *, acteur: Actor) -> str:
    """Make an address and return its secret; the one before, of the same person and resource, is dead."""
    _end(session, personne.id, ressource_id)
    secret = secrets.token_urlsafe(BYTES)
    row = AdresseCalendrier(personne_id=personne.id, ressource_id=ressource_id, empreinte=digest(secret))
    session.add(row)
    session.flush()
    record(session, row, "calendrier.ouvrir", acteur)
    return secret


def revoquer(session: Session, personne: Personne, ressource_id: int | None, *, acteur: Actor) -> bool:
    """End an address at once; tell whether there was one."""
    row = of_person(session, personne.id, ressource_id)
    if row is None:
        return False
    record(session, row, "calendrier.fermer", acteur)
    _end(session, personne.id, ressource_id)
    return True


def of_person(session: Session, personne_id: int, ressource_id: int | None) -> AdresseCalendrier | None:
    """Return the address somebody has for a resource, or for their own bookings."""
    return session.scalars(
        select(AdresseCalendrier).where(
            AdresseCalendrier.personne_id == personne_id,
            AdresseCalendrier.ressource_id.is_(None)
            if ressource_id is None
            else AdresseCalendrier.ressource_id == ressource_id,
        )
    ).first()


def find(session: Session, secret: str) -> AdresseCalendrier | None:
    """Return the address of a secret."""
    if not 0 < len(secret) <= LONGEST:
        return None
    return session.scalars(
        select(AdresseCalendrier).where(AdresseCalendrier.empreinte == digest(secret))
    ).first()


def digest(secret: str) -> str:
    """Return what is kept of a secret: it is random, so a plain digest is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _end(session: Session, personne_id: int, ressource_id: int | None) -> None:
    session.execute(
        delete(AdresseCalendrier).where(
            AdresseCalendrier.personne_id == personne_id,
            AdresseCalendrier.ressource_id.is_(None)
            if ressource_id is None
            else AdresseCalendrier.ressource_id == ressource_id,
        ),
        execution_options={"synchronize_session": False, "hors_perimetre": True},
    )
