"""«Toutes les personnes»: the people of every school of the perimeter, one list (U1–U3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Response, abort, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from markupsafe import Markup

from app.extensions import PARIS, db
from app.models import Etablissement, Personne
from app.queries import curseurs
from app.queries import gens as reads
from app.queries.gens import Criteres, etat_of
from app.queries.personnes import PROFIL_LABELS
from app.queries.recherche import matching
from app.security.manager import allowed, current_perimetre
from app.security.permissions import Resource, Verb
from app.views import listes_gens as lists
from app.views.arguments import address_of, checked_pk, choice_arg, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.comptes_retenus import counted_once
from app.views.cursor_pages import cursor_args, pager, size_arg, url_here
from app.views.fiche_page import WORDS
from app.views.fiche_personne import sheet_of
from app.views.gens_cellules import badge, email_cell, full_name, headers
from app.views.gens_filtres import chips
from app.views.list_parts import Chip, Facet, Row
from app.views.listes_gens import ETATS, PERIMETER_SORTS, PeoplePage, criteres_perimetre
from app.views.marking import marked
from app.views.rendering import day
from app.views.streams import csv_response
from app.views.utilisateurs import SUGGESTIONS
from app.views.utilisateurs_pages import SLICE

COLUMNS = ("naissance", "profil", "etablissement", "joindre", "compte", "creation")
FILE_COLUMNS = ("naissance", "profil", "etablissement", "login", "email", "compte", "creation")


class Personnes(PreauBaseView):
    """People of every school of the perimeter, one list."""

    resource = Resource.PERSONNE
    route_base = "/personnes"
    default_view = "liste"

    @expose("/")
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """Show one page of the list."""
        criteres = criteres_perimetre(current_perimetre().named_schools)
        return self.render_template(
            "utilisateurs/personnes.html",
            title="Toutes les personnes",
            page=_page(criteres),
            criteres=criteres,
        )

    @expose("/export")
    @has_access
    @permission_name("lire")
    def export(self) -> Response:
        """Send what the list shows, every page of it, or the lines ticked."""
        rows = _file_rows(criteres_perimetre(current_perimetre().named_schools), ids_arg("rowid", limit=1000))
        return csv_response("personnes.csv", rows)

    @expose("/suggestions")
    @has_access
    @permission_name("lire")
    def suggestions(self) -> str:
        """Answer the first people of the perimeter that what is typed means."""
        typed = text_arg("q").strip()
        criteres = Criteres(
            profil=choice_arg("profil", PROFIL_LABELS), q=typed, ecoles=current_perimetre().named_schools
        )
        rows = reads.suggestions(db.session(), criteres, SUGGESTIONS) if typed else []
        where = reads.places(db.session(), [row.id for row in rows])
        people = [
            {
                "nom": marked(full_name(row), typed),
                "naissance": day(row.date_naissance) if row.date_naissance else "",
                "detail": _places_text(where.get(row.id, ())),
                "etat": "",
                "url": url_for("Personnes.fiche", pk=row.id),
            }
            for row in rows
        ]
        return self.render_template("utilisateurs/_suggestions.html", people=people, typed=typed)

    @expose("/<int:pk>")
    @has_access
    @permission_name("lire")
    def fiche(self, pk: int) -> str:
        """Show the sheet of a person, outside any school."""
        sheet = sheet_of(checked_pk(pk), None, "")
        if sheet is None:
            abort(404)
        return self.render_template(
            "utilisateurs/personne.html", title=str(sheet.personne), fiche=sheet, **WORDS
        )


def _page(criteres: Criteres) -> PeoplePage:
    session = db.session()
    statement = _statement(criteres)
    page = curseurs.page(session, statement, reads.tri_of(criteres), size_arg(), *cursor_args())
    where = reads.places(session, [row.id for row in page.rows])

    def read() -> int:
        return (
            reads.count(session, statement) if criteres.filtered else reads.count_present(session, criteres)
        )

    facets = [
        Facet("profil", "Profil", criteres.profil, list(PROFIL_LABELS.items())),
        Facet("etat", "Compte", criteres.etat, list(ETATS.items())),
        Facet("email", "E-mail", "sans" if criteres.sans_email else "", [("sans", "Sans e-mail")]),
    ]
    school = _school_name(criteres)
    school_chip = [Chip(f"Établissement : {school}", url_here(etablissement=None))] if school else []
    args = {**lists.list_args(), "etablissement": criteres.etablissement_id}
    return PeoplePage(
        columns=headers(COLUMNS, criteres, PERIMETER_SORTS),
        rows=_rows(page.rows, where),
        facets=facets,
        chips=[*chips(criteres, facets), *school_chip],
        pager=pager(page, counted_once(current_perimetre(), criteres, read)),
        export_url=url_for("Personnes.export", **args),
        acts_url=url_for("ActesEnNombre.preparer", **args) if allowed(Verb.ECRIRE, Resource.PERSONNE) else "",
        school=school,
    )


def _statement(criteres: Criteres) -> Any:
    match = matching(db.session(), criteres.q) if criteres.q else None
    return reads.perimeter_list(criteres, match)


def _school_name(criteres: Criteres) -> str:
    if not criteres.etablissement_id:
        return ""
    school = db.session().get(Etablissement, criteres.etablissement_id)
    return school.nom if school else "aucun de votre périmètre"


def _rows(people: Sequence[Any], where: Mapping[int, Sequence[Any]]) -> list[Row]:
    url, rows = address_of("Personnes.fiche"), []
    for person in people:
        texts = _texts(person, where.get(person.id, ()))
        said: dict[str, Any] = {name: text or "–" for name, text in texts}
        said["compte"] = badge(etat_of(person))
        said["joindre"] = _reach(person.login, person.email)
        rows.append(Row(person.id, full_name(person), url(person.id), [said[name] for name in COLUMNS]))
    return rows


def _reach(login: str | None, email: str | None) -> str | Markup:
    """Return the login, the e-mail under it."""
    if not email:
        return login or "–"
    return Markup('{}<span class="pr-second">{}</span>').format(login or "–", email_cell(email))


def _texts(row: Any, where: Sequence[Any]) -> Iterator[tuple[str, str]]:
    yield "naissance", day(row.date_naissance) if row.date_naissance else ""
    yield "profil", ", ".join(dict.fromkeys(PROFIL_LABELS[place.profil] for place in where))
    yield "etablissement", ", ".join(dict.fromkeys(_place_text(place) for place in where))
    yield "login", row.login or ""
    yield "email", row.email or ""
    yield "compte", ETATS[etat_of(row)]
    yield "creation", day(row.cree_le.astimezone(PARIS))


def _place_text(place: Any) -> str:
    return f"{place.etablissement} ({place.classe})" if place.classe else place.etablissement


def _places_text(where: Sequence[Any]) -> str:
    said = [f"{PROFIL_LABELS[place.profil]}, {_place_text(place)}" for place in where]
    return " ; ".join(dict.fromkeys(said))


def _file_rows(criteres: Criteres, only: Sequence[int]) -> Iterator[Sequence[Any]]:
    tri = reads.tri_of(criteres)
    statement = _statement(criteres)
    if only:
        statement = statement.where(Personne.id.in_(only))

    def lines() -> Iterator[Sequence[Any]]:
        yield ["Nom", "Prénom", *[lists.COLUMN_LABELS[name] for name in FILE_COLUMNS]]
        session, after = db.session(), ""
        while True:
            page = curseurs.page(session, statement, tri, SLICE, after)
            where = reads.places(session, [row.id for row in page.rows])
            for row in page.rows:
                texts = dict(_texts(row, where.get(row.id, ())))
                yield [row.nom_usage or row.nom, row.prenom, *texts.values()]
            after = page.apres
            if not after:
                return

    return lines()


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(Personnes, "Toutes les personnes", icon="people", category="Établissements")
