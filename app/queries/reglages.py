"""What the settings of a service of a school show: components, values, tries; three statements at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.models import ComposantEtablissement, ComposantService, EssaiService, ReglageService
from app.queries.abonnements import subscriptions
from app.queries.droits import OUTSIDE

TRIES = 60


@dataclass(frozen=True, slots=True)
class ComposantIci:
    """A component of a service as it stands in a school."""

    composant: ComposantService
    actif: bool
    abonne: bool

    @property
    def ouvert(self) -> bool:
        """Tell whether the school may switch it on."""
        return self.abonne or not self.composant.sur_abonnement


@dataclass(slots=True)
class Reglages:
    """How a school set a service and its components: by component id, None for the service itself."""

    composants: list[ComposantIci] = field(default_factory=list)
    rows: dict[int | None, ReglageService] = field(default_factory=dict)
    essais: dict[int | None, list[EssaiService]] = field(default_factory=dict)

    def proven(self, composant_id: int | None, values: Mapping[str, Any]) -> bool:
        """Tell whether the last try of these very values succeeded."""
        done = (one for one in self.essais.get(composant_id, ()) if one.fini_le is not None)
        return bool(next((one.reussi for one in done if one.valeurs == dict(values)), False))


def settings_of(
    session: Session, etablissement_id: int, service_id: int, schema: Sequence[Mapping[str, Any]]
) -> Reglages:
    """Read the settings of a service of a school the caller has checked."""
    found = Reglages(components_of(session, etablissement_id, service_id))
    if not schema and not any(one.composant.reglages for one in found.composants):
        return found
    here = (ReglageService.etablissement_id == etablissement_id, ReglageService.service_id == service_id)
    for row in session.scalars(select(ReglageService).where(*here)):
        found.rows[row.composant_id] = row
    tries = (
        select(EssaiService)
        .where(EssaiService.etablissement_id == etablissement_id, EssaiService.service_id == service_id)
        .order_by(EssaiService.demande_le.desc(), EssaiService.id.desc())
        .limit(TRIES)
    )
    for one in session.scalars(tries):
        found.essais.setdefault(one.composant_id, []).append(one)
    return found


def components_of(session: Session, etablissement_id: int, service_id: int) -> list[ComposantIci]:
    """Return the components of a service offered now, and those withdrawn that are still on."""
    held = and_(
        ComposantEtablissement.composant_id == ComposantService.id,
        ComposantEtablissement.etablissement_id == etablissement_id,
        ComposantEtablissement.fin.is_(None),
    )
    subscribed = ComposantService.id.in_(subscriptions(etablissement_id))
    statement = (
        select(ComposantService, ComposantEtablissement.id, subscribed)
        .join(ComposantEtablissement, held, isouter=True)
        .where(
            ComposantService.service_id == service_id,
            or_(ComposantService.retire_le.is_(None), ComposantEtablissement.id.is_not(None)),
        )
        .order_by(ComposantService.ordre, ComposantService.id)
    )
    return [
        ComposantIci(composant, on is not None, bool(paid))
        for composant, on, paid in session.execute(statement, execution_options=OUTSIDE)
    ]
