"""How many people a list of a school holds, and how many each choice of its filters would keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from app.models import (
    Compte,
    Discipline,
    Division,
    FonctionExercee,
    Mef,
    Personne,
    Rattachement,
    Responsabilite,
)
from app.queries.gens import STATEMENTS, Criteres, scope


@dataclass(frozen=True)
class Effectif:
    """How many people a list of a school holds, and in which state their accounts are."""

    total: int = 0
    actif: int = 0
    suspendu: int = 0
    sans_email: int = 0

    @property
    def jamais(self) -> int:
        """Return how many never activated their account."""
        return self.total - self.actif - self.suspendu


def headcount(session: Session, criteres: Criteres) -> Effectif:
    """Count a whole list of a school, filters left out."""
    return Effectif(*session.execute(_headcount(criteres)).one())


@lru_cache(maxsize=STATEMENTS)
def _headcount(criteres: Criteres) -> Select[Any]:
    suspended = Personne.suspendu_le.is_not(None)
    return (
        select(
            func.count(),
            func.count().filter(Compte.id.is_not(None), ~suspended),
            func.count().filter(suspended),
            func.count().filter(Personne.email.is_(None)),
        )
        .select_from(Rattachement)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .outerjoin(Compte, and_(Compte.personne_id == Personne.id, Compte.supprime_le.is_(None)))
        .where(*scope(criteres))
    )


def classes_of_list(session: Session, criteres: Criteres) -> Sequence[Row[Any]]:
    """Return (division id, its name, level, people) of the pupils of a school."""
    return session.execute(_classes_of_list(criteres)).all()


@lru_cache(maxsize=STATEMENTS)
def _classes_of_list(criteres: Criteres) -> Select[Any]:
    """Pupils are counted by numbers, a class in a MEF; names come to those few lines afterwards."""
    here = (
        select(Rattachement.division_id, Rattachement.mef_id, func.count().label("personnes"))
        .where(*scope(criteres))
        .group_by(Rattachement.division_id, Rattachement.mef_id)
        .subquery()
    )
    name = func.coalesce(func.nullif(Division.libelle, ""), Division.code)
    return (
        select(Division.id, name.label("classe"), Mef.niveau, func.sum(here.c.personnes))
        .select_from(here)
        .outerjoin(Division, Division.id == here.c.division_id)
        .outerjoin(Mef, Mef.id == here.c.mef_id)
        .group_by(Division.id, Division.libelle, Division.code, Mef.niveau)
        .order_by(name, Mef.niveau)
    )


def classes_of_children(session: Session, criteres: Criteres) -> Sequence[Row[Any]]:
    """Return (division id, its name, adults) of those who answer for the pupils of a school."""
    name = func.coalesce(func.nullif(Division.libelle, ""), Division.code)
    child = aliased(Rattachement)
    here = and_(
        child.personne_id == Responsabilite.eleve_id,
        child.etablissement_id == criteres.etablissement_id,
        child.fin.is_(None),
    )
    return session.execute(
        select(Division.id, name, func.count(Rattachement.personne_id.distinct()))
        .select_from(Rattachement)
        .join(Responsabilite, Responsabilite.responsable_id == Rattachement.personne_id)
        .join(child, here)
        .join(Division, Division.id == child.division_id)
        .where(*scope(criteres))
        .group_by(Division.id, Division.libelle, Division.code)
        .order_by(name)
    ).all()


def disciplines_of_list(session: Session, criteres: Criteres) -> Sequence[Row[Any]]:
    """Return (discipline id, its name, people) of the staff of a school."""
    return session.execute(_disciplines_of_list(criteres)).all()


@lru_cache(maxsize=STATEMENTS)
def _disciplines_of_list(criteres: Criteres) -> Select[Any]:
    return (
        select(Discipline.id, Discipline.libelle, func.count(Rattachement.id.distinct()))
        .select_from(Rattachement)
        .join(FonctionExercee, FonctionExercee.rattachement_id == Rattachement.id)
        .join(Discipline, Discipline.id == FonctionExercee.discipline_id)
        .where(*scope(criteres))
        .group_by(Discipline.id, Discipline.libelle)
        .order_by(Discipline.libelle)
    )
