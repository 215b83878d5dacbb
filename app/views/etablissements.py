"""Schools: list, sheet, virtual ones by hand, fields each role may edit, locks (S1, S2)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import ColumnElement, or_
from werkzeug.wrappers import Response

from app.extensions import db
from app.models import Etablissement
from app.operations import etablissements as acts
from app.queries import etablissements as reads
from app.queries.noms import search_key
from app.queries.recherche import prefix
from app.security.acteur import active_attributions, current_account
from app.security.champs import editable_fields
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.base import DomainInterface, PreauModelView, commit_act
from app.views.labels import ETATS_ETABLISSEMENT, SECTEURS, SOURCES
from app.views.rendering import telephone

IDENTITE = ["uai", "nom", "type", "secteur", "etat", "virtuel", "siren", "chef"]
COORDONNEES = ["adresse", "code_postal", "commune", "telephone", "email", "site_web"]
TUTELLE = ["academie", "collectivite", "mere", "xiti", "nombre_eleves", "ouvert_le"]
ADDED = [
    "nom",
    "uai",
    "type",
    "secteur",
    "academie",
    "collectivite",
    "chef",
    "adresse",
    "code_postal",
    "commune",
    "telephone",
    "email",
    "site_web",
]
EDITED = [
    "nom",
    "type",
    "secteur",
    "etat",
    "chef",
    "academie",
    "collectivite",
    "adresse",
    "code_postal",
    "commune",
    "telephone",
    "email",
    "site_web",
    "xiti",
]
FIGURES = {
    "eleve": "Élèves",
    "enseignant": "Enseignants",
    "personnel": "Personnels",
    "responsable": "Parents et responsables",
    "invite": "Invités",
    "division": "Classes",
}


class EtablissementView(PreauModelView):
    """Schools of the perimeter."""

    resource = Resource.ETABLISSEMENT
    route_base = "/referentiel/etablissements"
    datamodel = DomainInterface(Etablissement)
    exclude_route_methods = {"download", "delete"}
    show_template = "etablissements/fiche.html"
    list_title = "Établissements"
    add_title = "Ajouter un établissement virtuel"
    edit_title = "Modifier l’établissement"
    list_columns = ["nom", "uai", "type", "commune", "academie", "etat"]
    order_columns = ["nom", "uai", "type", "commune"]
    search_columns = ["nom", "uai", "commune", "academie", "collectivite", "secteur", "etat", "virtuel"]
    search_hint = "Nom, UAI ou commune"
    base_order = ("nom_recherche", "asc")
    plain_relations = frozenset({"academie", "collectivite"})
    choices_columns = {"secteur": SECTEURS, "etat": ETATS_ETABLISSEMENT, "source": SOURCES}
    label_columns = {
        "nom": "Établissement",
        "uai": "UAI",
        "type": "Type",
        "secteur": "Secteur",
        "etat": "État",
        "virtuel": "Virtuel",
        "siren": "SIREN",
        "chef": "Chef d’établissement",
        "adresse": "Adresse",
        "code_postal": "Code postal",
        "commune": "Commune",
        "telephone": "Téléphone",
        "email": "E-mail",
        "site_web": "Site web",
        "academie": "Académie",
        "collectivite": "Collectivité",
        "mere": "Établissement mère",
        "xiti": "Identifiant XiTi",
        "nombre_eleves": "Nombre d’élèves déclaré",
        "ouvert_le": "Ouvert le",
        "source": "Source",
    }
    formatters_columns = {"telephone": telephone}
    description_columns = {
        "uai": "Sept chiffres et une lettre. Laissez vide pour un numéro virtuel.",
        "site_web": "Adresse complète, par exemple https://college-exemple.fr",
        "xiti": "Identifiant de mesure d’audience du déploiement.",
    }
    show_columns = [*IDENTITE, *COORDONNEES, *TUTELLE, "source"]
    show_fieldsets = [
        ("Identité", {"fields": IDENTITE}),
        ("Coordonnées", {"fields": COORDONNEES}),
        ("Rattachement", {"fields": TUTELLE}),
    ]
    add_columns = ADDED
    edit_columns = EDITED
    add_form_extra_fields: dict[str, Any] = {}
    add_row_message = "Établissement virtuel créé."
    empty_title = "Aucun établissement"
    empty_text = "Les établissements arrivent avec l’annuaire de l’éducation, l’AAF ou SIECLE."

    def _init_forms(self) -> None:
        super()._init_forms()
        full_add, full_edit = self.add_form, self.edit_form

        def add_form(*args: Any, **kwargs: Any) -> Any:
            form = full_add(*args, **kwargs)
            form.uai.validators = [
                one for one in form.uai.validators if type(one).__name__ != "InputRequired"
            ]
            form.uai.flags.required = False
            return form

        def edit_form(*args: Any, obj: Any = None, **kwargs: Any) -> Any:
            form = full_edit(*args, obj=obj, **kwargs)
            mine = self.editable(obj)
            for name in EDITED:
                if name not in mine:
                    del form[name]
            return form

        self.add_form, self.edit_form = add_form, edit_form

    def editable(self, item: Etablissement) -> frozenset[str]:
        """Return the fields of this school that this person may edit."""
        account = current_account()
        return editable_fields(active_attributions(account) if account else (), item)

    def can(self, method: str) -> bool:
        """Creating a school takes a role over more than one school."""
        if method == "add" and super().can(method):
            account = current_account()
            held = active_attributions(account) if account else []
            return any(row.etablissement_id is None and row.collectivite_id is None for row in held)
        return super().can(method)

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Create a virtual school."""
        if not self.can("add"):
            abort(403)
        return super().add()

    def apply_add(self, item: Any) -> None:
        warning = acts.create_virtual(db.session(), item, acteur=actor())
        if warning:
            flash(warning, "warning")

    def apply_edit(self, item: Any) -> None:
        allowed = {
            f"{name}_id" if name in {"academie", "collectivite"} else name for name in self.editable(item)
        }
        acts.edit(db.session(), item, champs=allowed, acteur=actor())

    def search_condition(self, typed: str) -> ColumnElement[bool]:
        """Match the first letters of any word of the name, of the town or of the UAI."""
        key = search_key(typed)
        return or_(
            prefix(Etablissement.nom_recherche, key),
            Etablissement.nom_recherche.contains(f" {key}", autoescape=True),
            prefix(Etablissement.uai, typed.strip().upper()[:8]),
            Etablissement.commune.istartswith(typed.strip(), autoescape=True),
        )

    def sheet(self, item: Etablissement) -> dict[str, Any]:
        """Return what the sheet shows beyond its columns."""
        counts = reads.headcount(db.session(), item.id)
        return {
            "figures": [(label, counts.get(name, 0)) for name, label in FIGURES.items()],
            "locks": reads.locks(db.session(), item.id),
            "feed": reads.last_feed(db.session(), item.id),
            "labels": acts.LABELS,
            "sources": SOURCES,
            "warning": None if item.virtuel else acts.uai_warning(item.uai),
        }

    @expose("/deverrouiller/<pk>/<champ>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def unlock(self, pk: str, champ: str) -> Response:
        """Let the feeds fill a field again."""
        item = self._item(pk, for_update=True)
        if champ.removesuffix("_id") not in self.editable(item):
            abort(404)
        label = acts.LABELS.get(champ, champ)
        commit_act(
            lambda: acts.unlock(db.session(), item, champ, acteur=actor()),
            message=f"« {label} » suivra la prochaine alimentation.",
        )
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))
