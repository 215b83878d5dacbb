"""Saved views and chosen columns of a list: forms that come back to the list they come from.

A page that offers them adds its endpoint to ``PAGES``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import abort, current_app, redirect, request
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.extensions import db
from app.models import VueEnregistree
from app.operations import vues as acts
from app.operations.console import prefer
from app.queries import vues as reads
from app.security.manager import current_account
from app.security.permissions import Resource
from app.views.acts import commit_act
from app.views.arguments import checked_pk, text_arg
from app.views.base import PreauBaseView

PAGES = {"VueAcademie.liste": "colonnes.etablissements"}
"""Endpoint of each list that has saved views → the preference that keeps its columns."""


def _list_of_form() -> tuple[str, str, str]:
    """Return the endpoint, the path and the query string of the list the form comes from; 400 otherwise."""
    parts = urlsplit(request.form.get("adresse", ""))
    try:
        endpoint, _values = current_app.url_map.bind("").match(parts.path, method="GET")
    except HTTPException:
        abort(400)
    if endpoint not in PAGES or parts.netloc or parts.scheme:
        abort(400)
    return endpoint, parts.path, parts.query


def _account_id() -> int:
    account = current_account()
    if account is None:
        abort(401)
    return account.id


class VuesEnregistrees(PreauBaseView):
    """What a person keeps about their lists; everybody has their own."""

    resource = Resource.MON_ESPACE
    route_base = "/vues"
    default_view = "save"

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("lire")
    def save(self) -> Response:
        """Give a name to the state of a list."""
        page, path, query = _list_of_form()
        name, who = request.form.get("nom", "")[:200], _account_id()
        commit_act(
            lambda: acts.enregistrer(db.session(), compte_id=who, page=page, nom=name, arguments=query),
            message=f"Vue « {text_arg('nom', request.form)} » enregistrée.",
        )
        return redirect(f"{path}?{query}" if query else path)

    @expose("/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("lire")
    def change(self, pk: int) -> Response:
        """Rename a view, or forget it."""
        vue = self._mine(pk)
        _page, path, query = _list_of_form()
        if "supprimer" in request.form:
            commit_act(lambda: acts.supprimer(db.session(), vue), message=f"Vue « {vue.nom} » supprimée.")
        else:
            name = request.form.get("nom", "")[:200]
            commit_act(lambda: acts.renommer(db.session(), vue, name), message="Vue renommée.")
        return redirect(f"{path}?{query}" if query else path)

    @expose("/colonnes", methods=["POST"])
    @has_access
    @permission_name("lire")
    def columns(self) -> Response:
        """Remember the columns of a list."""
        page, path, query = _list_of_form()
        chosen = [] if "habituelles" in request.form else request.form.getlist("colonne")[:40]
        names = [name for name in chosen if name.isidentifier() and len(name) <= 40]
        who = _account_id()
        commit_act(
            lambda: prefer(db.session(), who, PAGES[page], names or None),
            message="Colonnes habituelles rétablies." if not names else "Colonnes enregistrées.",
        )
        return redirect(f"{path}?{query}" if query else path)

    def _mine(self, pk: int) -> VueEnregistree:
        vue = reads.view(db.session(), _account_id(), checked_pk(pk))
        if vue is None:
            abort(404)
        return vue


def register(appbuilder: Any) -> None:
    """Add the forms; they have no page of their own."""
    appbuilder.add_view_no_menu(VuesEnregistrees)
