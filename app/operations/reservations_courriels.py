"""Mails about bookings, queued with the act they tell: asked, answered, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Etablissement, Personne, Reservation, Ressource
from app.operations.deployment import Deployment
from app.operations.messages import send
from app.operations.titulaires import holder_of
from app.queries import creneaux
from app.queries import reservations as reads
from app.queries.droits import services_of

SERVICE, VALIDATEUR = "reservation", "validateur"
OUTSIDE = {"hors_perimetre": True}


def to_validators(
    session: Session,
    item: Ressource,
    personne: Personne,
    made: Sequence[Reservation],
    *,
    deployment: Deployment,
) -> int:
    """Tell those who answer requests in the school that one came; return how many were told."""
    school = _school(session, item.etablissement_id)
    profils = _profiles(session, item.etablissement_id)
    people = reads.people_of_profiles(session, item.etablissement_id, profils) if profils else ()
    told = 0
    for one in people:
        address = holder_of(session, one).address
        if not address or one.id == personne.id:
            continue
        send(
            session,
            "courriels/reservation_demandee.html",
            address,
            deployment,
            cle=f"reservation-{made[0].id}-demande-{one.id}",
            etablissement_id=item.etablissement_id,
            qui=reads.polite(personne.civilite, personne.prenom, personne.nom_courant),
            ressource=item.nom,
            quand=when(made[0]),
            fois=len(made),
            jusqua=f"{creneaux.today(made[-1].debut):%d/%m/%Y}",
            nombre=made[0].nombre,
            motif=made[0].motif,
            ecole=school.nom,
            adresse=f"{deployment.adresse}/etablissements/{school.uai}/reservations/a-valider",
        )
        told += 1
    return told


def decided(session: Session, row: Reservation, *, deployment: Deployment) -> None:
    """Tell the author of a request what was answered."""
    _to_author(session, row, "courriels/reservation_decidee.html", deployment, acceptee=row.etat == "validee")


def withdrawn(session: Session, row: Reservation, *, deployment: Deployment) -> None:
    """Tell the author of a booking that a manager withdrew it."""
    _to_author(session, row, "courriels/reservation_annulee.html", deployment)


def _to_author(
    session: Session, row: Reservation, template: str, deployment: Deployment, **more: Any
) -> None:
    author = session.scalars(
        select(Personne).where(Personne.id == row.personne_id), execution_options=OUTSIDE
    ).one()
    address = holder_of(session, author).address
    if not address:
        return
    school = _school(session, row.etablissement_id)
    nom = session.scalar(
        select(Ressource.nom).where(Ressource.id == row.ressource_id), execution_options=OUTSIDE
    )
    send(
        session,
        template,
        address,
        deployment,
        cle=f"reservation-{row.id}-{row.etat}-{row.version}",
        etablissement_id=row.etablissement_id,
        prenom=author.prenom,
        ressource=nom,
        quand=when(row),
        reponse=row.reponse,
        ecole=school.nom,
        adresse=f"{deployment.adresse}/mon-espace/reservations/",
        **more,
    )


def when(row: Reservation) -> str:
    """Say when a booking is, as a sentence does."""
    start, end = creneaux.local(row.debut), creneaux.local(row.fin)
    day = f"{creneaux.JOURS[start.weekday()]} {start:%d/%m/%Y}"
    if start.date() == end.date():
        return f"{day} de {start:%H:%M} à {end:%H:%M}"
    return f"{day} à {start:%H:%M} jusqu’au {creneaux.JOURS[end.weekday()]} {end:%d/%m/%Y} à {end:%H:%M}"


def _profiles(session: Session, etablissement_id: int) -> list[str]:
    """Return the profiles whose people answer requests in a school."""
    found = services_of(session, etablissement_id, service=SERVICE)
    role = found[0].role(VALIDATEUR) if found else None
    if role is None:
        return []
    return [profil for profil in role.cases if found[0].decision(role, profil).accorde]


def _school(session: Session, etablissement_id: int) -> Etablissement:
    return session.scalars(
        select(Etablissement).where(Etablissement.id == etablissement_id), execution_options=OUTSIDE
    ).one()
