"""Reads of the pages of a school: its logos, feeds and news, its public page, blocks and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import (
    AdressePage,
    Bloc,
    Breve,
    Compte,
    EditeurPage,
    Etablissement,
    EtatService,
    Flux,
    Image,
    Logo,
    PagePublique,
    Personne,
    Rattachement,
    Service,
    VersionBloc,
)

BREVES = "breves"
"""The service of the catalogue a school switches on to show feeds."""
REDIRIGEE = timedelta(days=180)
"""How long an address that was left leads to the new one, and is kept from others."""
NEWS_SHOWN = 8
RECENT = 5
"""What was taken off lately and is offered back."""


@dataclass(frozen=True, slots=True)
class Accueil:
    """What a school shows its users on their home page."""

    nom: str
    uai: str
    logos: Sequence[Row[Any]]
    breves: Sequence[Row[Any]]
    adresse: str = ""


def logos(session: Session, etablissement_id: int, page: str) -> Sequence[Logo]:
    """Return the logos of a page in their order, with their pictures."""
    return session.scalars(
        select(Logo)
        .where(Logo.etablissement_id == etablissement_id, Logo.page == page, Logo.supprime_le.is_(None))
        .order_by(Logo.rang, Logo.id)
        .options(joinedload(Logo.image))
    ).all()


def taken_off(session: Session, table: Any, *conditions: Any) -> Sequence[Any]:
    """Return the last rows of a table taken off a page: they can be put back."""
    return session.scalars(
        select(table)
        .where(table.supprime_le.is_not(None), *conditions)
        .order_by(table.supprime_le.desc(), table.id.desc())
        .limit(RECENT)
    ).all()


def shown_logos(session: Session, etablissement_ids: Sequence[int], page: str) -> Sequence[Row[Any]]:
    """Return the visible logos of these schools, as pages draw them."""
    return session.execute(
        select(
            Logo.etablissement_id,
            Logo.texte,
            Logo.url,
            Image.empreinte,
            Image.largeur,
            Image.hauteur,
        )
        .join(Image, Image.id == Logo.image_id)
        .where(
            Logo.etablissement_id.in_(etablissement_ids),
            Logo.page == page,
            Logo.visible,
            Logo.supprime_le.is_(None),
        )
        .order_by(Logo.rang, Logo.id)
    ).all()


def feeds_on() -> ColumnElement[bool]:
    """Return the condition «the school of the feed has switched the service on»."""
    return exists(
        select(EtatService.id)
        .join(Service, Service.id == EtatService.service_id)
        .where(
            Service.code == BREVES,
            EtatService.etablissement_id == Flux.etablissement_id,
            EtatService.actif,
            EtatService.fin.is_(None),
        )
    )


def flux_of(session: Session, etablissement_id: int) -> Sequence[tuple[Flux, int]]:
    """Return the feeds of a school in their order, and how many items each holds."""
    held = select(func.count(Breve.id)).where(Breve.flux_id == Flux.id).scalar_subquery()
    rows = session.execute(
        select(Flux, held)
        .where(Flux.etablissement_id == etablissement_id, Flux.supprime_le.is_(None))
        .order_by(Flux.rang, Flux.id)
    ).all()
    return [(row[0], row[1]) for row in rows]


def news(session: Session, etablissement_ids: Sequence[int], limit: int = NEWS_SHOWN) -> Sequence[Row[Any]]:
    """Return the latest items of the feeds of these schools, of those that show them, the newest first."""
    when = func.coalesce(Breve.publiee_le, Flux.lu_le)
    rank = func.row_number().over(
        partition_by=Flux.etablissement_id, order_by=(when.desc(), Flux.rang, Breve.rang)
    )
    ranked = (
        select(
            Flux.etablissement_id,
            Breve.titre,
            Breve.lien,
            Breve.resume,
            Breve.publiee_le,
            Flux.titre.label("source"),
            rank.label("place"),
        )
        .join(Flux, Flux.id == Breve.flux_id)
        .where(Flux.etablissement_id.in_(etablissement_ids), Flux.supprime_le.is_(None), feeds_on())
        .subquery()
    )
    return session.execute(
        select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.etablissement_id, ranked.c.place)
    ).all()


def schools_of(session: Session, personne_id: int) -> list[int]:
    """Return the schools somebody belongs to, whatever their profile."""
    mine = select(Rattachement.etablissement_id).where(
        Rattachement.personne_id == personne_id, Rattachement.fin.is_(None)
    )
    return sorted(set(session.scalars(mine)))


def accueils(session: Session, etablissement_ids: Sequence[int]) -> list[Accueil]:
    """Return what each of these schools shows its users; a school that shows nothing is left out."""
    if not etablissement_ids:
        return []
    shown = shown_logos(session, etablissement_ids, "accueil")
    read = news(session, etablissement_ids)
    schools = session.execute(
        select(Etablissement.id, Etablissement.nom, Etablissement.uai, AdressePage.adresse)
        .outerjoin(
            PagePublique,
            and_(PagePublique.etablissement_id == Etablissement.id, PagePublique.active),
        )
        .outerjoin(
            AdressePage,
            and_(
                AdressePage.etablissement_id == PagePublique.etablissement_id,
                AdressePage.quittee_le.is_(None),
            ),
        )
        .where(Etablissement.id.in_(etablissement_ids))
        .order_by(Etablissement.nom)
    ).all()
    made = [
        Accueil(
            row.nom,
            row.uai,
            [one for one in shown if one.etablissement_id == row.id],
            [one for one in read if one.etablissement_id == row.id],
            row.adresse or "",
        )
        for row in schools
    ]
    return [one for one in made if one.logos or one.breves or one.adresse]


def editeurs(session: Session, etablissement_id: int) -> Sequence[Row[Any]]:
    """Return who may write the public page of a school: since when, by whom, and whether still there."""
    here = exists(
        select(Rattachement.id).where(
            Rattachement.personne_id == Personne.id,
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil.in_(("enseignant", "personnel")),
            Rattachement.fin.is_(None),
        )
    )
    return session.execute(
        select(
            Personne.id,
            Personne.nom,
            Personne.nom_usage,
            Personne.prenom,
            EditeurPage.depuis,
            EditeurPage.accorde_par,
            here.label("present"),
        )
        .join(EditeurPage, EditeurPage.personne_id == Personne.id)
        .where(EditeurPage.etablissement_id == etablissement_id)
        .order_by(Personne.nom_recherche, Personne.id)
    ).all()


def blocs(session: Session, etablissement_id: int) -> Sequence[Bloc]:
    """Return the blocks of a page in their order."""
    return session.scalars(
        select(Bloc)
        .where(Bloc.etablissement_id == etablissement_id, Bloc.supprime_le.is_(None))
        .order_by(Bloc.rang, Bloc.id)
    ).all()


def last_authors(session: Session, bloc_ids: Sequence[int]) -> dict[int, str]:
    """Return who wrote each block last, by name; their accounts may be out of the reader's perimeter."""
    latest = (
        select(VersionBloc.bloc_id, func.max(VersionBloc.numero).label("numero"))
        .where(VersionBloc.bloc_id.in_(bloc_ids))
        .group_by(VersionBloc.bloc_id)
        .subquery()
    )
    rows = session.execute(
        select(VersionBloc.bloc_id, Compte.first_name, Compte.last_name)
        .join(latest, and_(latest.c.bloc_id == VersionBloc.bloc_id, latest.c.numero == VersionBloc.numero))
        .join(Compte, Compte.id == VersionBloc.compte_id),
        execution_options={"hors_perimetre": True},
    )
    return {row[0]: f"{row[1]} {row[2]}".strip() for row in rows}


def versions(session: Session, bloc: Bloc) -> Sequence[Row[Any]]:
    """Return what a block said, the newest first, with who wrote it; the caller has checked the block."""
    return session.execute(
        select(
            VersionBloc.numero,
            VersionBloc.titre,
            VersionBloc.texte,
            VersionBloc.le,
            Compte.first_name,
            Compte.last_name,
        )
        .outerjoin(Compte, Compte.id == VersionBloc.compte_id)
        .where(VersionBloc.bloc_id == bloc.id)
        .order_by(VersionBloc.numero.desc())
        .limit(200),
        execution_options={"hors_perimetre": True},
    ).all()


def media(session: Session, empreinte: str) -> Row[Any] | None:
    """Return a picture by the digest of its content."""
    return session.execute(
        select(Image.type, Image.contenu).where(Image.empreinte == empreinte).limit(1)
    ).first()
