"""«Suppressions»: bringing back by hand somebody the feed stopped naming, as they were (U8, I4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from app.database import lock
from app.errors import ConflictError, NotFoundError, RuleViolationError
from app.models import Personne, Rattachement, Responsabilite
from app.operations.saisies import SYSTEME, Actor, record

LIEN = timedelta(minutes=10)
"""A guardian whose place closed within this of their child's left with them."""


def echeance(personne: Personne, jours: int) -> datetime | None:
    """Return when somebody who left will be anonymised, None for who is still somewhere."""
    return personne.supprime_le + timedelta(days=jours) if personne.supprime_le else None


def restaurer(
    session: Session, personne: Personne, etablissement_id: int, *, acteur: Actor = SYSTEME
) -> Rattachement:
    """Reopen the last place of somebody in a school, and those of the guardians who left with them.

    :raises RuleViolationError: anonymised, or present in this school.
    :raises NotFoundError: never was in this school.
    """
    lock(session, "alimentation")
    session.refresh(personne)
    if personne.anonymise_le is not None:
        raise ConflictError("Cette fiche a été anonymisée : elle ne peut plus être restaurée.")
    places = session.scalars(
        select(Rattachement)
        .where(Rattachement.personne_id == personne.id, Rattachement.etablissement_id == etablissement_id)
        .order_by(Rattachement.fin.desc(), Rattachement.id.desc())
    ).all()
    if any(place.fin is None for place in places):
        raise RuleViolationError(f"{personne} est déjà présent dans cet établissement.")
    if not places:
        raise NotFoundError("Cette personne n’a jamais été dans cet établissement.")
    place = places[0]
    before = {"fin": (place.fin, None), "motif_fin": (place.motif_fin, None)}
    guardians = _guardians_gone_with(session, place) if place.profil == "eleve" else []
    for one in (place, *guardians):
        _reopen(one)
    session.flush()
    record(session, personne, "personne.restaurer", acteur, changes=before, etablissement_id=etablissement_id)
    return place


def _reopen(place: Rattachement) -> None:
    place.fin = place.motif_fin = None
    if place.personne.supprime_le is not None:
        place.personne.supprime_le = None


def _guardians_gone_with(session: Session, place: Rattachement) -> list[Rattachement]:
    """Return the places the feed closed because this pupil left."""
    still = aliased(Rattachement)
    open_here = exists().where(
        still.personne_id == Rattachement.personne_id,
        still.etablissement_id == place.etablissement_id,
        still.fin.is_(None),
    )
    if place.fin is None:
        return []
    return list(
        session.scalars(
            select(Rattachement)
            .join(Responsabilite, Responsabilite.responsable_id == Rattachement.personne_id)
            .join(Personne, Personne.id == Rattachement.personne_id)
            .where(
                Responsabilite.eleve_id == place.personne_id,
                Rattachement.etablissement_id == place.etablissement_id,
                Rattachement.profil == "responsable",
                Rattachement.motif_fin == place.motif_fin,
                Rattachement.fin.between(place.fin - LIEN, place.fin + LIEN),
                Personne.anonymise_le.is_(None),
                ~open_here,
            )
        )
    )
