"""«Clés d’API»: made, shown once, withdrawn; and the reference of the API beside them (X5)."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.actions import action
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response
from wtforms import PasswordField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from app.api.openapi import description_of
from app.errors import RuleViolationError, UserError
from app.extensions import db
from app.models import CleApi, Etablissement
from app.operations import cles_api
from app.security.cles import fits, may_give
from app.security.connexion import check_own_password
from app.security.manager import current_account
from app.security.permissions import Resource
from app.security.roles import ROLE_LABELS, ROLE_PORTEES, Portee, Role
from app.views.actors import actor
from app.views.acts import run_act, show_refusal
from app.views.base import READ_ONLY, DomainInterface, PreauBaseView, PreauModelView

ROLES = {str(role): label for role, label in ROLE_LABELS.items() if ROLE_PORTEES[role] is not Portee.SOI}
DURATIONS = {"30": "30 jours", "90": "3 mois", "365": "Un an", "730": "Deux ans"}
ETATS = {"active": "Active", "expiree": "Expirée", "revoquee": "Révoquée"}
OVER = {
    Portee.PLATEFORME: (
        "Ce rôle porte sur toute la plate-forme : laissez académie, collectivité et établissement vides."
    ),
    Portee.ACADEMIE: "Ce rôle porte sur une académie : choisissez-la, elle seule.",
    Portee.COLLECTIVITE: "Ce rôle porte sur une collectivité : choisissez-la, elle seule.",
    Portee.ETABLISSEMENT: "Ce rôle porte sur un établissement : choisissez-le, lui seul.",
}


class CleApiView(PreauModelView):
    """The keys of one's perimeter, and those one made."""

    resource = Resource.CLE_API
    route_base = "/referentiel/cles-api"
    datamodel = DomainInterface(CleApi)
    include_route_methods = {*READ_ONLY, "add", "action", "action_post"}
    list_template = "cles_api/liste.html"
    list_title = "Clés d’API"
    add_title = "Créer une clé"
    add_verb = "Créer la clé"
    list_columns = ["nom", "prefixe", "role", "ecriture", "etat", "expire_le", "vue_le", "compte"]
    order_columns = ["nom", "expire_le", "vue_le"]
    search_columns = ["nom", "role", "ecriture"]
    search_hint = "Nom de la clé"
    base_order = ("id", "desc")
    choices_columns = {"role": ROLES}
    plain_relations = frozenset({"academie", "collectivite"})
    label_columns = {
        "nom": "Programme",
        "prefixe": "Début",
        "role": "Droits de",
        "academie": "Académie",
        "collectivite": "Collectivité",
        "etablissement": "Établissement",
        "ecriture": "Permet d’écrire",
        "jours": "Durée",
        "etat": "État",
        "expire_le": "Expire le",
        "vue_le": "Dernier appel",
        "compte": "Créée par",
        "creee_le": "Créée le",
        "revoquee_le": "Révoquée le",
        "revoquee_par": "Révoquée par",
    }
    description_columns = {
        "nom": "Le programme qui s’en servira. Exemple : Pronote, annuaire.",
        "role": "La clé voit et fait ce que ce rôle permet, jamais plus que vous.",
        "ecriture": "Sans cette case, la clé ne fait que lire.",
    }
    formatters_columns = {"etat": lambda etat: ETATS[etat], "prefixe": lambda prefixe: f"{prefixe}…"}
    add_columns = ["nom", "role", "academie", "collectivite", "etablissement", "jours", "ecriture", "actuel"]
    add_fieldsets = [
        ("Le programme et ce qu’il peut", {"fields": ["nom", "role", "ecriture"]}),
        (
            "Sur quoi, et pour combien de temps",
            {"fields": ["academie", "collectivite", "etablissement", "jours", "actuel"]},
        ),
    ]
    add_form_extra_fields = {
        "jours": SelectField(
            "Durée",
            choices=[SelectChoice(value, text) for value, text in DURATIONS.items()],
            default="365",
            validators=[InputRequired()],
        ),
        "actuel": PasswordField(
            "Votre mot de passe",
            validators=[InputRequired("Tapez votre mot de passe : une clé agit en votre nom.")],
            description="Une clé agit en votre nom : elle est révoquée si vous en changez.",
            render_kw={"autocomplete": "current-password"},
        ),
    }
    show_fieldsets = [
        (
            "Clé",
            {"fields": ["nom", "prefixe", "role", "academie", "collectivite", "etablissement", "ecriture"]},
        ),
        (
            "Vie de la clé",
            {"fields": ["etat", "creee_le", "compte", "expire_le", "vue_le", "revoquee_le", "revoquee_par"]},
        ),
    ]
    show_columns = [name for _title, group in show_fieldsets for name in group["fields"]]
    empty_title = "Aucune clé"
    empty_text = (
        "Une clé laisse un programme lire l’annuaire, ou agir sur les comptes, dans un périmètre précis."
    )

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> str | Response:
        """Show or post the form of a new key; its secret is shown once, in the answer."""
        form = self.add_form()
        for name in ("academie", "collectivite", "etablissement"):
            form[name].flags.selon = "selon le rôle"
        if request.method == "GET":
            form.role.data = str(Role.CORRESPONDANT)
        if not _knows_password():
            del form.actuel
        if request.method == "POST" and form.validate() and _proven(form):
            made, refusal = run_act(lambda: self._make(form))
            if refusal is None:
                key, secret = made
                return self.render_template(
                    "cles_api/creee.html",
                    title="Clé créée",
                    cle=key,
                    secret=secret,
                    view=self,
                    adresse=url_for("CleCouranteApi.courante", _external=True),
                )
            show_refusal(refusal, form)
        return self._form_page(self.add_template, self.add_title, form)

    def _make(self, form: Any) -> tuple[CleApi, str]:
        account = current_account()
        school: Etablissement | None = form.etablissement.data
        portee = cles_api.Portee(
            form.academie.data.id if form.academie.data else None,
            form.collectivite.data.id if form.collectivite.data else None,
            school.id if school else None,
        )
        role = form.role.data
        if not fits(role, portee):
            raise RuleViolationError(OVER[ROLE_PORTEES[role]], field="role")
        if account is None or not may_give(account, role, portee, school):
            raise RuleViolationError(
                "Vous ne tenez pas tous les droits de ce rôle sur ce périmètre : une clé ne peut pas en"
                " donner plus que vous. Choisissez un autre rôle ou un autre périmètre.",
                field="role",
            )
        return cles_api.creer(
            db.session(),
            nom=form.nom.data,
            role=role,
            portee=portee,
            ecriture=form.ecriture.data,
            jours=int(form.jours.data),
            compte=account,
            acteur=actor(),
        )

    @action(
        "revoquer",
        "Révoquer",
        "Le programme qui s’en sert sera refusé dès son prochain appel. Cela ne s’annule pas : il faudra"
        " créer une autre clé.",
        "",
    )
    def revoquer(self, items: Any) -> str:
        """Withdraw keys."""
        keys = items if isinstance(items, list) else [items]
        for key in keys:
            cles_api.revoquer(db.session(), key, acteur=actor())
        return "Clé révoquée." if len(keys) == 1 else f"{len(keys)} clés révoquées."


def _knows_password() -> bool:
    """Tell whether the account has a password here; the académie's own sign-in vouches for the others."""
    account = current_account()
    return account is not None and bool(account.password)


def _proven(form: Any) -> bool:
    """Make sure of who makes the key: a page left open is not enough."""
    account = current_account()
    if "actuel" not in form or account is None:
        return account is not None
    db.session.rollback()  # counting the try takes a transaction of its own: SQLite has one writer
    try:
        check_own_password(account, form.actuel.data or "")
    except UserError as error:
        form.actuel.errors = [error.message]
        return False
    return True


class ReferenceApi(PreauBaseView):
    """What the API offers, read off its OpenAPI description."""

    resource = Resource.CLE_API
    route_base = "/referentiel/api"
    default_view = "reference"

    @expose("/")
    @has_access
    @permission_name("lire")
    def reference(self) -> str:
        """Show every call, what it takes and what it answers."""
        return self.render_template(
            "cles_api/reference.html",
            title="Référence de l’API",
            api=description_of(current_app),
            adresse=request.host_url.rstrip("/"),
        )


def register(appbuilder: Any) -> None:
    """Add the pages to the menu."""
    appbuilder.add_view(CleApiView, "Clés d’API", icon="key", category="Droits")
    appbuilder.add_view_no_menu(ReferenceApi)
