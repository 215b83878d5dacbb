"""Accounts and the roles they hold: read here, granted elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import joinedload, selectinload

from app.models import SANS_ADRESSE, Attribution, Compte
from app.security.permissions import Resource
from app.views.base import READ_ONLY, DomainInterface, PreauModelView
from app.views.labels import ROLES
from app.views.roles import RoleView


class AttributionView(PreauModelView):
    """Who holds which role over what."""

    resource = Resource.COMPTE
    route_base = "/referentiel/attributions"
    datamodel = DomainInterface(Attribution)
    include_route_methods = READ_ONLY
    list_title = "Attributions"
    list_columns = ["compte", "role", "academie", "collectivite", "etablissement", "depuis", "jusqua"]
    order_columns = ["role", "depuis", "jusqua"]
    search_columns = ["role", "academie", "etablissement"]
    base_order = ("id", "desc")
    choices_columns = {"role": ROLES}
    label_columns = {
        "compte": "Compte",
        "role": "Rôle",
        "academie": "Académie",
        "collectivite": "Collectivité",
        "etablissement": "Établissement",
        "depuis": "Depuis",
        "jusqua": "Jusqu’au",
        "accordee_par": "Accordée par",
    }
    show_columns = [*list_columns, "accordee_par"]
    empty_title = "Aucune attribution"
    empty_text = (
        "Une attribution donne un rôle à un compte sur un établissement, une académie ou une collectivité."
    )

    def item_title(self, item: Any) -> str:
        return f"{item.compte}, {ROLES.get(item.role, item.role)}"


class CompteView(PreauModelView):
    """Accounts of the perimeter."""

    resource = Resource.COMPTE
    route_base = "/referentiel/comptes"
    datamodel = DomainInterface(Compte)
    include_route_methods = READ_ONLY
    list_title = "Comptes"
    list_columns = [
        "last_name",
        "first_name",
        "username",
        "email",
        "attributions",
        "last_login",
        "suspendu_le",
    ]
    order_columns = ["last_name", "username", "last_login"]
    search_columns = ["last_name", "username", "email", "active"]
    search_hint = "Nom, identifiant ou e-mail"
    base_order = ("last_name", "asc")
    label_columns = {
        "last_name": "Nom",
        "first_name": "Prénom",
        "username": "Identifiant",
        "email": "E-mail",
        "attributions": "Rôles",
        "active": "Actif",
        "last_login": "Dernière connexion",
        "login_count": "Connexions",
        "suspendu_le": "Suspendu le",
        "motif_suspension": "Motif de suspension",
        "personne": "Personne",
        "created_on": "Créé le",
    }
    formatters_columns = {
        "email": lambda text: "–" if text.endswith(SANS_ADRESSE) else text,
        "attributions": lambda rows: (
            ", ".join(dict.fromkeys(ROLES.get(row.role, row.role) for row in rows)) or "–"
        ),
    }
    show_fieldsets = [
        ("Compte", {"fields": ["last_name", "first_name", "username", "email", "active", "personne"]}),
        (
            "Connexions",
            {"fields": ["last_login", "login_count", "created_on", "suspendu_le", "motif_suspension"]},
        ),
    ]
    show_columns = [
        "last_name",
        "first_name",
        "username",
        "email",
        "active",
        "personne",
        "last_login",
        "login_count",
        "created_on",
        "suspendu_le",
        "motif_suspension",
    ]
    show_template = "comptes/fiche.html"
    related_views = [AttributionView]
    empty_title = "Aucun compte"
    empty_text = "Un compte naît quand une personne active son accès."

    def loads(self) -> Sequence[Any]:
        return [selectinload(Compte.attributions), joinedload(Compte.personne)]

    def search_condition(self, typed: str) -> ColumnElement[bool]:
        text = typed.strip()
        columns = (Compte.last_name, Compte.username, Compte.email)
        return or_(*[column.istartswith(text, autoescape=True) for column in columns])


def register(appbuilder: Any) -> None:
    """Add the pages of the module to the menu."""
    appbuilder.add_view(CompteView, "Comptes", icon="person-lock", category="Droits")
    appbuilder.add_view(AttributionView, "Attributions", icon="key", category="Droits")
    appbuilder.add_view(RoleView, "Rôles et droits", icon="shield-lock", category="Droits")
