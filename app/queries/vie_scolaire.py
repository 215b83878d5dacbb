"""What a school knows of one person's own school life: class, teachers, groups, what they teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.models import (
    Division,
    EleveGroupe,
    Etablissement,
    GroupeEnseignement,
    Matiere,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    ServiceEnseigne,
)


@dataclass(frozen=True)
class Place:
    """School life in one school under one profile."""

    etablissement: str
    profil: str
    classe: str
    principaux: Sequence[str]
    enseignants: Sequence[Row[Any]]
    groupes: Sequence[str]
    services: Sequence[Row[Any]]
    charge: Sequence[str]


def places(session: Session, personne_id: int) -> list[Place]:
    """Return the school life of a person, school by school. The session sees everything."""
    rows = session.execute(
        select(Rattachement, Etablissement.nom, Division)
        .join(Etablissement, Etablissement.id == Rattachement.etablissement_id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .where(
            Rattachement.personne_id == personne_id,
            Rattachement.fin.is_(None),
            Rattachement.profil.in_(("eleve", "enseignant", "personnel")),
        )
        .order_by(Etablissement.nom, Rattachement.profil)
    ).all()
    return [_place(session, personne_id, *row) for row in rows]


def _place(
    session: Session, personne_id: int, row: Rattachement, nom: str, division: Division | None
) -> Place:
    pupil = row.profil == "eleve"
    groups = _groups(session, row.id) if pupil else []
    divisions = [row.division_id] if pupil and row.division_id else []
    return Place(
        etablissement=nom,
        profil=row.profil,
        classe=str(division) if pupil and division is not None else "",
        principaux=_mains(session, divisions),
        enseignants=_teachers(session, divisions, [group.id for group in groups]),
        groupes=[str(group) for group in groups],
        services=[] if pupil else _taught(session, personne_id, row.etablissement_id),
        charge=[] if pupil else _in_charge(session, personne_id, row.etablissement_id),
    )


def _groups(session: Session, rattachement_id: int) -> Sequence[GroupeEnseignement]:
    return session.scalars(
        select(GroupeEnseignement)
        .join(EleveGroupe, EleveGroupe.groupe_id == GroupeEnseignement.id)
        .where(EleveGroupe.rattachement_id == rattachement_id)
        .order_by(GroupeEnseignement.code)
    ).all()


def _mains(session: Session, divisions: Sequence[int]) -> list[str]:
    people = session.scalars(
        select(Personne)
        .join(ProfesseurPrincipal, ProfesseurPrincipal.personne_id == Personne.id)
        .where(ProfesseurPrincipal.division_id.in_(divisions))
        .order_by(Personne.nom_recherche)
    )
    return [called(person.civilite, person.nom_courant) for person in people]


def _teachers(session: Session, divisions: Sequence[int], groups: Sequence[int]) -> Sequence[Row[Any]]:
    """Return (subject, title, name) of who teaches the class or one of the groups."""
    return session.execute(
        select(Matiere.libelle.label("matiere"), Personne.civilite, Personne.nom, Personne.nom_usage)
        .select_from(ServiceEnseigne)
        .join(Personne, Personne.id == ServiceEnseigne.personne_id)
        .outerjoin(Matiere, Matiere.id == ServiceEnseigne.matiere_id)
        .where(ServiceEnseigne.division_id.in_(divisions) | ServiceEnseigne.groupe_id.in_(groups))
        .distinct()
        .order_by(Matiere.libelle, Personne.nom)
    ).all()


def _taught(session: Session, personne_id: int, etablissement_id: int) -> Sequence[Row[Any]]:
    """Return (subject, class, group) of what a teacher teaches here."""
    return session.execute(
        select(
            Matiere.libelle.label("matiere"),
            Division.code.label("classe"),
            GroupeEnseignement.code.label("groupe"),
        )
        .select_from(ServiceEnseigne)
        .outerjoin(Matiere, Matiere.id == ServiceEnseigne.matiere_id)
        .outerjoin(Division, Division.id == ServiceEnseigne.division_id)
        .outerjoin(GroupeEnseignement, GroupeEnseignement.id == ServiceEnseigne.groupe_id)
        .where(
            ServiceEnseigne.personne_id == personne_id, ServiceEnseigne.etablissement_id == etablissement_id
        )
        .order_by(Matiere.libelle, Division.code, GroupeEnseignement.code)
    ).all()


def _in_charge(session: Session, personne_id: int, etablissement_id: int) -> list[str]:
    divisions = session.scalars(
        select(Division)
        .join(ProfesseurPrincipal, ProfesseurPrincipal.division_id == Division.id)
        .where(ProfesseurPrincipal.personne_id == personne_id, Division.etablissement_id == etablissement_id)
        .order_by(Division.code)
    )
    return [str(division) for division in divisions]


def called(civilite: str | None, nom: str) -> str:
    """Return how a pupil names a teacher: «Mme MARTIN»."""
    return f"{civilite or ''} {nom.upper()}".strip()
