"""«Changer d'établissement»: any part of the name, the UAI or the town; favourites and recents (C4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response

from app.extensions import db
from app.operations.console import keep_favourite
from app.queries import etablissements as reads
from app.security.manager import current_account
from app.security.permissions import Resource
from app.security.rebonds import safe_next
from app.views.arbre import NODES, node_of
from app.views.arguments import text_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school
from app.views.surligner import marked

RECENTS = 8


@dataclass(frozen=True)
class Group:
    """Some schools under one heading."""

    label: str
    icon: str
    schools: Sequence[reads.Choix]


def groups(found: Sequence[reads.Choix], typed: str) -> list[Group]:
    """Sort what was found under headings: without a search, what is at hand first."""
    if typed:
        return [Group("Établissements", "building", found)] if found else []
    favourites = [one for one in found if one.favori]
    visited = [one for one in found if one.visite and not one.favori][:RECENTS]
    others = [one for one in found if one not in favourites and one not in visited]
    return [
        Group(label, icon, schools)
        for label, icon, schools in (
            ("Favoris", "star-fill", favourites),
            ("Récents", "clock-history", visited),
            ("Autres établissements", "building", others),
        )
        if schools
    ]


class ChoixEtablissement(PreauBaseView):
    """The schools one may go to, as a page and as the options of the dialog."""

    resource = Resource.ETABLISSEMENT
    route_base = "/etablissements"
    default_view = "choisir"

    @expose("/choisir")
    @has_access
    @permission_name("lire")
    def choisir(self) -> str:
        """Show the schools that match what is typed; the same page of each, when it has it."""
        account = current_account()
        typed = text_arg("q").strip()
        found = reads.choices(db.session(), typed, account.id if account else 0)
        fragment = request.headers.get("HX-Request") == "true"
        node = node_of(text_arg("page")) or NODES[0]
        return self.render_template(
            "console/_choix.html" if fragment else "console/choisir.html",
            title="Changer d’établissement",
            groups=groups(found, typed),
            typed=typed,
            page=node.key,
            address=lambda school: node.url(school.uai) or NODES[0].url(school.uai),
            marked=marked,
        )


class Favoris(PreauBaseView):
    """The star of a school."""

    resource = Resource.ETABLISSEMENT
    route_base = "/favoris"
    default_view = "garder"

    @expose("/<uai>", methods=["POST"])
    @has_access
    @permission_name("lire")
    def garder(self, uai: str) -> str | Response:
        """Keep a school at hand, or no longer."""
        school, account = current_school(uai), current_account()
        kept = request.form.get("garder") == "1"
        school_id, nom = school.id, school.nom
        message = f"« {nom} » est dans vos favoris." if kept else f"« {nom} » n’est plus dans vos favoris."
        commit_act(
            lambda: keep_favourite(db.session(), account.id if account else 0, school_id, kept=kept),
            message=message,
        )
        back = safe_next(request.form.get("retour")) or url_for("ChoixEtablissement.choisir")
        return redirect(back)


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the top band."""
    appbuilder.add_view_no_menu(ChoixEtablissement)
    appbuilder.add_view_no_menu(Favoris)
