"""Reads about people who may be one: the pairs of a perimeter, what is compared, who may merge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models import (
    Attribution,
    Compte,
    Doublon,
    Etablissement,
    Fusion,
    Identifiant,
    Personne,
    Rattachement,
)

COUNT_CAP = 10_000
A_TRAITER = ("propose", "demande")
OUTSIDE = {"hors_perimetre": True}


def _here(etablissement_id: int | None, *columns: Any) -> list[ColumnElement[bool]]:
    """Return «one of these people is, or was, in the school»."""
    if etablissement_id is None:
        return []
    places = select(Rattachement.personne_id).where(Rattachement.etablissement_id == etablissement_id)
    return [or_(*[column.in_(places) for column in columns])]


def pairs(etablissement_id: int | None, etats: Sequence[str]) -> Select[tuple[Doublon]]:
    """Return the pairs in these states, those asked for first, then the newest."""
    return (
        select(Doublon)
        .where(
            Doublon.etat.in_(etats),
            *_here(etablissement_id, Doublon.personne_a_id, Doublon.personne_b_id),
        )
        .options(joinedload(Doublon.personne_a), joinedload(Doublon.personne_b))
        .order_by(Doublon.id.desc())
    )


def page(session: Session, statement: Select[Any], avant: int | None, taille: int) -> Sequence[Any]:
    """Return one more row than a page, from below an id."""
    entity = statement.column_descriptions[0]["entity"]
    if avant:
        statement = statement.where(entity.id < avant)
    return session.scalars(statement.limit(taille + 1)).all()


def count(session: Session, etablissement_id: int | None, etats: Sequence[str]) -> int:
    """Count the pairs in these states, no further than the cap."""
    statement = select(Doublon.id).where(
        Doublon.etat.in_(etats), *_here(etablissement_id, Doublon.personne_a_id, Doublon.personne_b_id)
    )
    capped = statement.limit(COUNT_CAP + 1).subquery()
    return int(session.scalar(select(func.count()).select_from(capped)) or 0)


def merges(etablissement_id: int | None) -> Select[tuple[Fusion]]:
    """Return the merges that may still be undone, the newest first."""
    return (
        select(Fusion)
        .where(*_here(etablissement_id, Fusion.personne_id))
        .options(joinedload(Fusion.personne))
        .order_by(Fusion.id.desc())
    )


def pair(session: Session, pk: int, etablissement_id: int | None) -> Doublon | None:
    """Return a pair of the perimeter, of one school when it is given."""
    return session.scalars(
        select(Doublon)
        .where(Doublon.id == pk, *_here(etablissement_id, Doublon.personne_a_id, Doublon.personne_b_id))
        .options(joinedload(Doublon.personne_a), joinedload(Doublon.personne_b))
        .execution_options(populate_existing=True)
    ).first()


def merge(session: Session, pk: int) -> Fusion | None:
    """Return a merge of the perimeter."""
    return session.scalars(select(Fusion).where(Fusion.id == pk).options(joinedload(Fusion.personne))).first()


@dataclass(frozen=True)
class Cote:
    """What is known of one of the two besides their fields."""

    personne: Personne
    compte: Compte | None
    places: Sequence[Row[Any]]
    identifiants: Sequence[Row[Any]]


def sides(session: Session, found: Doublon) -> tuple[Cote, Cote]:
    """Return both people with their accounts, places and identifiers."""
    ids = (found.personne_a_id, found.personne_b_id)
    accounts = {
        row.personne_id: row
        for row in session.scalars(
            select(Compte).where(Compte.personne_id.in_(ids), Compte.supprime_le.is_(None))
        )
    }
    places = session.execute(
        select(
            Rattachement.personne_id,
            Rattachement.profil,
            Rattachement.fin,
            Etablissement.nom,
            Etablissement.uai,
        )
        .join(Etablissement, Etablissement.id == Rattachement.etablissement_id)
        .where(Rattachement.personne_id.in_(ids))
        .order_by(Rattachement.fin.is_not(None), Etablissement.nom)
    ).all()
    keys = session.execute(
        select(Identifiant.personne_id, Identifiant.type, Identifiant.portee, Identifiant.valeur)
        .where(Identifiant.personne_id.in_(ids))
        .order_by(Identifiant.type, Identifiant.valeur)
    ).all()
    one, other = (
        Cote(
            person,
            accounts.get(person.id),
            [row for row in places if row.personne_id == person.id],
            [row for row in keys if row.personne_id == person.id],
        )
        for person in (found.personne_a, found.personne_b)
    )
    return one, other


def within(session: Session, ids: Sequence[int]) -> bool:
    """Tell whether everything these people are somewhere is in the perimeter: places, and rights held."""
    places = select(func.count(Rattachement.id)).where(Rattachement.personne_id.in_(ids))
    rights = (
        select(func.count(Attribution.id))
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(
            Compte.personne_id.in_(ids),
            or_(
                Attribution.academie_id.is_not(None),
                Attribution.collectivite_id.is_not(None),
                Attribution.etablissement_id.is_not(None),
                Attribution.role == "assistant_n2",
            ),
        )
    )
    return all(
        session.scalar(read) == session.scalar(read, execution_options=OUTSIDE) for read in (places, rights)
    )


def where(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the schools of the perimeter each person is or was in."""
    rows = session.execute(
        select(Rattachement.personne_id, Etablissement.nom)
        .join(Etablissement, and_(Etablissement.id == Rattachement.etablissement_id))
        .where(Rattachement.personne_id.in_(ids))
        .order_by(Rattachement.fin.is_not(None), Etablissement.nom)
    )
    found: dict[int, list[str]] = {}
    for pk, nom in rows:
        if nom not in found.setdefault(pk, []):
            found[pk].append(nom)
    return found
