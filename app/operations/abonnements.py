"""Subscriptions to digital resources: who may switch them on, from when, until when (R5)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.models import Abonnement
from app.operations import saisies
from app.operations.saisies import Actor


def save_abonnement(session: Session, item: Abonnement, *, acteur: Actor) -> None:
    """Write a subscription of one school, or of a collectivité for all of its schools.

    :raises RuleViolationError: of neither or both, a resource that asks for none, dates the wrong way
        round, or one that stands already.
    """
    with session.no_autoflush:
        composant = item.composant
        composant_id: int = composant.id if composant else item.composant_id
        school = item.etablissement.id if item.etablissement else item.etablissement_id
        owner = item.collectivite.id if item.collectivite else item.collectivite_id
        if composant is not None and not composant.sur_abonnement:
            raise RuleViolationError(
                f"« {composant} » n’est pas sur abonnement : tout établissement peut l’activer.",
                field="composant",
            )
        if (school is None) == (owner is None):
            raise RuleViolationError(
                "Choisissez un établissement ou une collectivité, l’un des deux.", field="etablissement"
            )
        if item.debut and item.fin and item.fin < item.debut:
            raise RuleViolationError("L’abonnement finit avant de commencer.", field="fin")
        same = select(Abonnement.id).where(
            Abonnement.composant_id == composant_id,
            Abonnement.etablissement_id == school,
            Abonnement.collectivite_id == owner,
            Abonnement.id != (item.id or 0),
        )
        if session.scalars(same).first() is not None:
            field = "etablissement" if school else "collectivite"
            raise RuleViolationError("Cet abonnement existe déjà : modifiez ses dates.", field=field)
        # the columns too: what is journalled is read of them
        item.composant_id, item.etablissement_id, item.collectivite_id = composant_id, school, owner
    saisies.save(session, item, acteur)


def remove_abonnement(session: Session, item: Abonnement, *, acteur: Actor) -> None:
    """Remove a subscription; what schools switched on stays on until they switch it off."""
    kept = ("composant_id", "etablissement_id", "collectivite_id", "debut", "fin")
    saisies.remove(session, item, acteur, kept=kept)
