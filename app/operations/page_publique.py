"""The public page of a school: on or off, end of its address, look, services shown (P3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import MODELES, AdressePage, Etablissement, PagePublique, ServicePage
from app.operations.saisies import Actor, clean_text, pending_changes, record
from app.queries.droits import services_of
from app.queries.pages import REDIRIGEE

LONGEST = 60
SHORTEST = 3
MOST_LEFT = 10
"""Addresses one school may keep from others by leaving them."""
RESERVEES = frozenset(
    {"admin", "administration", "api", "aide", "accueil", "connexion", "media", "static", "p", "www", "preau"}
)
CHANGED = "La page a été modifiée entre-temps. Relisez les champs signalés, puis enregistrez de nouveau."


@dataclass(frozen=True, slots=True)
class Choix:
    """What an administrator chose for the page."""

    active: bool
    adresse: str
    modele: str
    entete: bool
    accroche: str
    services: frozenset[int] | None = None
    """The services it names; None leaves them as they are."""


def page_of(session: Session, etablissement_id: int) -> PagePublique | None:
    """Return the page of a school, None when nobody opened it yet."""
    return session.scalars(
        select(PagePublique).where(PagePublique.etablissement_id == etablissement_id)
    ).first()


def adresse_of(session: Session, etablissement_id: int) -> str:
    """Return the end of address of the page of a school, empty when it has none."""
    found = session.scalars(
        select(AdressePage.adresse).where(
            AdressePage.etablissement_id == etablissement_id, AdressePage.quittee_le.is_(None)
        )
    ).first()
    return found or ""


def enregistrer(
    session: Session, school: Etablissement, choix: Choix, *, version: int, acteur: Actor
) -> PagePublique:
    """Write what was chosen; ``version`` is the one that was on the screen, 0 when there was no page.

    :raises ConflictError: somebody else wrote the page meanwhile.
    :raises RuleViolationError: an address that cannot be, or is taken; the sentence says a free one.
    """
    lock(session, f"page_publique:{school.id}")
    page = page_of(session, school.id)
    if (page.version if page else 0) != version:
        raise ConflictError(CHANGED)
    if choix.modele not in MODELES:
        raise RuleViolationError("Choisissez l’un des modèles proposés.", field="modele")
    accroche = clean_text(choix.accroche, field="accroche", longest=240)
    moved = _move(session, school, choix.adresse)
    page = page or PagePublique(etablissement_id=school.id)
    page.active, page.modele, page.entete = choix.active, choix.modele, choix.entete
    page.accroche = accroche
    changes: dict[str, Any] = pending_changes(page)
    changes.pop("etablissement_id", None)
    session.add(page)
    session.flush()
    changes |= moved
    if choix.services is not None:
        changes |= _name_services(session, school.id, choix.services)
    if not changes:
        return page
    page.version = version + 1
    page.revision += 1
    page.modifie_le = now()
    session.flush()
    record(session, page, "page_publique.enregistrer", acteur, changes=changes, etablissement_id=school.id)
    return page


def revised(session: Session, etablissement_id: int) -> None:
    """Note that what the page of a school shows has changed: caches ask again."""
    session.execute(
        update(PagePublique)
        .where(PagePublique.etablissement_id == etablissement_id)
        .values(revision=PagePublique.revision + 1)
        .execution_options(synchronize_session=False)
    )


def normaliser(typed: str) -> str:
    """Return what was typed as an end of address: «Collège Jean-Moulin» → ``college-jean-moulin``."""
    flat = unicodedata.normalize("NFKD", typed.replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae"))
    kept = "".join(char for char in flat if not unicodedata.combining(char)).lower()
    return re.sub(r"[^a-z0-9]+", "-", kept)[: LONGEST * 2].strip("-")[:LONGEST].strip("-")


def proposer(session: Session, school: Etablissement, wanted: str = "") -> str:
    """Return a free end of address for a school: its name, its town, then a number."""
    bases: Sequence[str] = [
        base
        for base in (
            normaliser(wanted),
            normaliser(school.nom),
            normaliser(f"{wanted or school.nom} {school.commune or ''}"),
            normaliser(f"{school.nom} {school.uai}"),
        )
        if len(base) >= SHORTEST and base not in RESERVEES
    ]
    tried = [*bases, *(f"{bases[0][: LONGEST - 4].strip('-')}-{rank}" for rank in range(2, 100))]
    taken = set(
        session.scalars(
            select(AdressePage.adresse)
            .where(AdressePage.adresse.in_(tried), AdressePage.etablissement_id != school.id)
            .execution_options(hors_perimetre=True)
        )
    )
    return next(one for one in tried if one not in taken)


def services_of_page(session: Session, etablissement_id: int) -> frozenset[int]:
    """Return the services a school chose to name on its page, on or off."""
    chosen = select(ServicePage.service_id).where(ServicePage.etablissement_id == etablissement_id)
    return frozenset(session.scalars(chosen))


def _name_services(
    session: Session, etablissement_id: int, wanted: frozenset[int]
) -> dict[str, tuple[list[str], list[str]]]:
    """Name these services on the page and no other; one not offered to the school is left out."""
    offered = {one.id: one.nom for one in services_of(session, etablissement_id)}
    before, after = services_of_page(session, etablissement_id), wanted & offered.keys()
    if before == after:
        return {}
    session.execute(
        delete(ServicePage)
        .where(ServicePage.etablissement_id == etablissement_id, ServicePage.service_id.in_(before - after))
        .execution_options(synchronize_session=False)
    )
    for id_ in sorted(after - before):
        session.add(ServicePage(etablissement_id=etablissement_id, service_id=id_))
    session.flush()
    named = [sorted(offered[id_] for id_ in ids if id_ in offered) for ids in (before, after)]
    return {"services": (named[0], named[1])}


def _move(session: Session, school: Etablissement, typed: str) -> dict[str, tuple[str | None, str | None]]:
    """Give the page the address that was typed; the one it leaves goes on leading to it."""
    wanted, current = normaliser(typed), adresse_of(session, school.id)
    if wanted == current and wanted:
        return {}
    if len(wanted) < SHORTEST or wanted in RESERVEES:
        free = proposer(session, school)
        raise RuleViolationError(
            f"Écrivez au moins {SHORTEST} lettres ou chiffres. Par exemple : {free}", field="adresse"
        )
    lock(session, "adresses_page")
    known = session.scalars(
        select(AdressePage).where(AdressePage.adresse == wanted).execution_options(hors_perimetre=True)
    ).first()
    if known is not None and known.etablissement_id != school.id:
        if known.quittee_le is None or known.quittee_le > now() - REDIRIGEE:
            free = proposer(session, school, wanted)
            raise RuleViolationError(
                f"« {wanted} » est déjà l’adresse d’une autre page. « {free} » est libre.", field="adresse"
            )
        session.execute(
            AdressePage.__table__.delete().where(AdressePage.__table__.c.id == known.id)  # type: ignore[attr-defined]
        )
        session.expunge(known)
        known = None
    left = select(func.count(AdressePage.id)).where(
        AdressePage.etablissement_id == school.id, AdressePage.quittee_le > now() - REDIRIGEE
    )
    if known is None and session.execute(left).scalar_one() >= MOST_LEFT:
        raise RuleViolationError(
            f"Cette page a quitté {MOST_LEFT} adresses en six mois, qui mènent encore à elle :"
            " revenez à l’une d’elles.",
            field="adresse",
        )
    session.execute(
        update(AdressePage)
        .where(AdressePage.etablissement_id == school.id, AdressePage.quittee_le.is_(None))
        .values(quittee_le=now())
        .execution_options(synchronize_session="fetch")
    )
    if known is not None:
        known.quittee_le = None
    else:
        session.add(AdressePage(etablissement_id=school.id, adresse=wanted))
    session.flush()
    return {"adresse": (current or None, wanted)}
