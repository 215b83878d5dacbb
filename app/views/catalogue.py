"""«Référentiel», catalogue of services: generated pages; the highest role writes, académies read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask_appbuilder.actions import action
from sqlalchemy.orm import joinedload
from wtforms import Field, TextAreaField, ValidationError

from app.extensions import db
from app.models import CelluleService, ComposantService, RoleService, Service, ServiceCollectivite
from app.operations import catalogue_saisie as acts
from app.queries.droits import PROFIL_LABELS
from app.queries.services import CATEGORIES, NATURES
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.base import DomainInterface, PreauModelView

FORMES = {
    "roles": "Grille de rôles",
    "annuaire": "Matrice de l’annuaire",
    "acces": "Accès par profil",
    "etat": "Rien à cocher",
}
PLACES = {"interne": "Interne", "externe": "Externe"}
LAST = 10**6
SCHEMA = (
    "Liste JSON de champs : code, libelle, type (texte, url, hote, port, choix, oui_non, profils, secret),"
    " obligatoire, aide, choix ; essai (activer demande un essai réussi), modele (valeur proposée), remplace"
    " (marque telle que <id>, dont la valeur prend la place dans l’adresse)."
)


class SchemaField(TextAreaField):
    """A schema of settings, typed as JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.type = TextAreaField.__name__  # drawn as wide as one

    def process_data(self, value: Any) -> None:
        self.data = json.dumps(value or [], ensure_ascii=False, indent=2)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = valuelist[0] if valuelist else "[]"

    def pre_validate(self, form: Any) -> None:
        try:
            json.loads(self.data or "[]")
        except ValueError as error:
            raise ValidationError(
                "Ce texte n’est pas du JSON. Vérifiez les guillemets et les virgules."
            ) from error

    def populate_obj(self, obj: Any, name: str) -> None:
        setattr(obj, name, json.loads(self.data or "[]"))


def schema_field() -> Field:
    """Return the field of a schema; each form asks for its own."""
    made: Any = SchemaField("Réglages", description=SCHEMA, render_kw={"rows": 8, "spellcheck": "false"})
    made.creation_counter = LAST  # a form sorts its fields by their birth, and this one is born first
    return made


class CatalogueView(PreauModelView):
    """What the pages of the catalogue share; not a page by itself."""

    resource = Resource.CATALOGUE
    search_hint = "Nom ou code"
    base_order = ("ordre", "asc")
    plain_relations = frozenset({"service", "role", "collectivite"})
    delete_row_message = "Retiré du catalogue."

    def apply_delete(self, item: Any) -> None:
        acts.retirer(db.session(), item, acteur=actor())

    def delete_consequences(self, item: Any) -> Sequence[str]:
        return [
            f"Aucun établissement n’a plus « {item} », dès maintenant.",
            "Ce que les établissements ont coché et réglé est gardé : « Remettre » rend tout tel quel.",
        ]

    @action(
        "remettre", "Remettre au catalogue", "Les établissements les retrouvent tels qu’ils étaient :", ""
    )
    def remettre(self, items: Sequence[Any]) -> str:
        """Put withdrawn rows back."""
        for item in items:
            acts.remettre(db.session(), item, acteur=actor())
        return "Remis au catalogue." if len(items) == 1 else f"{len(items)} lignes remises au catalogue."


class CelluleServiceView(PreauModelView):
    """What each profile gets by itself, and what the platform fixes."""

    resource = Resource.CATALOGUE
    route_base = "/referentiel/cellules-service"
    datamodel = DomainInterface(CelluleService)
    include_route_methods = {"list", "show", "edit", "export", "choix"}
    list_title = "Droits par défaut"
    edit_title = "Modifier un droit par défaut"
    list_columns = ["role", "profil", "defaut", "fixe", "raison", "debut", "fin"]
    order_columns = ["profil", "debut", "fin"]
    search_columns = ["profil", "role", "defaut", "fixe"]
    base_order = ("id", "asc")
    plain_relations = frozenset({"role"})
    choices_columns = {"profil": PROFIL_LABELS}
    label_columns = {
        "role": "Droit",
        "profil": "Profil",
        "defaut": "Accordé par défaut",
        "fixe": "Fixé par la plate-forme",
        "raison": "Raison",
        "debut": "Depuis",
        "fin": "Jusqu’au",
    }
    description_columns = {"raison": "Ce que l’administrateur local lit sur la case grisée."}
    show_columns = list_columns
    edit_columns = ["defaut", "fixe", "raison"]
    empty_title = "Aucun droit par défaut"
    empty_text = "Chaque droit d’un service en reçoit un par profil, dès qu’il est créé."

    def loads(self) -> Sequence[Any]:
        return [joinedload(CelluleService.role).joinedload(RoleService.service)]

    def apply_edit(self, item: Any) -> None:
        acts.save_cell(db.session(), item, acteur=actor())

    def item_title(self, item: Any) -> str:
        return acts.cell_title(item)


class RoleServiceView(CatalogueView):
    """Roles of the services."""

    route_base = "/referentiel/roles-service"
    datamodel = DomainInterface(RoleService)
    list_title = "Droits des services"
    add_title = "Ajouter un droit"
    edit_title = "Modifier le droit"
    list_columns = ["service", "nom", "code", "ordre", "retire_le"]
    order_columns = ["nom", "code", "ordre", "retire_le"]
    search_columns = ["nom", "code", "service"]
    label_columns = {
        "service": "Service",
        "nom": "Droit",
        "code": "Code",
        "ordre": "Ordre",
        "retire_le": "Retiré le",
    }
    show_columns = list_columns
    add_columns = ["service", "code", "nom", "ordre"]
    edit_columns = ["nom", "ordre"]
    related_views = [CelluleServiceView]
    empty_title = "Aucun droit"

    def apply_add(self, item: Any) -> None:
        acts.save_role(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        acts.save_role(db.session(), item, acteur=actor())


class ComposantServiceView(CatalogueView):
    """Softwares and resources that schools switch on one by one."""

    route_base = "/referentiel/composants-service"
    datamodel = DomainInterface(ComposantService)
    list_title = "Logiciels et ressources"
    add_title = "Ajouter un logiciel ou une ressource"
    edit_title = "Modifier le logiciel ou la ressource"
    list_columns = ["nom", "code", "service", "place", "sur_abonnement", "ordre", "retire_le"]
    order_columns = ["nom", "code", "ordre", "retire_le"]
    search_columns = ["nom", "code", "service", "place"]
    choices_columns = {"place": PLACES}
    label_columns = {
        "nom": "Nom",
        "code": "Code",
        "service": "Service",
        "place": "Hébergement",
        "sur_abonnement": "Sur abonnement",
        "description": "Description",
        "reglages": "Réglages",
        "ordre": "Ordre",
        "retire_le": "Retiré le",
    }
    show_columns = [*list_columns[:5], "description", *list_columns[5:]]
    add_columns = ["service", "code", "nom", "place", "sur_abonnement", "description", "reglages", "ordre"]
    edit_columns = ["nom", "sur_abonnement", "description", "reglages", "ordre"]
    add_form_extra_fields = {"reglages": schema_field()}
    edit_form_extra_fields = {"reglages": schema_field()}
    empty_title = "Aucun logiciel, aucune ressource"

    def apply_add(self, item: Any) -> None:
        acts.save_component(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        acts.save_component(db.session(), item, acteur=actor())


class DisponibiliteView(PreauModelView):
    """To which collectivités a service is offered; nothing is deleted, an offer ends."""

    resource = Resource.CATALOGUE
    route_base = "/referentiel/disponibilites-service"
    datamodel = DomainInterface(ServiceCollectivite)
    include_route_methods = {"list", "show", "add", "delete", "export", "choix"}
    list_title = "Disponibilité des services"
    add_title = "Proposer un service"
    list_columns = ["service", "collectivite", "debut", "fin"]
    order_columns = ["debut", "fin"]
    search_columns = ["service", "collectivite"]
    base_order = ("id", "asc")
    plain_relations = frozenset({"service", "collectivite"})
    label_columns = {
        "service": "Service",
        "collectivite": "Collectivité",
        "debut": "Depuis",
        "fin": "Jusqu’au",
    }
    description_columns = {"collectivite": "Laissez vide pour tous les établissements."}
    formatters_columns = {"collectivite": lambda row: str(row) if row is not None else "Toutes"}
    show_columns = list_columns
    add_columns = ["service", "collectivite"]
    delete_row_message = "Le service n’est plus proposé."
    empty_title = "Aucun service proposé"
    empty_text = "Proposez un service à une collectivité, ou à toutes."

    def apply_add(self, item: Any) -> None:
        acts.offer(db.session(), item, acteur=actor())

    def apply_delete(self, item: Any) -> None:
        acts.stop_offering(db.session(), item, acteur=actor())

    def delete_consequences(self, item: Any) -> Sequence[str]:
        return [
            f"Ces établissements n’ont plus « {item.service} », dès maintenant.",
            "Ce qu’ils ont coché et réglé est gardé ; vous pourrez le leur proposer de nouveau.",
        ]


class ServiceView(CatalogueView):
    """Services of the platform."""

    route_base = "/referentiel/services"
    datamodel = DomainInterface(Service)
    list_title = "Services"
    add_title = "Ajouter un service"
    edit_title = "Modifier le service"
    list_columns = ["nom", "code", "categorie", "nature", "forme", "ordre", "retire_le"]
    order_columns = ["nom", "code", "categorie", "nature", "ordre", "retire_le"]
    search_columns = ["nom", "code", "categorie", "nature", "forme"]
    choices_columns = {"categorie": CATEGORIES, "nature": NATURES, "forme": FORMES}
    label_columns = {
        "nom": "Service",
        "code": "Code",
        "categorie": "Catégorie",
        "nature": "Nature",
        "forme": "Ce que montre sa page",
        "description": "Description",
        "reglages": "Réglages",
        "reprise_contenus": "Contenus à reprendre",
        "peuple_par_groupes": "Employé par les groupes",
        "ordre": "Ordre",
        "retire_le": "Retiré le",
    }
    show_columns = [
        "nom", "code", "categorie", "nature", "forme", "description", "reprise_contenus",
        "peuple_par_groupes", "ordre", "retire_le",
    ]  # fmt: skip
    add_columns = [
        "nom", "code", "categorie", "nature", "forme", "description", "reprise_contenus",
        "peuple_par_groupes", "reglages", "ordre",
    ]  # fmt: skip
    edit_columns = [
        "nom", "categorie", "description", "reprise_contenus", "peuple_par_groupes", "reglages", "ordre",
    ]  # fmt: skip
    add_form_extra_fields = {"reglages": schema_field()}
    edit_form_extra_fields = {"reglages": schema_field()}
    related_views = [RoleServiceView, ComposantServiceView, DisponibiliteView]
    empty_title = "Aucun service"
    empty_text = "« flask preau catalogue » charge le catalogue livré avec Préau."

    def apply_add(self, item: Any) -> None:
        acts.save_service(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        acts.save_service(db.session(), item, acteur=actor())


PAGES = (
    (ServiceView, "Services", "grid-3x3-gap"),
    (RoleServiceView, "Droits des services", "key"),
    (CelluleServiceView, "Droits par défaut", "table"),
    (ComposantServiceView, "Logiciels et ressources", "collection"),
    (DisponibiliteView, "Disponibilité des services", "signpost-split"),
)


def register(appbuilder: Any) -> None:
    """Add the pages to the menu, after the rest of «Référentiel»."""
    for view, label, icon in PAGES:
        appbuilder.add_view(view, label, icon=icon, category="Référentiel")
