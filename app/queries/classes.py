"""Classes and timetable groups of a school: how many pupils, who teaches, who is in charge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.models import (
    Division,
    EleveGroupe,
    GroupeDivision,
    GroupeEnseignement,
    Matiere,
    Mef,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    ServiceEnseigne,
)
from app.queries.fiches import label


def divisions(session: Session, etablissement_id: int) -> Sequence[Row[Any]]:
    """Return the classes of a school, with their level and how many pupils they hold."""
    present = and_(
        Rattachement.division_id == Division.id, Rattachement.profil == "eleve", Rattachement.fin.is_(None)
    )
    return session.execute(
        select(
            Division.id,
            Division.code,
            label(Division).label("nom"),
            Division.active,
            func.min(Mef.niveau).label("niveau"),
            func.count(Rattachement.id).label("eleves"),
        )
        .select_from(Division)
        .outerjoin(Rattachement, present)
        .outerjoin(Mef, Mef.id == Rattachement.mef_id)
        .where(Division.etablissement_id == etablissement_id)
        .group_by(Division.id, Division.code, Division.libelle, Division.active)
        .order_by(Division.active.desc(), label(Division), Division.id)
    ).all()


def main_teachers(session: Session, etablissement_id: int) -> dict[int, list[Row[Any]]]:
    """Return the teachers in charge of the classes of a school, by class."""
    rows = session.execute(
        select(ProfesseurPrincipal.division_id, *_name())
        .select_from(ProfesseurPrincipal)
        .join(Division, Division.id == ProfesseurPrincipal.division_id)
        .join(Personne, Personne.id == ProfesseurPrincipal.personne_id)
        .where(Division.etablissement_id == etablissement_id)
        .order_by(Personne.nom_recherche, Personne.id)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.division_id, []).append(row)
    return found


def groups(session: Session, etablissement_id: int, division_id: int | None = None) -> Sequence[Row[Any]]:
    """Return the timetable groups of a school, or of one class, with how many pupils they hold."""
    statement = (
        select(
            GroupeEnseignement.id,
            GroupeEnseignement.code,
            label(GroupeEnseignement).label("nom"),
            GroupeEnseignement.active,
            func.count(Rattachement.id).label("eleves"),
        )
        .select_from(GroupeEnseignement)
        .outerjoin(EleveGroupe, EleveGroupe.groupe_id == GroupeEnseignement.id)
        .outerjoin(
            Rattachement,
            and_(Rattachement.id == EleveGroupe.rattachement_id, Rattachement.fin.is_(None)),
        )
        .where(GroupeEnseignement.etablissement_id == etablissement_id)
        .group_by(
            GroupeEnseignement.id,
            GroupeEnseignement.code,
            GroupeEnseignement.libelle,
            GroupeEnseignement.active,
        )
        .order_by(GroupeEnseignement.active.desc(), label(GroupeEnseignement), GroupeEnseignement.id)
    )
    if division_id is not None:
        made = select(GroupeDivision.groupe_id).where(GroupeDivision.division_id == division_id)
        statement = statement.where(GroupeEnseignement.id.in_(made))
    return session.execute(statement).all()


def division(session: Session, etablissement_id: int, pk: int) -> Division | None:
    """Return a class of the school."""
    statement = select(Division).where(Division.id == pk, Division.etablissement_id == etablissement_id)
    return session.scalars(statement).first()


def group(session: Session, etablissement_id: int, pk: int) -> GroupeEnseignement | None:
    """Return a timetable group of the school."""
    return session.scalars(
        select(GroupeEnseignement).where(
            GroupeEnseignement.id == pk, GroupeEnseignement.etablissement_id == etablissement_id
        )
    ).first()


def pupils(
    session: Session, etablissement_id: int, division_id: int | None = None, groupe_id: int | None = None
) -> Sequence[Row[Any]]:
    """Return the pupils of a class or of a group, in the order of names."""
    statement = (
        select(
            *_name(),
            Personne.date_naissance,
            Personne.login,
            Division.id.label("division_id"),
            label(Division).label("classe"),
            Mef.libelle.label("mef"),
            Mef.niveau,
        )
        .select_from(Rattachement)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .outerjoin(Mef, Mef.id == Rattachement.mef_id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil == "eleve",
            Rattachement.fin.is_(None),
        )
        .order_by(Personne.nom_recherche, Personne.id)
    )
    if division_id is not None:
        statement = statement.where(Rattachement.division_id == division_id)
    if groupe_id is not None:
        members = select(EleveGroupe.rattachement_id).where(EleveGroupe.groupe_id == groupe_id)
        statement = statement.where(Rattachement.id.in_(members))
    return session.execute(statement).all()


def teachers(
    session: Session, etablissement_id: int, division_id: int | None = None, groupe_id: int | None = None
) -> Sequence[Row[Any]]:
    """Return who teaches what to a class or a group; ``principal`` lines say who is in charge."""
    lessons: Select[Any] = (
        select(
            *_name(), Personne.nom_recherche, Matiere.libelle.label("matiere"), literal(0).label("principal")
        )
        .select_from(ServiceEnseigne)
        .join(Personne, Personne.id == ServiceEnseigne.personne_id)
        .outerjoin(Matiere, Matiere.id == ServiceEnseigne.matiere_id)
        .where(ServiceEnseigne.etablissement_id == etablissement_id)
    )
    if groupe_id is not None:
        rows = session.execute(lessons.where(ServiceEnseigne.groupe_id == groupe_id)).all()
    else:
        charge = (
            select(
                *_name(), Personne.nom_recherche, literal("").label("matiere"), literal(1).label("principal")
            )
            .select_from(ProfesseurPrincipal)
            .join(Personne, Personne.id == ProfesseurPrincipal.personne_id)
            .where(ProfesseurPrincipal.division_id == division_id)
        )
        both = union_all(lessons.where(ServiceEnseigne.division_id == division_id), charge)
        rows = session.execute(both).all()
    return sorted(rows, key=lambda row: (row.nom_recherche, row.id, row.principal, row.matiere or ""))


def _name() -> tuple[Any, ...]:
    return Personne.id, Personne.nom, Personne.nom_usage, Personne.prenom
