"""The public page of a school, as anybody gets it: statements made once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session, aliased

from app.extensions import now
from app.models import (
    AdressePage,
    Bloc,
    Etablissement,
    EtatService,
    Image,
    Logo,
    PagePublique,
    Service,
    ServiceCollectivite,
    ServicePage,
)
from app.queries.pages import REDIRIGEE

_NOW_AT = aliased(AdressePage)
_PAGE: Select[Any] = (
    select(
        PagePublique.active, PagePublique.modele, PagePublique.entete, PagePublique.accroche,
        PagePublique.revision, Etablissement.id, Etablissement.nom, Etablissement.type,
        Etablissement.adresse, Etablissement.code_postal, Etablissement.commune, Etablissement.telephone,
        Etablissement.email, Etablissement.site_web, AdressePage.quittee_le,
        _NOW_AT.adresse.label("courante"),
    )
    .join(PagePublique, PagePublique.etablissement_id == AdressePage.etablissement_id)
    .join(Etablissement, Etablissement.id == AdressePage.etablissement_id)
    .join(
        _NOW_AT,
        and_(_NOW_AT.etablissement_id == AdressePage.etablissement_id, _NOW_AT.quittee_le.is_(None)),
    )
    .where(AdressePage.adresse == bindparam("adresse"), PagePublique.active)
)  # fmt: skip
_SERVICES: Select[Any] = (
    select(Service.nom, Service.description)
    .join(ServicePage, ServicePage.service_id == Service.id)
    .join(Etablissement, Etablissement.id == ServicePage.etablissement_id)
    .where(
        ServicePage.etablissement_id == bindparam("ecole"),
        Service.retire_le.is_(None),
        or_(
            Service.nature == "initial",
            exists(
                select(EtatService.id).where(
                    EtatService.etablissement_id == ServicePage.etablissement_id,
                    EtatService.service_id == Service.id,
                    EtatService.actif,
                    EtatService.fin.is_(None),
                )
            ),
        ),
        exists(
            select(ServiceCollectivite.id).where(
                ServiceCollectivite.service_id == Service.id,
                ServiceCollectivite.fin.is_(None),
                or_(
                    ServiceCollectivite.collectivite_id.is_(None),
                    ServiceCollectivite.collectivite_id == Etablissement.collectivite_id,
                ),
            )
        ),
    )
    .order_by(Service.ordre, Service.nom)
)
_BLOCS: Select[Any] = (
    select(Bloc.id, Bloc.titre, Bloc.rendu)
    .where(Bloc.etablissement_id == bindparam("ecole"), Bloc.visible, Bloc.supprime_le.is_(None))
    .order_by(Bloc.rang, Bloc.id)
)
_LOGOS: Select[Any] = (
    select(Logo.texte, Logo.url, Image.empreinte, Image.largeur, Image.hauteur)
    .join(Image, Image.id == Logo.image_id)
    .where(
        Logo.etablissement_id == bindparam("ecole"),
        Logo.page == "publique",
        Logo.visible,
        Logo.supprime_le.is_(None),
    )
    .order_by(Logo.rang, Logo.id)
)


def public_page(session: Session, adresse: str) -> Row[Any] | None:
    """Return the page an address leads to and its school; None when off, unknown, or left for too long."""
    row = session.execute(_PAGE, {"adresse": adresse}).first()
    too_old: datetime = now() - REDIRIGEE
    if row is None or (row.quittee_le is not None and row.quittee_le < too_old):
        return None
    return row


def public_services(session: Session, etablissement_id: int) -> Sequence[Row[Any]]:
    """Return the services a page names that are on in the school now."""
    return session.execute(_SERVICES, {"ecole": etablissement_id}).all()


def public_contents(session: Session, etablissement_id: int) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Return the visible blocks and logos of a page."""
    values = {"ecole": etablissement_id}
    return session.execute(_BLOCS, values).all(), session.execute(_LOGOS, values).all()
