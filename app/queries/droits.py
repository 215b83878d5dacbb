"""Who has which role in which service of a school: one decision, read by pages, programs and services.

The grid a page draws and the answer a service gets come from the same ``Case`` and the same ``Decision``.
What is asked is a school the caller has checked: these reads leave the perimeter aside, for a pupil's
rights depend on rows a pupil does not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CompoundSelect, Select, and_, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.extensions import PARIS, now
from app.models import (
    PROFILS,
    CelluleService,
    DroitService,
    Etablissement,
    EtatService,
    Personne,
    Rattachement,
    RoleService,
    Service,
    ServiceCollectivite,
)

OUTSIDE = {"hors_perimetre": True}
PROFIL_LABELS = {
    "eleve": "Élèves",
    "enseignant": "Enseignants",
    "personnel": "Personnels",
    "responsable": "Parents",
    "invite": "Autres (invités)",
}
"""What the rows of a grid are called."""


class Regle(StrEnum):
    """Which rule decides of a right, the first that applies."""

    INDISPONIBLE = "indisponible"
    INACTIF = "inactif"
    FIXE = "fixe"
    ETABLISSEMENT = "etablissement"
    DEFAUT = "defaut"
    HORS_CATALOGUE = "hors_catalogue"


@dataclass(frozen=True, slots=True)
class Case:
    """A cell of the grid: what it says, whether the school may change it, who said it."""

    role_id: int
    profil: str
    coche: bool
    defaut: bool
    fixe: bool = False
    raison: str = ""
    propre: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a right is in effect, and by which rule."""

    accorde: bool
    regle: Regle


@dataclass(slots=True)
class RoleIci:
    """A role of a service, with the cell of each profile."""

    id: int
    code: str
    nom: str
    cases: dict[str, Case] = field(default_factory=dict)

    def case(self, profil: str) -> Case:
        """Return the cell of a profile; one the catalogue does not know is greyed and empty."""
        return self.cases.get(profil) or Case(
            self.id, profil, coche=False, defaut=False, fixe=True, raison="Ce droit n’est pas au catalogue."
        )


@dataclass(slots=True)
class ServiceIci:
    """A service as it stands in a school."""

    id: int
    code: str
    nom: str
    categorie: str
    nature: str
    forme: str
    description: str
    disponible: bool
    actif: bool
    depuis: datetime | None
    reglages: list[dict[str, Any]]
    reprise_contenus: bool
    peuple_par_groupes: bool
    export: str = ""
    roles: list[RoleIci] = field(default_factory=list)

    def role(self, code: str) -> RoleIci | None:
        """Return one of its roles by code."""
        return next((role for role in self.roles if role.code == code), None)

    def decision(self, role: RoleIci, profil: str) -> Decision:
        """Tell whether a profile has a role here and now: the one place this is decided."""
        if not self.disponible:
            return Decision(False, Regle.INDISPONIBLE)
        if not self.actif:
            return Decision(False, Regle.INACTIF)
        case = role.cases.get(profil)
        if case is None:
            return Decision(False, Regle.HORS_CATALOGUE)
        rule = Regle.FIXE if case.fixe else Regle.ETABLISSEMENT if case.propre else Regle.DEFAUT
        return Decision(case.coche, rule)


def services_of(
    session: Session,
    etablissement_id: int,
    *,
    at: datetime | None = None,
    categorie: str | None = None,
    service: str | None = None,
    unavailable: bool = False,
    cells: bool = True,
) -> list[ServiceIci]:
    """Return the services offered to a school, by category and order, with every cell.

    ``at``: as they were at an instant. ``unavailable``: those not offered to it too. Two statements,
    one without ``cells``.
    """
    found = {
        row.id: ServiceIci(
            *(row.id, row.code, row.nom, row.categorie, row.nature, row.forme, row.description),
            disponible=row.offert,
            actif=row.nature == "initial" if row.actif is None else row.actif,
            depuis=row.debut,
            reglages=row.reglages,
            reprise_contenus=row.reprise_contenus,
            peuple_par_groupes=row.peuple_par_groupes,
            export=row.export,
        )
        for row in session.execute(
            _services(etablissement_id, at, categorie, service), execution_options=OUTSIDE
        )
        if row.offert or unavailable
    }
    if found and cells:
        _fill(found, session.execute(_cells(etablissement_id, found, at), execution_options=OUTSIDE))
    return list(found.values())


def roles_of_profile(
    session: Session,
    etablissement_id: int,
    profil: str,
    *,
    at: datetime | None = None,
    service: str | None = None,
) -> dict[str, frozenset[str]]:
    """Return what a profile may be in a school: service → roles in effect, services without any left out."""
    return _roles(services_of(session, etablissement_id, at=at, service=service), (profil,))


def roles_of_person(
    session: Session,
    personne_id: int,
    etablissement_id: int,
    *,
    at: datetime | None = None,
    service: str | None = None,
) -> dict[str, frozenset[str]]:
    """Return what somebody may be in a school, by the profiles they hold there.

    Nobody suspended, deleted or gone has any.
    """
    profils = profils_of(session, personne_id, etablissement_id, at=at)
    if not profils:
        return {}
    return _roles(services_of(session, etablissement_id, at=at, service=service), profils)


def has_role(session: Session, personne_id: int, etablissement_id: int, service: str, role: str) -> bool:
    """Tell whether somebody has a role in a service of a school, now."""
    held = roles_of_person(session, personne_id, etablissement_id, service=service)
    return role in held.get(service, ())


def profils_of(
    session: Session, personne_id: int, etablissement_id: int, *, at: datetime | None = None
) -> tuple[str, ...]:
    """Return the profiles somebody holds in a school; none when they are suspended, deleted or gone."""
    moment = at or now()
    statement = (
        select(Rattachement.profil)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .where(
            Rattachement.personne_id == personne_id,
            Rattachement.etablissement_id == etablissement_id,
            or_(Rattachement.fin.is_(None), Rattachement.fin > moment),
            *living(moment),
        )
    )
    return tuple(session.scalars(statement, execution_options=OUTSIDE))


def living(moment: datetime) -> tuple[Any, ...]:
    """Return the conditions an attachment joined to its person gives rights at an instant."""
    day = moment.astimezone(PARIS).date()
    return (
        or_(Rattachement.debut.is_(None), Rattachement.debut <= day),
        or_(Rattachement.dernier_jour.is_(None), Rattachement.dernier_jour >= day),
        *(
            or_(column.is_(None), column > moment)
            for column in (Personne.suspendu_le, Personne.supprime_le, Personne.anonymise_le)
        ),
    )


def _roles(services: Sequence[ServiceIci], profils: Sequence[str]) -> dict[str, frozenset[str]]:
    held = {
        one.code: frozenset(
            role.code for role in one.roles if any(one.decision(role, profil).accorde for profil in profils)
        )
        for one in services
    }
    return {code: roles for code, roles in held.items() if roles}


def _holds(table: Any, at: datetime | None) -> Any:
    """Return the condition a row with ``debut`` and ``fin`` holds, now or at an instant."""
    if at is None:
        return table.fin.is_(None)
    return and_(table.debut <= at, or_(table.fin.is_(None), table.fin > at))


def offered(etablissement_id: Any, at: datetime | None = None) -> Any:
    """Return the condition a service is offered to a school, by its collectivité or to every one."""
    here = select(Etablissement.collectivite_id).where(Etablissement.id == etablissement_id)
    return (
        select(ServiceCollectivite.id)
        .where(
            ServiceCollectivite.service_id == Service.id,
            _holds(ServiceCollectivite, at),
            or_(
                ServiceCollectivite.collectivite_id.is_(None),
                ServiceCollectivite.collectivite_id == here.scalar_subquery(),
            ),
        )
        .exists()
    )


def _services(
    etablissement_id: int, at: datetime | None, categorie: str | None, service: str | None
) -> Select[Any]:
    state = and_(
        EtatService.service_id == Service.id,
        EtatService.etablissement_id == etablissement_id,
        _holds(EtatService, at),
    )
    statement = (
        select(
            *(Service.id, Service.code, Service.nom, Service.categorie, Service.nature, Service.forme),
            *(Service.description, Service.reglages, Service.reprise_contenus, Service.peuple_par_groupes),
            Service.export,
            *(offered(etablissement_id, at).label("offert"), EtatService.actif, EtatService.debut),
        )
        .join(EtatService, state, isouter=True)
        .where(_kept(Service, at))
        .order_by(Service.ordre, Service.id)
    )
    if categorie is not None:
        statement = statement.where(Service.categorie == categorie)
    return statement if service is None else statement.where(Service.code == service)


def _kept(table: Any, at: datetime | None) -> Any:
    """Return the condition a row of the catalogue is not withdrawn."""
    return table.retire_le.is_(None) if at is None else or_(table.retire_le.is_(None), table.retire_le > at)


def _cells(etablissement_id: int, services: Mapping[int, Any], at: datetime | None) -> CompoundSelect[Any]:
    """Return what the school said, then the cells of the catalogue, in one statement.

    Joined, the two would be read once for each other by a planner that has not counted them yet.
    """
    said = select(
        *(literal(0).label("genre"), literal(0).label("service_id"), DroitService.role_id.label("role_id")),
        *(literal("").label("code"), literal("").label("nom"), literal(0).label("ordre")),
        *(DroitService.profil.label("profil"), DroitService.accorde.label("valeur")),
        *(literal(False).label("fixe"), literal("").label("raison")),
    ).where(DroitService.etablissement_id == etablissement_id, _holds(DroitService, at))
    cell = and_(CelluleService.role_id == RoleService.id, _holds(CelluleService, at))
    catalogue = (
        select(
            *(literal(1), RoleService.service_id, RoleService.id, RoleService.code, RoleService.nom),
            *(RoleService.ordre, CelluleService.profil, CelluleService.defaut),
            *(CelluleService.fixe, CelluleService.raison),
        )
        .join(CelluleService, cell, isouter=True)
        .where(RoleService.service_id.in_(sorted(services)), _kept(RoleService, at))
    )
    return union_all(said, catalogue).order_by("genre", "service_id", "ordre", "role_id")


def _fill(services: Mapping[int, ServiceIci], rows: Any) -> None:
    own: dict[tuple[int, str], bool] = {}
    for kind, service_id, role_id, code, nom, _ordre, profil, valeur, fixe, raison in rows:
        if kind == 0:
            own[role_id, profil] = valeur
            continue
        roles = services[service_id].roles
        if not roles or roles[-1].id != role_id:
            roles.append(RoleIci(role_id, code, nom))
        if profil is None:
            continue
        said = None if fixe else own.get((role_id, profil))
        coche = valeur if said is None else said
        roles[-1].cases[profil] = Case(role_id, profil, coche, valeur, fixe, raison, said is not None)


def cases_of(services: Sequence[ServiceIci]) -> Iterator[tuple[ServiceIci, RoleIci, Case]]:
    """Yield every cell of every service, by profile in the order of the profiles."""
    for service in services:
        for role in service.roles:
            for profil in PROFILS:
                yield service, role, role.case(profil)
