"""Reads around the services of a school: states for the tree, people concerned, what changed last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.extensions import now
from app.models import (
    PROFILS,
    DroitService,
    EtatService,
    GestionnaireService,
    Personne,
    Rattachement,
    RoleService,
    Service,
)
from app.queries.droits import OUTSIDE, living
from app.queries.noms import search_key

CATEGORIES = {
    "communication": "Communication",
    "pedagogie": "Pédagogie",
    "vie_scolaire": "Vie scolaire",
    "ressources": "Ressources",
}
NATURES = {"initial": "Initial", "optionnel": "Optionnel"}
LAST_CHANGES = 5
BITS = {profil: 1 << rank for rank, profil in enumerate(PROFILS)}


@dataclass(frozen=True)
class Mouvement:
    """A right that was given or taken."""

    service: str
    role: str
    profil: str
    accorde: bool
    quand: datetime
    par: str


@dataclass(frozen=True)
class Ecriture:
    """Who wrote a cell, and when."""

    par: str
    quand: datetime


def combinations(session: Session, etablissement_id: int) -> dict[tuple[str, ...], int]:
    """Return how many people who may have rights in a school hold each set of profiles there.

    Whoever is a teacher and a parent counts once, under both: what a change does to people is exact.
    """
    moment = now()
    held = (
        select(func.sum(case(BITS, value=Rattachement.profil)).label("masque"))
        .join(Personne, Personne.id == Rattachement.personne_id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            or_(Rattachement.fin.is_(None), Rattachement.fin > moment),
            *living(moment),
        )
        .group_by(Rattachement.personne_id)
        .subquery()
    )
    rows = session.execute(select(held.c.masque, func.count()).group_by(held.c.masque))
    return {tuple(p for p in PROFILS if BITS[p] & int(mask)): count for mask, count in rows}


def people_of(counts: dict[tuple[str, ...], int], profils: Iterable[str]) -> int:
    """Return how many people hold at least one of these profiles."""
    wanted = set(profils)
    return sum(count for held, count in counts.items() if wanted.intersection(held))


def last_changes(
    session: Session, etablissement_id: int, services: Sequence[int], *, limit: int = LAST_CHANGES
) -> list[Mouvement]:
    """Return the last rights given or taken in a school, in these services."""
    statement = (
        select(
            *(Service.nom, RoleService.nom, DroitService.profil, DroitService.accorde),
            *(DroitService.debut, DroitService.par),
        )
        .join(RoleService, RoleService.id == DroitService.role_id)
        .join(Service, Service.id == RoleService.service_id)
        .where(DroitService.etablissement_id == etablissement_id, Service.id.in_(services))
        .order_by(DroitService.debut.desc(), DroitService.id.desc())
        .limit(limit)
    )
    return [Mouvement(*row) for row in session.execute(statement)]


def writers(session: Session, etablissement_id: int, cells: Sequence[tuple[int, str]]) -> dict[str, Ecriture]:
    """Return who last wrote each of these cells of a school, and when, by the name of the cell in a form."""
    wanted = {role_id for role_id, _profil in cells}
    rows = session.execute(
        select(DroitService.role_id, DroitService.profil, DroitService.par, DroitService.debut).where(
            DroitService.etablissement_id == etablissement_id,
            DroitService.fin.is_(None),
            DroitService.role_id.in_(sorted(wanted)),
        )
    )
    return {f"{role_id}.{profil}": Ecriture(par, debut) for role_id, profil, par, debut in rows}


def version_of(session: Session, etablissement_id: int, service_id: int) -> int:
    """Return a number that grows with each change a school makes to a service: rights and state."""
    rights = (
        select(func.count(DroitService.id))
        .join(RoleService, RoleService.id == DroitService.role_id)
        .where(DroitService.etablissement_id == etablissement_id, RoleService.service_id == service_id)
    )
    states = select(func.count(EtatService.id)).where(
        EtatService.etablissement_id == etablissement_id, EtatService.service_id == service_id
    )
    counted = select(rights.scalar_subquery() + states.scalar_subquery())
    return int(session.scalar(counted, execution_options=OUTSIDE) or 0)


def managers(session: Session, etablissement_id: int, service_id: int) -> list[GestionnaireService]:
    """Return who was designated to take over the contents of a service, the last one first."""
    return list(
        session.scalars(
            select(GestionnaireService)
            .where(
                GestionnaireService.etablissement_id == etablissement_id,
                GestionnaireService.service_id == service_id,
            )
            .options(joinedload(GestionnaireService.personne))
            .order_by(GestionnaireService.debut.desc())
            .limit(20)
        )
    )


def candidates(
    session: Session, etablissement_id: int, profil: str, typed: str, *, limit: int = 20
) -> list[tuple[int, str]]:
    """Return people of a profile whose name starts with what was typed, who may have rights in a school."""
    moment = now()
    statement = (
        select(Personne)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil == profil,
            Rattachement.fin.is_(None),
            Rattachement.cle.startswith(search_key(typed), autoescape=True),
            *living(moment),
        )
        .order_by(Rattachement.cle, Personne.id)
        .limit(limit)
    )
    return [
        (one.id, f"{one}{f' – {one.date_naissance:%d/%m/%Y}' if one.date_naissance else ''}")
        for one in session.scalars(statement)
    ]
