"""Which resources a school may switch on: subscribed to by itself, or by its collectivité."""

from __future__ import annotations

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.extensions import PARIS, now
from app.models import Abonnement, Etablissement
from app.queries.droits import OUTSIDE


def subscriptions(etablissement_id: int) -> Select[tuple[int]]:
    """Return the statement of the components a school, checked by the caller, is subscribed to today."""
    here = select(Etablissement.collectivite_id).where(Etablissement.id == etablissement_id)
    day = now().astimezone(PARIS).date()
    return select(Abonnement.composant_id).where(
        or_(
            Abonnement.etablissement_id == etablissement_id,
            Abonnement.collectivite_id == here.scalar_subquery(),
        ),
        or_(Abonnement.debut.is_(None), Abonnement.debut <= day),
        or_(Abonnement.fin.is_(None), Abonnement.fin >= day),
    )


def subscribed(session: Session, etablissement_id: int) -> frozenset[int]:
    """Return the components a school, checked by the caller, is subscribed to today."""
    return frozenset(session.scalars(subscriptions(etablissement_id), execution_options=OUTSIDE))
