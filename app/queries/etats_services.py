"""What many schools made of the services, read at once: what models are compared with and put on.

``own`` holds what each school says by itself, under one key whatever its kind; the catalogue says the
rest. The number of statements does not depend on how many schools there are, up to ``SLICE``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from app.extensions import PARIS, now
from app.models import (
    PROFILS,
    Abonnement,
    BilanEtablissement,
    CelluleService,
    ComposantEtablissement,
    ComposantService,
    DroitService,
    EssaiService,
    Etablissement,
    EtatService,
    Personne,
    Rattachement,
    ReglageService,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.queries.droits import OUTSIDE, living

SLICE = 2000
EXACT = 50
"""Up to so many schools people are counted one by one; beyond, the figures computed ahead are taken."""
Key = tuple[Any, ...]
"""("etat", service), ("droit", role, profil), ("composant", id), ("reglage", service, composant, field)."""
BITS = {profil: 1 << rank for rank, profil in enumerate(PROFILS)}
FIGURES = ("eleves", "enseignants", "personnels", "responsables", "invites")
Counts = Mapping[tuple[str, ...], int]
"""Set of profiles → how many people hold exactly these in a school."""


@dataclass(slots=True)
class RoleCatalogue:
    """A role with what each profile is given by itself, and whether that is fixed."""

    id: int
    code: str
    nom: str
    cells: dict[str, tuple[bool, bool]] = field(default_factory=dict)


@dataclass(slots=True)
class ServiceCatalogue:
    """A service of the catalogue; ``offert`` is None everywhere, else to which collectivités."""

    id: int
    code: str
    nom: str
    categorie: str
    nature: str
    forme: str
    reglages: list[dict[str, Any]]
    offert: set[int] | None = field(default_factory=set)
    roles: dict[str, RoleCatalogue] = field(default_factory=dict)
    composants: dict[str, ComposantCatalogue] = field(default_factory=dict)

    def offered(self, collectivite_id: int | None) -> bool:
        """Tell whether the schools of a collectivité have it."""
        return self.offert is None or collectivite_id in self.offert


@dataclass(slots=True)
class ComposantCatalogue:
    """A software or a resource of a service."""

    id: int
    code: str
    nom: str
    place: str | None
    reglages: list[dict[str, Any]]
    sur_abonnement: bool = False


Catalogue = Mapping[str, ServiceCatalogue]


@dataclass(slots=True)
class Ecole:
    """A school, and what it says by itself of its services."""

    id: int
    uai: str
    nom: str
    collectivite_id: int | None
    own: dict[Key, Any] = field(default_factory=dict)
    places: dict[tuple[int, str], int] = field(default_factory=dict)
    pks: dict[Key, int] = field(default_factory=dict)
    """The open row of each key it says something of; (service, None or component) for its settings."""
    valeurs: dict[Key, dict[str, Any]] = field(default_factory=dict)
    """(service, None or component) → its settings, whole."""
    protected: set[Key] = field(default_factory=set)
    """Those of its settings that hold a secret."""
    tries: list[tuple[Key, dict[str, Any], bool]] = field(default_factory=list)
    abonnements: set[int] = field(default_factory=set)

    def settings(self, group: Key) -> dict[str, Any]:
        """Return how it set a service or a component."""
        return self.valeurs.get(group, {})

    def reached(self, group: Key, values: Mapping[str, Any]) -> bool:
        """Tell whether the last try of these very values succeeded."""
        return next(
            (ok for where, tried, ok in self.tries if where == group and tried == dict(values)), False
        )

    def subscribed(self, composant_id: int) -> bool:
        """Tell whether it may have a resource one subscribes to."""
        return composant_id in self.abonnements


def catalogue(session: Session) -> dict[str, ServiceCatalogue]:
    """Return the services that are offered to anybody, with their roles, cells and components."""
    by_id: dict[int, ServiceCatalogue] = {}
    for row in session.execute(
        select(Service).where(Service.retire_le.is_(None)).order_by(Service.ordre, Service.id)
    ).scalars():
        by_id[row.id] = ServiceCatalogue(
            row.id, row.code, row.nom, row.categorie, row.nature, row.forme, row.reglages
        )
    for service_id, collectivite_id in session.execute(
        select(ServiceCollectivite.service_id, ServiceCollectivite.collectivite_id).where(
            ServiceCollectivite.fin.is_(None)
        )
    ):
        one = by_id.get(service_id)
        if one is not None and collectivite_id is None:
            one.offert = None
        elif one is not None and one.offert is not None:
            one.offert.add(collectivite_id)
    _fill_roles(session, by_id)
    parts = select(ComposantService).where(ComposantService.retire_le.is_(None))
    for part in session.scalars(parts.order_by(ComposantService.ordre, ComposantService.id)):
        if part.service_id in by_id:
            by_id[part.service_id].composants[part.code] = ComposantCatalogue(
                part.id, part.code, part.nom, part.place, part.reglages, part.sur_abonnement
            )
    return {one.code: one for one in by_id.values()}


def _fill_roles(session: Session, by_id: Mapping[int, ServiceCatalogue]) -> None:
    statement = (
        select(
            *(RoleService.service_id, RoleService.id, RoleService.code, RoleService.nom),
            *(CelluleService.profil, CelluleService.defaut, CelluleService.fixe),
        )
        .join(CelluleService, CelluleService.role_id == RoleService.id)
        .where(RoleService.retire_le.is_(None), CelluleService.fin.is_(None))
        .order_by(RoleService.ordre, RoleService.id)
    )
    for service_id, role_id, code, nom, profil, defaut, fixe in session.execute(statement):
        if service_id in by_id:
            role = by_id[service_id].roles.setdefault(code, RoleCatalogue(role_id, code, nom))
            role.cells[profil] = (defaut, fixe)


def schools(session: Session, clauses: Iterable[Any], limit: int | None = None) -> dict[int, Ecole]:
    """Return the schools of the perimeter that these conditions keep, by name, saying nothing yet."""
    statement = (
        select(Etablissement.id, Etablissement.uai, Etablissement.nom, Etablissement.collectivite_id)
        .where(*clauses)
        .order_by(Etablissement.nom_recherche, Etablissement.id)
        .limit(limit)
    )
    return {row.id: Ecole(*row) for row in session.execute(statement)}


def fill(session: Session, ecoles: Mapping[int, Ecole], wanted: Collection[Key]) -> None:
    """Read what schools, already within the perimeter, say by themselves of these keys."""
    kinds = {key[0] for key in wanted}
    for ids in _slices(ecoles):
        if kinds & {"etat", "droit"}:
            _states(session, ecoles, ids)
        if "droit" in kinds:
            _rights(session, ecoles, ids, sorted({key[1] for key in wanted if key[0] == "droit"}))
        if "composant" in kinds:
            _components(session, ecoles, ids)
            _subscriptions(session, ecoles, ids)
        _settings(session, ecoles, ids)


def _slices(ecoles: Iterable[int]) -> Iterator[Sequence[int]]:
    ids = sorted(ecoles)
    for start in range(0, len(ids), SLICE):
        yield ids[start : start + SLICE]


def _states(session: Session, ecoles: Mapping[int, Ecole], ids: Sequence[int]) -> None:
    e = EtatService
    statement = select(e.id, e.etablissement_id, e.service_id, e.actif).where(
        e.etablissement_id.in_(ids), e.fin.is_(None)
    )
    for pk, school, service, actif in session.execute(statement, execution_options=OUTSIDE):
        ecoles[school].own["etat", service] = actif
        ecoles[school].pks["etat", service] = pk


def _rights(session: Session, ecoles: Mapping[int, Ecole], ids: Sequence[int], roles: Sequence[int]) -> None:
    d = DroitService
    statement = select(d.id, d.etablissement_id, d.role_id, d.profil, d.accorde).where(
        d.etablissement_id.in_(ids), d.role_id.in_(roles), d.fin.is_(None)
    )
    for pk, school, role, profil, accorde in session.execute(statement, execution_options=OUTSIDE):
        one, key = ecoles[school], ("droit", role, profil)
        one.own[key], one.pks[key] = accorde, pk


def _components(session: Session, ecoles: Mapping[int, Ecole], ids: Sequence[int]) -> None:
    c = ComposantEtablissement
    statement = select(c.id, c.etablissement_id, c.composant_id, c.service_id, c.place).where(
        c.etablissement_id.in_(ids), c.fin.is_(None)
    )
    for pk, school, composant, service, place in session.execute(statement, execution_options=OUTSIDE):
        ecoles[school].own["composant", composant] = True
        ecoles[school].pks["composant", composant] = pk
        if place:
            ecoles[school].places[service, place] = composant


def _settings(session: Session, ecoles: Mapping[int, Ecole], ids: Sequence[int]) -> None:
    r, t = ReglageService, EssaiService
    statement = select(r.id, r.etablissement_id, r.service_id, r.composant_id, r.valeurs, r.secrets).where(
        r.etablissement_id.in_(ids)
    )
    for pk, school, service, composant, valeurs, secrets in session.execute(
        statement, execution_options=OUTSIDE
    ):
        one, group = ecoles[school], (service, composant)
        one.pks[group], one.valeurs[group] = pk, valeurs
        if secrets is not None:
            one.protected.add(group)
        for name, value in valeurs.items():
            one.own["reglage", service, composant, name] = value
    tried = (
        select(t.etablissement_id, t.service_id, t.composant_id, t.valeurs, t.reussi)
        .where(t.etablissement_id.in_(ids), t.fini_le.is_not(None))
        .order_by(t.demande_le.desc(), t.id.desc())
    )
    for school, service, composant, valeurs, reussi in session.execute(tried, execution_options=OUTSIDE):
        ecoles[school].tries.append(((service, composant), valeurs, bool(reussi)))


def _subscriptions(session: Session, ecoles: Mapping[int, Ecole], ids: Sequence[int]) -> None:
    a, day = Abonnement, now().astimezone(PARIS).date()
    places: dict[int, list[Ecole]] = {}
    for pk in ids:
        ecoles[pk].abonnements.clear()
        if ecoles[pk].collectivite_id is not None:
            places.setdefault(ecoles[pk].collectivite_id or 0, []).append(ecoles[pk])
    statement = select(a.composant_id, a.etablissement_id, a.collectivite_id).where(
        or_(a.etablissement_id.in_(ids), a.collectivite_id.in_(sorted(places))),
        or_(a.debut.is_(None), a.debut <= day),
        or_(a.fin.is_(None), a.fin >= day),
    )
    for composant, school, place in session.execute(statement, execution_options=OUTSIDE):
        for one in [ecoles[school]] if school is not None else places[place]:
            one.abonnements.add(composant)


def people(session: Session, ids: Sequence[int]) -> dict[int, Counts]:
    """Return, for schools, how many people hold which profiles: who a change of rights touches.

    Exact up to ``EXACT`` schools; beyond, by profile, after the figures computed ahead where there are.
    """
    if len(ids) <= EXACT:
        return _counted(session, ids)
    found: dict[int, Counts] = {}
    b = BilanEtablissement
    for some in _slices(ids):
        columns = [getattr(b, name) for name in FIGURES]
        statement = select(b.etablissement_id, *columns).where(b.etablissement_id.in_(some))
        for school, *counts in session.execute(statement, execution_options=OUTSIDE):
            found[school] = {(profil,): n for profil, n in zip(PROFILS, counts, strict=True)}
    missing = [school for school in ids if school not in found]
    for some in _slices(missing):
        found |= _counted(session, some)
    return found


def _counted(session: Session, ids: Sequence[int]) -> dict[int, Counts]:
    moment = now()
    held = (
        select(Rattachement.etablissement_id, func.sum(case(BITS, value=Rattachement.profil)).label("masque"))
        .join(Personne, Personne.id == Rattachement.personne_id)
        .where(
            Rattachement.etablissement_id.in_(ids),
            or_(Rattachement.fin.is_(None), Rattachement.fin > moment),
            *living(moment),
        )
        .group_by(Rattachement.etablissement_id, Rattachement.personne_id)
        .subquery()
    )
    statement = select(held.c.etablissement_id, held.c.masque, func.count()).group_by(
        held.c.etablissement_id, held.c.masque
    )
    found: dict[int, dict[tuple[str, ...], int]] = {school: {} for school in ids}
    for school, mask, count in session.execute(statement, execution_options=OUTSIDE):
        found[school][tuple(p for p in PROFILS if BITS[p] & int(mask))] = count
    return dict(found)
