"""Reads of what a school lends and of who has it when.

The caller has checked the school and the role its actor has there: names of people come from outside
the perimeter, for a teacher does not reach their colleagues' sheets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Compte, Etablissement, Occupation, Personne, Rattachement, Reservation, Ressource
from app.queries import creneaux
from app.queries.curseurs import COUNT_CAP, Tri
from app.queries.droits import living

OUTSIDE = {"hors_perimetre": True}
TENUES = ("demandee", "validee")
"""States of the bookings that hold their resource."""
ETATS = {"demandee": "À valider", "validee": "Acceptée", "refusee": "Refusée", "annulee": "Annulée"}
A_VENIR = Tri((Reservation.debut, Reservation.id))
PASSEES = Tri((Reservation.debut, Reservation.id), descendant=True)
PAR_NOM = Tri((Ressource.nom, Ressource.id))
MOST_VALIDATORS = 50


@dataclass(frozen=True)
class Filtres:
    """What a list of bookings is limited to."""

    etats: tuple[str, ...] = ()
    ressource_id: int | None = None
    personne_id: int | None = None
    du: datetime | None = None
    au: datetime | None = None
    finit_apres: datetime | None = None
    finit_avant: datetime | None = None


def polite(civilite: str | None, prenom: str, nom: str) -> str:
    """Name somebody as a colleague does: «Mme Dupont», «Paul Martin» without a title."""
    title = {"M": "M.", "MME": "Mme", "MLLE": "Mme"}.get((civilite or "").upper().rstrip("."))
    return f"{title} {nom.title() if nom.isupper() else nom}" if title else f"{prenom} {nom}"


def named(row: Any) -> str:
    """Name the person of a row of ``bookings``."""
    return polite(row.civilite, row.prenom, row.nom_usage or row.nom)


def resources(
    etablissement_id: int, q: str = "", categorie: str = "", *, withdrawn: bool = False
) -> Select[Any]:
    """Return the resources of a school, without their photos."""
    statement = select(Ressource).where(Ressource.etablissement_id == etablissement_id)
    if not withdrawn:
        statement = statement.where(Ressource.active)
    if categorie:
        statement = statement.where(Ressource.categorie == categorie)
    for word in q.split()[:5]:
        looked = (Ressource.nom, Ressource.lieu, Ressource.description)
        statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in looked)))
    return statement


def resource(session: Session, etablissement_id: int, pk: int, *, fresh: bool = False) -> Ressource | None:
    """Return a resource of a school, as it is now in the base when ``fresh``."""
    statement = select(Ressource).where(Ressource.id == pk, Ressource.etablissement_id == etablissement_id)
    return session.scalars(statement.execution_options(populate_existing=fresh)).first()


def photo(session: Session, etablissement_id: int, pk: int) -> Row[Any] | None:
    """Return the picture of a resource and its digest."""
    return session.execute(
        select(Ressource.photo, Ressource.photo_empreinte).where(
            Ressource.id == pk,
            Ressource.etablissement_id == etablissement_id,
            Ressource.photo_empreinte.is_not(None),
        )
    ).first()


def categories(session: Session, etablissement_id: int) -> list[str]:
    """Return the categories in use in a school."""
    statement = select(Ressource.categorie).where(Ressource.etablissement_id == etablissement_id)
    return sorted(session.scalars(statement.distinct()))


def held(session: Session, ressource_ids: Sequence[int], debut: datetime, fin: datetime) -> list[Row[Any]]:
    """Return the units held at some moment between two instants, by resource then start."""
    return list(
        session.execute(
            select(
                *(Occupation.ressource_id, Occupation.reservation_id, Occupation.exemplaire),
                *(Occupation.debut, Occupation.fin),
            )
            .where(Occupation.ressource_id.in_(ressource_ids), Occupation.debut < fin, Occupation.fin > debut)
            .order_by(Occupation.ressource_id, Occupation.debut, Occupation.exemplaire)
        )
    )


def bookings(etablissement_id: int | None, filtres: Filtres) -> Select[Any]:
    """Return bookings with what they are about and who asked; every school of a person without one."""
    return (
        select(
            *(Reservation.id, Reservation.ressource_id, Reservation.personne_id, Reservation.nombre),
            *(Reservation.debut, Reservation.fin, Reservation.etat, Reservation.motif, Reservation.serie),
            *(Reservation.demandee_le, Reservation.decidee_le, Reservation.decideur_id, Reservation.reponse),
            *(Ressource.nom.label("ressource"), Ressource.lieu, Ressource.quantite, Ressource.categorie),
            *(Personne.civilite, Personne.prenom, Personne.nom, Personne.nom_usage),
            *(Compte.first_name, Compte.last_name),
            *(Etablissement.uai, Etablissement.nom.label("etablissement")),
        )
        .join(Ressource, Ressource.id == Reservation.ressource_id)
        .join(Personne, Personne.id == Reservation.personne_id)
        .join(Etablissement, Etablissement.id == Reservation.etablissement_id)
        .join(Compte, Compte.id == Reservation.decideur_id, isouter=True)
        .where(*_conditions(etablissement_id, filtres))
        .execution_options(**OUTSIDE)
    )


def _conditions(etablissement_id: int | None, filtres: Filtres) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if etablissement_id is not None:
        found.append(Reservation.etablissement_id == etablissement_id)
    if filtres.etats:
        found.append(Reservation.etat.in_(filtres.etats))
    if filtres.ressource_id is not None:
        found.append(Reservation.ressource_id == filtres.ressource_id)
    if filtres.personne_id is not None:
        found.append(Reservation.personne_id == filtres.personne_id)
    if filtres.du is not None:
        found.append(Reservation.fin > filtres.du)
    if filtres.au is not None:
        found.append(Reservation.debut < filtres.au)
    if filtres.finit_apres is not None:
        found.append(Reservation.fin > filtres.finit_apres)
    if filtres.finit_avant is not None:
        found.append(Reservation.fin <= filtres.finit_avant)
    return found


def between(session: Session, etablissement_id: int, filtres: Filtres) -> Sequence[Row[Any]]:
    """Return the bookings of a few days, in order."""
    return session.execute(
        bookings(etablissement_id, filtres).order_by(Reservation.debut, Reservation.id)
    ).all()


def booking(session: Session, etablissement_id: int | None, pk: int) -> Row[Any] | None:
    """Return one booking with what it is about."""
    return session.execute(bookings(etablissement_id, Filtres()).where(Reservation.id == pk)).first()


def count(session: Session, etablissement_id: int | None, filtres: Filtres) -> int:
    """Count the bookings of a list, no further than the cap of lists."""
    few = select(Reservation.id).where(*_conditions(etablissement_id, filtres)).limit(COUNT_CAP + 1)
    total = select(func.count()).select_from(few.subquery())
    return int(session.scalar(total, execution_options=OUTSIDE) or 0)


def waiting(session: Session, etablissement_id: int) -> int:
    """Count the requests nobody answered, whose time is not past."""
    return int(
        session.scalar(
            select(func.count(Reservation.id)).where(
                Reservation.etablissement_id == etablissement_id,
                Reservation.etat == "demandee",
                Reservation.fin > now(),
            )
        )
        or 0
    )


def of_series(session: Session, serie: str, personne_id: int) -> list[int]:
    """Return the bookings of a series that still hold and are not over."""
    return list(
        session.scalars(
            select(Reservation.id)
            .where(
                Reservation.serie == serie,
                Reservation.personne_id == personne_id,
                Reservation.etat.in_(TENUES),
                Reservation.fin > now(),
            )
            .order_by(Reservation.debut)
        )
    )


def schools_of(session: Session, personne_id: int) -> Sequence[Row[Any]]:
    """Return the schools somebody is attached to now."""
    return session.execute(
        select(Etablissement.id, Etablissement.uai, Etablissement.nom)
        .join(Rattachement, Rattachement.etablissement_id == Etablissement.id)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .where(Rattachement.personne_id == personne_id, Rattachement.fin.is_(None), *living(now()))
        .distinct()
        .order_by(Etablissement.nom, Etablissement.id),
        execution_options=OUTSIDE,
    ).all()


def people_of_profiles(session: Session, etablissement_id: int, profils: Sequence[str]) -> Sequence[Personne]:
    """Return who holds one of these profiles in a school and has an account they use, up to a few."""
    return session.scalars(
        select(Personne)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .join(Compte, Compte.personne_id == Personne.id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil.in_(profils),
            Rattachement.fin.is_(None),
            Compte.active,
            Compte.supprime_le.is_(None),
            *living(now()),
        )
        .distinct()
        .order_by(Personne.id)
        .limit(MOST_VALIDATORS),
        execution_options=OUTSIDE,
    ).all()


def day_bounds(du: date | None, au: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the instants two days of a filter begin and end at."""
    return (
        creneaux.bounds(du)[0] if du else None,
        creneaux.bounds(au)[1] if au else None,
    )
