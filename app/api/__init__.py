"""The REST API: what programs read and do, through the same queries and operations as the pages.

A call carries a key (``Authorization: Bearer preau_…``), never a cookie; the key's perimeter limits
every row as it does in pages. The page «Clés d’API» shows the reference drawn from ``openapi.json``.
"""

from __future__ import annotations

from typing import Any

from app.api.blocs import BlocsApi
from app.api.cle import CleCouranteApi
from app.api.comptes import ComptesApi
from app.api.etablissements import EtablissementsApi
from app.api.modeles import ModelesApi
from app.api.openapi import OpenApi
from app.api.pages import PagesApi
from app.api.personnes import PersonnesApi
from app.api.reglages import ReglagesApi
from app.api.reservations import ReservationsApi
from app.api.services import ServicesApi


def register(appbuilder: Any) -> None:
    """Add the resources of version 1."""
    people = (EtablissementsApi, PersonnesApi, ComptesApi)
    pages = (PagesApi, BlocsApi)
    services = (ServicesApi, ReglagesApi, ReservationsApi, ModelesApi)
    for resource in (OpenApi, CleCouranteApi, *people, *services, *pages):
        appbuilder.add_api(resource)
