"""People of a school by profile: lists, suggestions, sheets, files (U1–U4, U8)."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import db
from app.queries import fiches
from app.queries import gens as reads
from app.queries.gens import Criteres, etat_of
from app.queries.invites import place_of
from app.queries.personnes import PROFIL_LABELS
from app.security.permissions import Resource, Verb
from app.views import utilisateurs_pages as pages
from app.views.actes import changes, said
from app.views.arguments import checked_pk, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.fiche_personne import sheet_of
from app.views.gens_cellules import badge, full_name
from app.views.listes_gens import LISTE_DU_PROFIL, LISTES, PeopleList, criteres_of, list_args
from app.views.marking import marked
from app.views.rendering import day
from app.views.streams import csv_response

SUGGESTIONS = 10
BEFORE, AFTER = 5, 9
WORDS: dict[str, Any] = {
    "profils": PROFIL_LABELS,
    "listes_des_profils": LISTE_DU_PROFIL,
    "said": said,
    "changes": changes,
}


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
        chosen, school = _list(liste), current_school(uai)
        criteres = criteres_of(chosen, school.id)
        return self.render_template(
            "utilisateurs/liste.html",
            title=chosen.title,
            liste=chosen,
            ecole=school,
            page=pages.page_of(chosen, school, criteres),
            criteres=criteres,
        )

    @expose("/<uai>/utilisateurs/<liste>/export")
    @has_access
    @permission_name("lire")
    def export(self, uai: str, liste: str) -> Response:
        """Send what the list shows, every page of it, or the lines ticked."""
        chosen, school = _list(liste), current_school(uai)
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
            _suggested(row, typed, school.uai, chosen, ", ".join(posts.get(row.place, ()))) for row in rows
        ]
        return self.render_template("utilisateurs/_suggestions.html", people=people, typed=typed)

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>")
    @has_access
    @permission_name("lire")
    def fiche(self, uai: str, liste: str, pk: int) -> str:
        """Show the sheet of a person, with the people around them in the list one comes from."""
        chosen, school = _list(liste), current_school(uai)
        session, args = db.session(), list_args()
        criteres = criteres_of(chosen, school.id)
        tri = reads.tri_in_school(criteres)
        row = fiches.position(session, criteres, tri, checked_pk(pk))
        if row is None:
            abort(404)
        before, after = fiches.around(session, criteres, tri, row, BEFORE, AFTER)
        sheet = sheet_of(pk, school.id, school.uai, (row.Personne, row.Compte))
        if sheet is None:
            abort(404)
        around = [
            _suggested(one, criteres.q, school.uai, chosen, one.poste, args) for one in (*before, row, *after)
        ]
        around[len(before)]["ici"] = True
        return self.render_template(
            "utilisateurs/fiche.html",
            title=str(sheet.personne),
            liste=chosen,
            ecole=school,
            place=place_of(session, pk, school.id) if _steers_guests(chosen) else None,
            fiche=sheet,
            voisins=around,
            **WORDS,
            precedent=around[len(before) - 1]["url"] if before else "",
            suivant=around[len(before) + 1]["url"] if after else "",
            retour=url_for("Utilisateurs.liste", uai=school.uai, liste=chosen.key, **args),
            criteres=criteres,
        )


def _list(key: str) -> PeopleList:
    if key not in LISTES:
        abort(404)
    return LISTES[key]


def _steers_guests(liste: PeopleList) -> bool:
    return liste.profil == "invite" and allowed_here(Resource.INVITE, Verb.ECRIRE)


def _suggested(
    row: Any,
    typed: str,
    uai: str,
    chosen: PeopleList | None,
    post: str | None,
    args: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return somebody as suggestions and neighbours show them."""
    etat, departs = etat_of(row), bool(chosen and chosen.departs)
    profil = "" if chosen and not departs else PROFIL_LABELS[row.profil]
    key = chosen.key if chosen else LISTE_DU_PROFIL[row.profil]
    return {
        "nom": marked(full_name(row), typed),
        "naissance": day(row.date_naissance) if row.date_naissance else "",
        "detail": ", ".join(text for text in (profil, row.classe or post) if text),
        "etat": "" if etat == "actif" or departs else badge(etat),
        "url": url_for("Utilisateurs.fiche", uai=uai, liste=key, pk=row.id, **(args or {})),
    }


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached through the tree of the school."""
    appbuilder.add_view_no_menu(Utilisateurs)
