"""People of a school by profile: lists, suggestions, sheets, files (U1–U4, U8)."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import db
from app.queries import fiches
from app.queries import gens as reads
from app.queries.gens import Criteres
from app.security.permissions import Resource
from app.views import utilisateurs_pages as pages
from app.views.arguments import checked_pk, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.departs import days_kept
from app.views.ecole import current_school
from app.views.fiche_page import chosen_list, sheet_page, suggested
from app.views.listes_gens import LISTES, criteres_of
from app.views.streams import csv_response

SUGGESTIONS = 10


class Utilisateurs(PreauBaseView):
    """People of one school: one list for each profile, and those who left."""

    resource = Resource.PERSONNE
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/utilisateurs/")
    @has_access
    @permission_name("lire")
    def index(self, uai: str) -> Any:
        """Go to the first list."""
        return redirect(url_for("Utilisateurs.liste", uai=current_school(uai).uai, liste="eleves"))

    @expose("/<uai>/utilisateurs/<liste>/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str, liste: str) -> str:
        """Show one page of a list."""
        chosen, school = chosen_list(liste), current_school(uai)
        criteres = criteres_of(chosen, school.id)
        return self.render_template(
            "utilisateurs/liste.html",
            title=chosen.title,
            liste=chosen,
            ecole=school,
            page=pages.page_of(chosen, school, criteres),
            jours_gardes=days_kept(),
            criteres=criteres,
        )

    @expose("/<uai>/utilisateurs/<liste>/export")
    @has_access
    @permission_name("lire")
    def export(self, uai: str, liste: str) -> Response:
        """Send what the list shows, every page of it, or the lines ticked."""
        chosen, school = chosen_list(liste), current_school(uai)
        rows = pages.file_rows(chosen, school, criteres_of(chosen, school.id), ids_arg("rowid", limit=1000))
        return csv_response(f"{school.uai.lower()}-{chosen.key}.csv", rows)

    @expose("/<uai>/utilisateurs/suggestions")
    @has_access
    @permission_name("lire")
    def suggestions(self, uai: str) -> str:
        """Answer the first people that what is typed means, in one list of the school or in all."""
        school = current_school(uai)
        chosen = LISTES.get(request.args.get("liste", ""))
        typed = text_arg("q").strip()
        criteres = Criteres(
            school.id, chosen.profil if chosen else "", departs=bool(chosen and chosen.departs), q=typed
        )
        rows = reads.suggestions_in_school(db.session(), criteres, SUGGESTIONS) if typed else []
        staff = [row.place for row in rows if row.profil in {"enseignant", "personnel"}]
        posts = fiches.posts(db.session(), staff) if staff else {}
        people = [
            suggested(row, typed, school.uai, chosen, ", ".join(posts.get(row.place, ()))) for row in rows
        ]
        return self.render_template("utilisateurs/_suggestions.html", people=people, typed=typed)

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>")
    @has_access
    @permission_name("lire")
    def fiche(self, uai: str, liste: str, pk: int) -> str:
        """Show the sheet of a person, with the people around them in the list one comes from."""
        return sheet_page(self, chosen_list(liste), current_school(uai), checked_pk(pk))


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached through the tree of the school."""
    appbuilder.add_view_no_menu(Utilisateurs)
