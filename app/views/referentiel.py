"""«Référentiel»: territories, nomenclatures, divisions and timetable groups, generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.extensions import db
from app.models import (
    Academie,
    Collectivite,
    Discipline,
    Division,
    Fonction,
    GroupeEnseignement,
    Matiere,
    Mef,
)
from app.operations import nomenclatures, territoires
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.base import READ_ONLY, DomainInterface, PreauModelView
from app.views.etablissements import EtablissementView
from app.views.labels import SOURCES
from app.views.personnes import PersonneView, RattachementView, SuppressionView

TYPES_COLLECTIVITE = {
    "commune": "Commune",
    "departement": "Département",
    "region": "Région",
    "autre": "Autre",
}


class AcademieView(PreauModelView):
    """Académies and their schools."""

    resource = Resource.ACADEMIE
    route_base = "/referentiel/academies"
    datamodel = DomainInterface(Academie)
    list_title = "Académies"
    add_title = "Ajouter une académie"
    edit_title = "Modifier l’académie"
    list_columns = ["nom", "code"]
    search_columns = ["nom", "code"]
    search_hint = "Nom ou code"
    base_order = ("nom", "asc")
    label_columns = {"nom": "Académie", "code": "Code"}
    description_columns = {"code": "Code national de l’académie, par exemple 18 pour Orléans-Tours."}
    show_columns = add_columns = edit_columns = ["nom", "code"]
    related_views = [EtablissementView]
    empty_title = "Aucune académie"
    empty_text = "Une académie est ajoutée à la main ou par la première alimentation qui la nomme."

    def apply_add(self, item: Any) -> None:
        territoires.save_academie(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        territoires.save_academie(db.session(), item, acteur=actor())

    def apply_delete(self, item: Any) -> None:
        territoires.remove(db.session(), item, acteur=actor())


class CollectiviteView(PreauModelView):
    """Collectivités and the schools they run."""

    resource = Resource.COLLECTIVITE
    route_base = "/referentiel/collectivites"
    datamodel = DomainInterface(Collectivite)
    list_title = "Collectivités"
    add_title = "Ajouter une collectivité"
    edit_title = "Modifier la collectivité"
    list_columns = ["nom", "code", "type"]
    search_columns = ["nom", "code", "type"]
    search_hint = "Nom ou code"
    base_order = ("nom", "asc")
    choices_columns = {"type": TYPES_COLLECTIVITE}
    label_columns = {"nom": "Collectivité", "code": "Code", "type": "Type"}
    description_columns = {"code": "Numéro SIREN, ou un code de votre choix."}
    show_columns = add_columns = edit_columns = ["nom", "code", "type"]
    related_views = [EtablissementView]
    empty_title = "Aucune collectivité"
    empty_text = "Une collectivité réunit les établissements dont elle a la charge."

    def apply_add(self, item: Any) -> None:
        territoires.save_collectivite(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        territoires.save_collectivite(db.session(), item, acteur=actor())

    def apply_delete(self, item: Any) -> None:
        territoires.remove(db.session(), item, acteur=actor())


class NomenclatureView(PreauModelView):
    """What the four nomenclatures share; not a page by itself."""

    resource = Resource.NOMENCLATURE
    search_hint = "Libellé ou code"
    search_columns = ["libelle", "code"]
    base_order = ("libelle", "asc")
    list_columns = ["libelle", "code"]
    show_columns = add_columns = edit_columns = ["code", "libelle"]
    label_columns = {"code": "Code", "libelle": "Libellé"}
    empty_text = "Les alimentations ajoutent d’elles-mêmes les codes qu’elles rencontrent."

    def apply_add(self, item: Any) -> None:
        nomenclatures.save(db.session(), item, acteur=actor())

    def apply_edit(self, item: Any) -> None:
        nomenclatures.save(db.session(), item, acteur=actor())

    def apply_delete(self, item: Any) -> None:
        nomenclatures.remove(db.session(), item, acteur=actor())

    def item_title(self, item: Any) -> str:
        return f"{item.libelle} ({item.code})"


class DivisionView(PreauModelView):
    """Classes of the schools of the perimeter."""

    resource = Resource.DIVISION
    route_base = "/referentiel/divisions"
    datamodel = DomainInterface(Division)
    include_route_methods = READ_ONLY
    list_title = "Classes"
    list_columns = ["code", "libelle", "etablissement", "mefs", "source", "active"]
    search_columns = ["code", "libelle", "etablissement", "active"]
    search_hint = "Nom de la classe"
    base_order = ("code", "asc")
    choices_columns = {"source": SOURCES}
    label_columns = {
        "code": "Classe",
        "libelle": "Libellé",
        "etablissement": "Établissement",
        "etablissement.nom": "Établissement",
        "mefs": "MEF",
        "source": "Source",
        "active": "Active",
    }
    formatters_columns = {"mefs": lambda mefs: ", ".join(mef.libelle for mef in mefs) or "–"}
    show_columns = ["code", "libelle", "etablissement", "mefs", "source", "active"]
    empty_title = "Aucune classe"
    empty_text = "Les classes arrivent avec la première alimentation de l’établissement."

    def item_title(self, item: Any) -> str:
        return f"Classe {item}"


class GroupeView(PreauModelView):
    """Timetable groups of the schools of the perimeter."""

    resource = Resource.DIVISION
    route_base = "/referentiel/groupes"
    datamodel = DomainInterface(GroupeEnseignement)
    include_route_methods = READ_ONLY
    list_title = "Groupes d’enseignement"
    list_columns = ["code", "libelle", "etablissement", "divisions", "source", "active"]
    search_columns = ["code", "libelle", "etablissement", "active"]
    search_hint = "Nom du groupe"
    base_order = ("code", "asc")
    choices_columns = {"source": SOURCES}
    label_columns = {
        "code": "Groupe",
        "libelle": "Libellé",
        "etablissement": "Établissement",
        "divisions": "Classes",
        "source": "Source",
        "active": "Actif",
    }
    formatters_columns = {"divisions": lambda rows: ", ".join(row.code for row in rows) or "–"}
    show_columns = ["code", "libelle", "etablissement", "divisions", "source", "active"]
    empty_title = "Aucun groupe d’enseignement"
    empty_text = "Les groupes arrivent avec la première alimentation de l’établissement."

    def item_title(self, item: Any) -> str:
        return f"Groupe {item}"


class MefView(NomenclatureView):
    """«Modules élémentaires de formation»."""

    route_base = "/referentiel/mefs"
    datamodel = DomainInterface(Mef)
    list_title = "MEF"
    add_title = "Ajouter un MEF"
    edit_title = "Modifier le MEF"
    list_columns = ["libelle", "code", "niveau", "filiere"]
    show_columns = add_columns = edit_columns = ["code", "libelle", "niveau", "filiere"]
    label_columns = {"code": "Code", "libelle": "Libellé", "niveau": "Niveau", "filiere": "Filière"}
    empty_title = "Aucun MEF"


class MatiereView(NomenclatureView):
    """Subjects."""

    route_base = "/referentiel/matieres"
    datamodel = DomainInterface(Matiere)
    list_title = "Matières"
    add_title = "Ajouter une matière"
    edit_title = "Modifier la matière"
    list_columns = ["libelle", "code", "libelle_court"]
    show_columns = add_columns = edit_columns = ["code", "libelle", "libelle_court"]
    label_columns = {"code": "Code", "libelle": "Libellé", "libelle_court": "Libellé court"}
    empty_title = "Aucune matière"


class DisciplineView(NomenclatureView):
    """Disciplines of recruitment or of post."""

    route_base = "/referentiel/disciplines"
    datamodel = DomainInterface(Discipline)
    list_title = "Disciplines"
    add_title = "Ajouter une discipline"
    edit_title = "Modifier la discipline"
    empty_title = "Aucune discipline"


class FonctionView(NomenclatureView):
    """Functions of staff."""

    route_base = "/referentiel/fonctions"
    datamodel = DomainInterface(Fonction)
    list_title = "Fonctions"
    add_title = "Ajouter une fonction"
    edit_title = "Modifier la fonction"
    empty_title = "Aucune fonction"


PAGES: Sequence[tuple[type[PreauModelView], str, str]] = [
    (EtablissementView, "Établissements", "building"),
    (PersonneView, "Personnes", "people"),
    (SuppressionView, "Suppressions", "person-dash"),
    (RattachementView, "Rattachements", "link-45deg"),
    (DivisionView, "Classes", "mortarboard"),
    (GroupeView, "Groupes d’enseignement", "diagram-3"),
    (AcademieView, "Académies", "bank"),
    (CollectiviteView, "Collectivités", "buildings"),
    (MefView, "MEF", "layers"),
    (MatiereView, "Matières", "book"),
    (DisciplineView, "Disciplines", "tags"),
    (FonctionView, "Fonctions", "person-badge"),
]
"""The pages of the module, in the order of the menu: view, label, icon."""


def register(appbuilder: Any) -> None:
    """Add the pages of the module to the menu."""
    for view, label, icon in PAGES:
        appbuilder.add_view(view, label, icon=icon, category="Référentiel")
