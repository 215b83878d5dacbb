"""The services of the school of the page: read once, for the page and for its tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import abort, g, request, url_for

from app.extensions import db
from app.queries.console import Arbre, ServiceArbre
from app.queries.droits import ServiceIci, services_of
from app.queries.services import CATEGORIES
from app.views.arbre import GROWN, Branch
from app.views.ecole import Ecole

Shown = TypeVar("Shown", bound=ServiceIci | ServiceArbre)
KEPT = "services_ici"
PAGES = ("Services.", "ActesServices.", "DroitsEffectifs.", "ReglagesServices.")
"""Endpoints that are under «Services» in the tree."""


def services_here(etablissement_id: int) -> list[ServiceIci]:
    """Return the services of a school with every cell; two statements a request."""
    kept: tuple[int, list[ServiceIci]] | None = g.get(KEPT)
    if kept is None or kept[0] != etablissement_id:
        kept = (etablissement_id, services_of(db.session(), etablissement_id))
        setattr(g, KEPT, kept)
    return kept[1]


def forget() -> None:
    """Read again after an act: what was kept is out of date."""
    g.pop(KEPT, None)


def service_of_page(etablissement_id: int, code: str) -> ServiceIci:
    """Return a service of the school of the page; 404 when it is not offered to it."""
    found = next((one for one in services_here(etablissement_id) if one.code == code), None)
    if found is None:
        abort(404)
    return found


def with_cells(services: Sequence[Shown], *formes: str) -> list[Shown]:
    """Return the services of these forms, those a grid draws."""
    return [one for one in services if one.forme in formes]


def active(services: Sequence[ServiceIci | ServiceArbre]) -> int:
    """Return how many are on."""
    return sum(one.actif for one in services)


def branch(school: Ecole, known: Arbre | None) -> Branch:
    """Draw «Services» in the tree: categories, then services with their state (C2)."""
    kept: tuple[int, list[ServiceIci]] | None = g.get(KEPT)
    services: Sequence[ServiceIci | ServiceArbre]
    if kept is not None and kept[0] == school.id:
        services = kept[1]
    elif known is not None:
        services = known.services
    else:
        services = services_of(db.session(), school.id, cells=False)
    here = str(request.endpoint or "").startswith(PAGES)
    asked = request.view_args or {}
    overview = Branch(
        "services.tous",
        "Tous les services",
        url_for("Services.liste", uai=school.uai),
        current=request.endpoint == "Services.liste",
    )
    groups = [
        _category(school, key, [one for one in services if one.categorie == key], asked if here else {})
        for key in CATEGORIES
    ]
    return Branch(
        "services",
        "Services",
        count=f"{active(services)} actifs sur {len(services)}",
        open=True,
        children=[overview, *(group for group in groups if group.children)],
    )


OWN_PAGES = {"reservation": ("Reservations", "GestionRessources", "SuiviReservations")}
"""Service used in the console → the views of its pages, the first where they begin; its rights from there."""


def _address(school: Ecole, code: str) -> str:
    own = OWN_PAGES.get(code)
    if own is not None:
        return url_for(f"{own[0]}.catalogue", uai=school.uai)
    return url_for("Services.service", uai=school.uai, code=code)


def _category(
    school: Ecole, key: str, services: Sequence[ServiceIci | ServiceArbre], asked: dict[str, str]
) -> Branch:
    leaves = [
        Branch(
            f"services.{one.code}",
            one.nom,
            _address(school, one.code),
            current=asked.get("code") == one.code or request.blueprint in OWN_PAGES.get(one.code, ()),
            actif=one.actif,
        )
        for one in services
    ]
    if with_cells(services, "roles", "acces", "annuaire"):
        rights = Branch(
            f"services.{key}",
            "Tous les droits",
            url_for("Services.categorie", uai=school.uai, categorie=key),
            current=asked.get("categorie") == key,
        )
        leaves.insert(0, rights)
    return Branch(
        f"services.{key}",
        CATEGORIES[key],
        count=f"{active(services)}/{len(services)}",
        open=any(leaf.current for leaf in leaves),
        children=leaves if services else [],
    )


GROWN["services"] = branch
