"""Whether a try reached what a service is set to (R7, R8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.models import EssaiService

LOOKED_AT = 40
FIELD = "sans_essai"
UNTRIED = "Aucun essai n’a encore atteint cette adresse. Testez-la, ou confirmez que vous vous en passez."


def reached(
    session: Session,
    etablissement_id: int,
    service_id: int,
    composant_id: int | None,
    values: Mapping[str, Any],
) -> bool:
    """Tell whether the last try of these very values succeeded."""
    statement = (
        select(EssaiService.valeurs, EssaiService.reussi)
        .where(
            EssaiService.etablissement_id == etablissement_id,
            EssaiService.service_id == service_id,
            EssaiService.composant_id == composant_id,
            EssaiService.fini_le.is_not(None),
        )
        .order_by(EssaiService.demande_le.desc(), EssaiService.id.desc())
        .limit(LOOKED_AT)
    )
    same = (row.reussi for row in session.execute(statement) if row.valeurs == dict(values))
    return bool(next(same, False))


def check(
    session: Session,
    etablissement_id: int,
    service_id: int,
    composant_id: int | None,
    values: Mapping[str, Any],
) -> None:
    """Refuse values no try reached.

    :raises RuleViolationError: on the box to tick to do without.
    """
    if not reached(session, etablissement_id, service_id, composant_id, values):
        raise RuleViolationError(UNTRIED, field=FIELD)
