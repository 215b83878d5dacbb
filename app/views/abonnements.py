"""«Référentiel», subscriptions to digital resources: generated pages; the highest role writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import Abonnement
from app.operations import abonnements as acts
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.base import DomainInterface, PreauModelView


class AbonnementView(PreauModelView):
    """Which schools may switch on the resources that are subscribed to."""

    resource = Resource.CATALOGUE
    route_base = "/referentiel/abonnements"
    datamodel = DomainInterface(Abonnement)
    list_title = "Abonnements"
    add_title = "Ajouter un abonnement"
    edit_title = "Modifier l’abonnement"
    list_columns = ["composant", "etablissement", "collectivite", "debut", "fin"]
    order_columns = ["debut", "fin"]
    search_columns = ["composant", "etablissement", "collectivite", "fin"]
    base_order = ("id", "desc")
    plain_relations = frozenset({"composant", "collectivite"})
    label_columns = {
        "composant": "Ressource",
        "etablissement": "Établissement",
        "collectivite": "Collectivité",
        "debut": "Du",
        "fin": "Au",
    }
    description_columns = {
        "etablissement": "Un établissement, ou une collectivité pour tous les siens.",
        "debut": "Vide : dès maintenant.",
        "fin": "Dernier jour ; vide : sans fin prévue.",
    }
    show_columns = add_columns = edit_columns = list_columns
    empty_title = "Aucun abonnement"
    empty_text = (
        "Ajoutez la ressource souscrite par un établissement, ou par une collectivité pour tous les siens."
    )

    def loads(self) -> Sequence[Any]:
        return [
            joinedload(Abonnement.composant),
            joinedload(Abonnement.etablissement),
            joinedload(Abonnement.collectivite),
        ]

    def apply_add(self, item: Any) -> None:
        acts.save_abonnement(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        acts.save_abonnement(db.session(), item, acteur=actor())

    def apply_delete(self, item: Any) -> None:
        acts.remove_abonnement(db.session(), item, acteur=actor())

    def delete_consequences(self, item: Any) -> Sequence[str]:
        return [
            f"« {item.composant} » ne peut plus être activée par {item.etablissement or item.collectivite}.",
            "Là où elle est active, elle le reste jusqu’à ce que l’établissement la désactive.",
            "Vous pourrez ajouter de nouveau cet abonnement.",
        ]


def register(appbuilder: Any) -> None:
    """Add the pages to the menu, after the catalogue of services."""
    appbuilder.add_view(AbonnementView, "Abonnements", icon="card-checklist", category="Référentiel")
