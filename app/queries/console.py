"""Reads of the frame: the school of the address, the counts of its tree, what an account remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, func, literal, select, union_all
from sqlalchemy.orm import Session, joinedload

from app.models import (
    PROFILS,
    Division,
    Etablissement,
    EtatService,
    Favori,
    Personne,
    Preference,
    Rattachement,
    Service,
    Visite,
)
from app.queries.droits import offered

_COMPTE: Any = bindparam("compte")
_ETABLISSEMENT: Any = bindparam("etablissement")
_SCHOOL = (
    select(Etablissement, Visite.le, Favori.compte_id)
    .outerjoin(Visite, and_(Visite.etablissement_id == Etablissement.id, Visite.compte_id == _COMPTE))
    .outerjoin(Favori, and_(Favori.etablissement_id == Etablissement.id, Favori.compte_id == _COMPTE))
    .where(Etablissement.uai == bindparam("uai"))
    .options(joinedload(Etablissement.academie), joinedload(Etablissement.collectivite))
)
_DEPARTED = (
    select(func.count())
    .select_from(Rattachement)
    .join(Personne, Personne.id == Rattachement.personne_id)
    .where(
        Rattachement.etablissement_id == _ETABLISSEMENT,
        Rattachement.profil.in_(PROFILS),  # said, so that the index goes on to those who left
        Rattachement.fin.is_not(None),
        Personne.anonymise_le.is_(None),
    )
)
_PEOPLE = (
    select(
        *(Rattachement.profil.label("code"), literal("").label("nom"), literal("").label("categorie")),
        *(literal("").label("forme"), func.count().filter(Rattachement.fin.is_(None)).label("nombre")),
        _DEPARTED.scalar_subquery().label("partis"),
        select(func.count(Division.id))
        .where(Division.etablissement_id == _ETABLISSEMENT, Division.active)
        .scalar_subquery()
        .label("divisions"),
    )
    .where(Rattachement.etablissement_id == _ETABLISSEMENT)
    .group_by(Rattachement.profil)
)
"""Everybody is counted by the index of lists alone; people are only looked at among those who left."""
_ON = case((EtatService.actif.is_(None), Service.nature == "initial"), else_=EtatService.actif)
_SERVICES = (
    select(
        *(Service.code, Service.nom, Service.categorie, Service.forme, case((_ON, 1), else_=0)),
        *(Service.ordre, Service.id),
    )
    .outerjoin(
        EtatService,
        and_(
            EtatService.service_id == Service.id,
            EtatService.etablissement_id == _ETABLISSEMENT,
            EtatService.fin.is_(None),
        ),
    )
    .where(Service.retire_le.is_(None), offered(_ETABLISSEMENT))
)
_TREE = union_all(_PEOPLE, _SERVICES)
_PREFERENCES = select(Preference.cle, Preference.valeur).where(Preference.compte_id == _COMPTE)


def school(
    session: Session, uai: str, compte_id: int | None
) -> tuple[Etablissement, datetime | None, bool] | None:
    """Return a school of the perimeter, when this account last opened it, and whether it is a favourite."""
    row = session.execute(_SCHOOL, {"uai": uai, "compte": compte_id}).first()
    return None if row is None else (row[0], row[1], row[2] is not None)


@dataclass(frozen=True, slots=True)
class ServiceArbre:
    """A service offered to a school, as its tree shows it."""

    code: str
    nom: str
    categorie: str
    forme: str
    actif: bool


@dataclass(frozen=True, slots=True)
class Arbre:
    """What the tree of a school says: figures by name, its services in the order of the catalogue."""

    nombres: Mapping[str, int]
    services: Sequence[ServiceArbre]


def tree(session: Session, etablissement_id: int) -> Arbre:
    """Return what the tree tells, in one statement: people by profile, departures, classes, services."""
    rows = session.execute(_TREE, {"etablissement": etablissement_id}).all()
    people = [row for row in rows if not row.categorie]
    counts: dict[str, int] = {row.code: row.nombre for row in people}
    counts["utilisateurs"] = sum(counts.values())
    counts["suppressions"] = people[0].partis if people else 0
    if people:
        counts["divisions"] = people[0].divisions
    services = sorted((row for row in rows if row.categorie), key=lambda row: (row.partis, row.divisions))
    return Arbre(
        counts,
        [ServiceArbre(row.code, row.nom, row.categorie, row.forme, bool(row.nombre)) for row in services],
    )


def preferences(session: Session, compte_id: int) -> Mapping[str, Any]:
    """Return what an account chose for the look of the console, by key."""
    return {row[0]: row[1] for row in session.execute(_PREFERENCES, {"compte": compte_id})}
