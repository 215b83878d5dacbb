"""Reads about people: searches by what is typed, the sheet, who is related to whom.

Every statement goes through the ORM, so the perimeter wall applies to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Compte,
    Division,
    FonctionExercee,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    Responsabilite,
    ServiceEnseigne,
    VerrouPersonne,
)

PROFIL_LABELS = {
    "eleve": "Élève",
    "enseignant": "Enseignant",
    "personnel": "Personnel",
    "responsable": "Parent ou responsable",
    "invite": "Invité",
}
IDENTIFIANT_LABELS = {
    "ine": "INE",
    "eleve_id": "Numéro SIECLE de l’élève",
    "jointure": "Clé de jointure AAF",
    "id_prv": "Numéro interne de l’établissement",
    "personne_id": "Numéro SIECLE du responsable",
    "sts": "Numéro STS",
}
PARENTE_LABELS = {
    "10": "Mère",
    "20": "Père",
    "37": "Fratrie",
    "38": "Ascendant",
    "39": "Autre membre de la famille",
    "41": "Assistant familial",
    "42": "Garde d’enfant",
    "50": "Tuteur",
    "51": "Aide sociale à l’enfance",
    "70": "L’élève lui-même",
    "90": "Autre lien",
}
NIVEAU_LABELS = {1: "Représentant légal", 2: "Personne en charge", 3: "Contact"}


def guardians(session: Session, eleve_id: int) -> Sequence[Responsabilite]:
    """Return who is responsible for a pupil, legal representatives first."""
    statement = (
        select(Responsabilite)
        .join(Responsabilite.responsable)
        .where(Responsabilite.eleve_id == eleve_id)
        .options(joinedload(Responsabilite.responsable))
        .order_by(Responsabilite.niveau, Personne.nom_recherche)
    )
    return session.scalars(statement).all()


def children(session: Session, responsable_id: int) -> Sequence[Responsabilite]:
    """Return the pupils a person is responsible for."""
    statement = (
        select(Responsabilite)
        .join(Responsabilite.eleve)
        .where(Responsabilite.responsable_id == responsable_id)
        .options(joinedload(Responsabilite.eleve))
        .order_by(Personne.nom_recherche)
    )
    return session.scalars(statement).all()


def attachments(session: Session, personne_id: int) -> Sequence[Rattachement]:
    """Return the places of a person in the schools of the perimeter, present ones first."""
    return session.scalars(
        select(Rattachement)
        .where(Rattachement.personne_id == personne_id)
        .options(
            joinedload(Rattachement.etablissement),
            joinedload(Rattachement.division),
            joinedload(Rattachement.mef),
        )
        .order_by(Rattachement.fin.is_not(None), Rattachement.id)
    ).all()


def functions(session: Session, rattachement_ids: Sequence[int]) -> Sequence[FonctionExercee]:
    """Return the functions held in these attachments."""
    if not rattachement_ids:
        return []
    statement = (
        select(FonctionExercee)
        .where(FonctionExercee.rattachement_id.in_(rattachement_ids))
        .options(joinedload(FonctionExercee.fonction), joinedload(FonctionExercee.discipline))
        .order_by(FonctionExercee.id)
    )
    return session.scalars(statement).all()


def services(session: Session, personne_id: int) -> Sequence[ServiceEnseigne]:
    """Return what a teacher teaches, to whom."""
    statement = (
        select(ServiceEnseigne)
        .where(ServiceEnseigne.personne_id == personne_id)
        .options(
            joinedload(ServiceEnseigne.matiere),
            joinedload(ServiceEnseigne.division),
            joinedload(ServiceEnseigne.groupe),
        )
        .order_by(ServiceEnseigne.id)
        .limit(200)
    )
    return session.scalars(statement).all()


def main_teacher_of(session: Session, personne_id: int) -> Sequence[Division]:
    """Return the divisions a teacher is in charge of («professeur principal»)."""
    statement = (
        select(Division)
        .join(ProfesseurPrincipal, ProfesseurPrincipal.division_id == Division.id)
        .where(ProfesseurPrincipal.personne_id == personne_id)
        .order_by(Division.code)
    )
    return session.scalars(statement).all()


def account_of(session: Session, personne_id: int) -> Compte | None:
    """Return the account a person logs in with, if they have one."""
    return session.scalars(
        select(Compte).where(Compte.personne_id == personne_id, Compte.supprime_le.is_(None))
    ).first()


def last_feed(session: Session, personne_id: int) -> Alimentation | None:
    """Return the newest feed applied to a school the person is in: where their fields come from (U4)."""
    mine = select(Rattachement.etablissement_id).where(Rattachement.personne_id == personne_id)
    statement = (
        select(Alimentation)
        .join(AlimentationEtablissement, AlimentationEtablissement.alimentation_id == Alimentation.id)
        .where(
            AlimentationEtablissement.etablissement_id.in_(mine),
            AlimentationEtablissement.applique_le.is_not(None),
        )
        .order_by(Alimentation.id.desc())
        .limit(1)
    )
    return session.scalars(statement).first()


def locked_fields(session: Session, personne_id: int) -> dict[str, VerrouPersonne]:
    """Return the fields of a person that feeds leave alone, with who edited them and when."""
    rows = session.scalars(select(VerrouPersonne).where(VerrouPersonne.personne_id == personne_id))
    return {row.champ: row for row in rows}


def places_of(session: Session, personne_id: int) -> Sequence[Rattachement]:
    """Return where a person is now: school, profile, division."""
    statement = (
        select(Rattachement)
        .where(Rattachement.personne_id == personne_id, Rattachement.fin.is_(None))
        .options(joinedload(Rattachement.etablissement), joinedload(Rattachement.division))
        .order_by(Rattachement.id)
    )
    return session.scalars(statement).all()
