"""Reads of the pages of models: those one sees, what an application did, which schools may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models import (
    Academie,
    ApplicationModele,
    Collectivite,
    Etablissement,
    EtablissementApplication,
    LigneModele,
    ModeleServices,
)
from app.queries.curseurs import Tri

M, A, R = ModeleServices, ApplicationModele, EtablissementApplication
ORDERS = {
    "nom": lambda down: Tri((func.lower(M.nom), M.id), down),
    "modifie": lambda down: Tri((M.modifie_le, M.id), down),
}
BY_SCHOOL = Tri((Etablissement.nom_recherche, Etablissement.id))


def listed(typed: str = "", portee: str = "") -> Select[Any]:
    """Return the models one sees, with how much each sets."""
    counted = (
        select(func.count())
        .where(LigneModele.modele_id == M.id)
        .correlate(M)
        .scalar_subquery()
        .label("lignes")
    )
    statement = select(
        M.id, M.nom, M.description, M.portee, M.auteur, M.modifie_le, M.modifie_par, M.compte_id,
        M.academie_id, Academie.nom.label("academie"), counted,
    ).outerjoin(Academie, Academie.id == M.academie_id)  # fmt: skip
    for word in typed.split()[:6]:
        statement = statement.where(
            or_(M.nom.icontains(word, autoescape=True), M.description.icontains(word, autoescape=True))
        )
    return statement.where(M.portee == portee) if portee else statement


def model(session: Session, pk: int) -> ModeleServices | None:
    """Return a model one sees, with its lines."""
    statement = select(M).where(M.id == pk).options(selectinload(M.lignes), joinedload(M.academie)).limit(1)
    return session.scalars(statement).first()


def facets(session: Session) -> Sequence[Row[Any]]:
    """Return type, collectivité and its name of the open schools of the perimeter, each once."""
    e = Etablissement
    statement = (
        select(e.type, e.collectivite_id, Collectivite.nom)
        .outerjoin(Collectivite, Collectivite.id == e.collectivite_id)
        .where(e.etat == "ouvert")
        .distinct()
    )
    return session.execute(statement).all()


def applications(session: Session, *, before: int | None, limit: int) -> Sequence[ApplicationModele]:
    """Return the applications that were started, newest first."""
    statement = select(A).where(A.confirme_le.is_not(None)).options(joinedload(A.tache))
    if before is not None:
        statement = statement.where(A.id < before)
    return session.scalars(statement.order_by(A.id.desc()).limit(limit)).all()


def application(session: Session, pk: int) -> ApplicationModele | None:
    """Return an application one sees, as it stands."""
    statement = select(A).where(A.id == pk).options(joinedload(A.tache))
    return session.scalars(statement, execution_options={"populate_existing": True}).first()


def application_of(session: Session, pk: int, compte_id: int | None, acteur: str) -> ApplicationModele | None:
    """Return an application that this actor asked for, whatever they see now."""
    if compte_id is None:
        return None
    statement = select(A).where(A.id == pk, A.compte_id == compte_id, A.acteur == acteur[:160])
    options = {"hors_perimetre": True, "populate_existing": True}
    return session.scalars(statement.options(joinedload(A.tache)), execution_options=options).first()


def open_schools(uai: str = "") -> Select[Any]:
    """Return the open schools of the perimeter, one alone if it is named."""
    statement = select(Etablissement.id).where(Etablissement.etat == "ouvert")
    return statement.where(Etablissement.uai == uai) if uai else statement


def undone_by(session: Session, application_id: int) -> int | None:
    """Return the confirmed act that undid this one."""
    statement = select(A.id).where(A.defait_id == application_id, A.confirme_le.is_not(None))
    return session.scalar(statement)


def totals(session: Session, application_id: int) -> Row[Any]:
    """Return, over the schools of an application: changes, refusals, who gains, who loses, and states."""

    def some(etat: str) -> Any:
        return func.count().filter(R.etat == etat).label(etat)

    def total(column: Any) -> Any:
        return func.coalesce(func.sum(column), 0)

    return session.execute(
        select(
            total(R.nombre).label("changements"),
            total(R.refuses).label("refuses"),
            total(R.gagnent).label("gagnent"),
            total(R.perdent).label("perdent"),
            func.count().filter(R.refuses > 0).label("avec_refus"),
            *map(some, ("attente", "fait", "refus")),
        ).where(R.application_id == application_id)
    ).one()


def schools_of(application_id: int, *, refused: bool = False) -> Select[Any]:
    """Return the schools of an application with what changes, those with a refusal alone if asked."""
    statement = (
        select(
            *(Etablissement.uai, Etablissement.nom, R.etat, R.changements, R.nombre, R.refuses),
            *(R.gagnent, R.perdent, R.raison, R.le),
        )
        .join(Etablissement, Etablissement.id == R.etablissement_id)
        .where(R.application_id == application_id)
    )
    return statement.where(R.refuses > 0) if refused else statement


def report(session: Session, application_id: int) -> Iterator[Row[Any]]:
    """Yield every school of an application, in the order of names."""
    statement = schools_of(application_id).order_by(*BY_SCHOOL.order(backwards=False))
    yield from session.execute(statement.execution_options(yield_per=200))
