"""Reads of a school's sheet: its administrators, its feeds, its figures, who may be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.extensions import now
from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Attribution,
    BilanEtablissement,
    Compte,
    Nomination,
    Personne,
    Rattachement,
    Tache,
)
from app.queries.curseurs import Tri
from app.queries.noms import search_key

LAST_FEEDS = 20
ROLE = "correspondant"
NOMMABLES = ("enseignant", "personnel", "invite")
"""Profiles one may be named administrator under: a teacher, a member of staff or a guest of the school."""


@dataclass(frozen=True)
class Administrateur:
    """One local administrator of a school, as its card shows them."""

    id: int
    compte_id: int
    nom: str
    personne_id: int | None
    profil: str
    depuis: datetime
    jusqua: datetime | None
    par: str
    suspendu: bool


@dataclass(frozen=True)
class Candidat:
    """Somebody of the school who may be named its administrator, and what stands in the way."""

    personne_id: int
    nom: str
    profil: str
    compte: bool
    suspendu: bool
    deja: bool


@dataclass(frozen=True)
class Flux:
    """One feed of a school: applied there, or waiting to be."""

    alimentation: Alimentation
    ligne: AlimentationEtablissement


def administrators(session: Session, etablissement_id: int) -> list[Administrateur]:
    """Return who administers a school now, by name."""
    moment = now()
    rows = session.execute(
        select(Attribution, Compte, Rattachement.profil, Compte.suspendu_le)
        .join(Compte, Compte.id == Attribution.compte_id)
        .outerjoin(
            Rattachement,
            and_(
                Rattachement.personne_id == Compte.personne_id,
                Rattachement.etablissement_id == etablissement_id,
                Rattachement.profil.in_(NOMMABLES),
                Rattachement.fin.is_(None),
            ),
        )
        .where(
            Attribution.etablissement_id == etablissement_id,
            Attribution.role == ROLE,
            Attribution.depuis <= moment,
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
            Compte.supprime_le.is_(None),
        )
        .order_by(Compte.last_name, Compte.first_name, Attribution.id)
    ).all()
    found: dict[int, Administrateur] = {}
    for held, compte, profil, suspended in rows:
        found.setdefault(
            held.id,
            Administrateur(
                held.id,
                compte.id,
                f"{(compte.last_name or '').upper()} {compte.first_name or ''}".strip(),
                compte.personne_id,
                profil or "",
                held.depuis,
                held.jusqua,
                held.accordee_par,
                suspended is not None or not compte.active,
            ),
        )
    return list(found.values())


def promised(session: Session, etablissement_id: int) -> Sequence[Nomination]:
    """Return the rights over a school that wait for somebody to activate their account."""
    statement = (
        select(Nomination)
        .where(Nomination.etablissement_id == etablissement_id, Nomination.role == ROLE)
        .options(joinedload(Nomination.personne))
        .order_by(Nomination.id)
    )
    return session.scalars(statement).all()


def administrator(session: Session, etablissement_id: int, attribution_id: int) -> Attribution | None:
    """Return one grant of the role over this very school."""
    statement = (
        select(Attribution)
        .where(
            Attribution.id == attribution_id,
            Attribution.etablissement_id == etablissement_id,
            Attribution.role == ROLE,
        )
        .options(joinedload(Attribution.compte))
    )
    return session.scalars(statement).first()


def person(session: Session, personne_id: int) -> Personne | None:
    """Return somebody of the perimeter."""
    return session.scalars(select(Personne).where(Personne.id == personne_id)).first()


def grant_of(session: Session, etablissement_id: int, personne_id: int) -> Attribution | None:
    """Return the grant by which somebody administers a school now."""
    moment = now()
    statement = (
        select(Attribution)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(
            Compte.personne_id == personne_id,
            Attribution.etablissement_id == etablissement_id,
            Attribution.role == ROLE,
            Attribution.depuis <= moment,
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
        )
        .options(joinedload(Attribution.compte))
    )
    return session.scalars(statement).first()


def candidates(
    session: Session,
    etablissement_id: int,
    typed: str,
    *,
    role: str = ROLE,
    profils: Sequence[str] = NOMMABLES,
    limit: int = 20,
) -> Sequence[Candidat]:
    """Return who of the school may be named, by the first letters of the name; those ready for it first."""
    key = search_key(typed)
    moment = now()
    held = and_(
        Attribution.compte_id == Compte.id,
        Attribution.etablissement_id == etablissement_id,
        Attribution.role == role,
        or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
    )
    ready = case((and_(Compte.id.is_not(None), Attribution.id.is_(None)), 0), else_=1)
    statement = (
        select(Personne, Rattachement.profil, Compte, Attribution.id)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .outerjoin(Compte, and_(Compte.personne_id == Personne.id, Compte.supprime_le.is_(None)))
        .outerjoin(Attribution, held)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil.in_(profils),
            Rattachement.fin.is_(None),
            Personne.nom_recherche.startswith(key, autoescape=True),
        )
        .order_by(ready, Personne.nom_recherche, Personne.id)
        .limit(limit)
    )
    return [
        Candidat(
            person.id,
            str(person),
            profil,
            compte is not None,
            person.suspendu_le is not None or (compte is not None and not compte.active),
            grant is not None,
        )
        for person, profil, compte, grant in session.execute(statement)
    ]


FEED_ORDER = Tri((AlimentationEtablissement.id,), descendant=True)


def feeds_of(etablissement_id: int) -> Select[Any]:
    """Return the feeds of a school, applied there or waiting for somebody to confirm them."""
    return (
        select(AlimentationEtablissement, Alimentation)
        .join(Alimentation, Alimentation.id == AlimentationEtablissement.alimentation_id)
        .where(
            AlimentationEtablissement.etablissement_id == etablissement_id,
            or_(AlimentationEtablissement.applique_le.is_not(None), Alimentation.etat == "apercu"),
        )
    )


def feeds(session: Session, etablissement_id: int, *, limit: int = LAST_FEEDS) -> list[Flux]:
    """Return the last feeds of a school."""
    statement = feeds_of(etablissement_id).order_by(*FEED_ORDER.order(backwards=False)).limit(limit)
    return [Flux(feed, line) for line, feed in session.execute(statement)]


def figures(session: Session, etablissement_id: int) -> BilanEtablissement | None:
    """Return the figures of a school computed ahead, when they have been."""
    statement = select(BilanEtablissement).where(BilanEtablissement.etablissement_id == etablissement_id)
    return session.scalars(statement).first()


def failed_tasks(session: Session, etablissement_id: int, since: datetime) -> int:
    """Return how many works of a school failed lately."""
    statement = (
        select(func.count())
        .select_from(Tache)
        .where(Tache.etablissement_id == etablissement_id, Tache.etat == "echec", Tache.fin_le >= since)
    )
    return session.execute(statement).scalar_one()
