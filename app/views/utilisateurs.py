"""People of a school by profile, and of a whole perimeter: lists, suggestions, sheets, files (U1–U4, U8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import Row

from app.extensions import db
from app.models import Etablissement, Personne
from app.queries import curseurs, fiches
from app.queries import gens as reads
from app.queries.gens import Criteres
from app.queries.personnes import PROFIL_LABELS
from app.queries.recherche import matching
from app.security.manager import current_perimetre
from app.security.permissions import Resource
from app.views import listes_gens as shown
from app.views.arguments import checked_pk, choice_arg, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.comptes_retenus import counted_once
from app.views.ecole import current_school
from app.views.fiche_personne import sheet_of
from app.views.listes_gens import LISTE_DU_PROFIL, LISTES, Liste, Vue
from app.views.rendering import day
from app.views.streams import csv_response

SUGGESTIONS = 10
BEFORE, AFTER = 5, 9
SLICE = 500
WORDS = {"profils": PROFIL_LABELS, "listes_des_profils": LISTE_DU_PROFIL}


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
        criteres = shown.criteres_of(chosen, school.id)
        return self.render_template(
            "utilisateurs/liste.html",
            title=chosen.titre,
            liste=chosen,
            ecole=school,
            vue=_school_page(chosen, school, criteres),
            criteres=criteres,
        )

    @expose("/<uai>/utilisateurs/<liste>/export")
    @has_access
    @permission_name("lire")
    def export(self, uai: str, liste: str) -> Response:
        """Send what the list shows, every page of it, or the lines ticked."""
        chosen, school = _list(liste), current_school(uai)
        rows = _school_rows(
            chosen, school, shown.criteres_of(chosen, school.id), ids_arg("rowid", limit=1000)
        )
        return csv_response(f"{school.uai.lower()}-{chosen.cle}.csv", rows)

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
        posts = fiches.posts(db.session(), [row.place for row in rows]) if _has_staff(rows) else {}
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
        session = db.session()
        criteres = shown.criteres_of(chosen, school.id)
        tri = reads.tri_of(criteres)
        row = fiches.position(session, criteres, tri, checked_pk(pk))
        if row is None:
            abort(404)
        before, after = fiches.around(session, criteres, tri, row, BEFORE, AFTER)
        around = [_neighbour(found, chosen, school.uai, criteres.q, pk) for found in (*before, row, *after)]
        sheet = sheet_of(pk, school.id, school.uai)
        if sheet is None:
            abort(404)
        args = shown.list_args()
        return self.render_template(
            "utilisateurs/fiche.html",
            title=str(sheet.personne),
            liste=chosen,
            ecole=school,
            fiche=sheet,
            voisins=around,
            **WORDS,
            precedent=_sheet_url(before[-1], chosen, school.uai, args) if before else "",
            suivant=_sheet_url(after[0], chosen, school.uai, args) if after else "",
            retour=url_for("Utilisateurs.liste", uai=school.uai, liste=chosen.cle, **args),
            criteres=criteres,
        )


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
        criteres = shown.criteres_perimetre(_few_schools())
        return self.render_template(
            "utilisateurs/personnes.html",
            title="Toutes les personnes",
            vue=_perimeter_page(criteres),
            criteres=criteres,
        )

    @expose("/export")
    @has_access
    @permission_name("lire")
    def export(self) -> Response:
        """Send what the list shows, every page of it, or the lines ticked."""
        rows = _perimeter_rows(shown.criteres_perimetre(_few_schools()), ids_arg("rowid", limit=1000))
        return csv_response("personnes.csv", rows)

    @expose("/suggestions")
    @has_access
    @permission_name("lire")
    def suggestions(self) -> str:
        """Answer the first people of the perimeter that what is typed means."""
        typed = text_arg("q").strip()
        criteres = Criteres(profil=choice_arg("profil", PROFIL_LABELS), q=typed, ecoles=_few_schools())
        rows = reads.suggestions(db.session(), criteres, SUGGESTIONS) if typed else []
        where = reads.places(db.session(), [row.id for row in rows])
        people = [
            {
                "nom": shown.marked(shown.full_name(row), typed),
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


def _list(cle: str) -> Liste:
    if cle not in LISTES:
        abort(404)
    return LISTES[cle]


def _few_schools() -> tuple[int, ...]:
    """Return the schools of the perimeter when it names them one by one."""
    held = current_perimetre()
    if held.tout or held.academies or held.collectivites:
        return ()
    return tuple(sorted(held.etablissements)) or (0,)


# -- one school


def _school_page(liste: Liste, school: Etablissement, criteres: Criteres) -> Vue:
    session, tri = db.session(), reads.tri_of(criteres)
    statement = reads.school_list(criteres)
    apres, avant = shown.cursor_args()
    page = curseurs.page(session, statement, tri, shown.size_arg(), apres, avant)
    effectif = reads.headcount(session, _whole(criteres))
    more = shown.extras(liste, page.rows, school.id)
    choices = shown.facettes(liste, _whole(criteres), effectif)
    choices = [_chosen(facette, criteres) for facette in choices]
    filtered = criteres.filtered or (liste.departs and bool(criteres.profil))
    args = shown.list_args()
    return Vue(
        shown.headers(liste.colonnes, criteres, shown.TRIS),
        [
            shown.Ligne(
                row.id,
                shown.full_name(row),
                _sheet_url(row, liste, school.uai, args),
                [(name, shown.cell(name, row, more, school.uai)) for name in liste.colonnes],
            )
            for row in page.rows
        ],
        choices,
        shown.puces(criteres, choices),
        reads.count(session, statement) if filtered else effectif.total,
        shown.size_arg(),
        shown.url_here(avant=page.avant) if page.avant else "",
        shown.url_here(apres=page.apres) if page.apres else "",
        url_for("Utilisateurs.export", uai=school.uai, liste=liste.cle, **args),
        "" if page.debut else shown.url_here(),
        tailles=shown.size_urls(),
    )


def _whole(criteres: Criteres) -> Criteres:
    """Return the list without its filters, for what each choice would keep."""
    profil = "" if criteres.departs else criteres.profil
    return Criteres(criteres.etablissement_id, profil, criteres.departs)


def _chosen(facette: shown.Facette, criteres: Criteres) -> shown.Facette:
    """Return a facet with the choice in force."""
    values = {
        "classe": str(criteres.division_id or ""),
        "niveau": criteres.niveau,
        "discipline": str(criteres.discipline_id or ""),
        "etat": criteres.etat,
        "email": "sans" if criteres.sans_email else "",
        "profil": criteres.profil,
    }
    return shown.Facette(facette.nom, facette.label, facette.choix, values[facette.nom], facette.distante)


def _school_rows(
    liste: Liste, school: Etablissement, criteres: Criteres, only: Sequence[int]
) -> Iterator[Sequence[Any]]:
    """Yield the header then every line, by slices; runs after the request has ended."""
    school_id, uai = school.id, school.uai
    tri = reads.tri_of(criteres)
    statement = reads.school_list(criteres).order_by(*tri.order(backwards=False))
    if only:
        statement = statement.where(Personne.id.in_(only))

    def lines() -> Iterator[Sequence[Any]]:
        yield ["Nom", "Prénom", *[shown.COLONNES[name] for name in liste.colonnes]]
        found = db.session().execute(statement.execution_options(yield_per=SLICE))
        for part in found.partitions():
            more = shown.extras(liste, part, school_id)
            for row in part:
                yield [
                    row.nom_usage or row.nom,
                    row.prenom,
                    *[_plain(name, row, more, uai) for name in liste.colonnes],
                ]

    return lines()


def _plain(name: str, row: Any, more: Any, uai: str) -> Any:
    if name == "compte":
        return shown.ETATS[shown.etat_of(row)]
    if name == "enfants":
        return ", ".join(
            f"{shown.full_name(child)} {child.classe or ''}".strip()
            for child in more.get(name, {}).get(row.id, ())
        )
    text = shown.cell(name, row, more, uai)
    return "" if text == "–" else text


def _has_staff(rows: Sequence[Row[Any]]) -> bool:
    return any(row.profil in {"enseignant", "personnel"} for row in rows)


def _suggested(row: Any, typed: str, uai: str, liste: Liste | None, posts: str) -> dict[str, Any]:
    etat = shown.etat_of(row)
    cle = liste.cle if liste else LISTE_DU_PROFIL[row.profil]
    profil = "" if liste and not liste.departs else PROFIL_LABELS[row.profil]
    return {
        "nom": shown.marked(shown.full_name(row), typed),
        "naissance": day(row.date_naissance) if row.date_naissance else "",
        "detail": ", ".join(text for text in (profil, row.classe or posts) if text),
        "etat": "" if etat == "actif" or (liste and liste.departs) else shown.badge(etat),
        "url": url_for("Utilisateurs.fiche", uai=uai, liste=cle, pk=row.id),
    }


def _neighbour(row: Any, liste: Liste, uai: str, typed: str, pk: int) -> dict[str, Any]:
    found = _suggested(row, typed, uai, liste, "")
    found["url"] = _sheet_url(row, liste, uai, shown.list_args())
    found["ici"] = row.id == pk
    return found


def _sheet_url(row: Any, liste: Liste, uai: str, args: dict[str, Any]) -> str:
    return url_for("Utilisateurs.fiche", uai=uai, liste=liste.cle, pk=row.id, **args)


# -- the whole perimeter


def _perimeter_page(criteres: Criteres) -> Vue:
    session, tri = db.session(), reads.tri_of(criteres)
    statement = reads.perimeter_list(criteres, _match(criteres))
    apres, avant = shown.cursor_args()
    page = curseurs.page(session, statement, tri, shown.size_arg(), apres, avant)
    ids = [row.id for row in page.rows]
    where, accounts = reads.places(session, ids), reads.accounts(session, ids)

    def read() -> int:
        return (
            reads.count(session, statement) if criteres.filtered else reads.count_present(session, criteres)
        )

    choices = [
        shown.Facette("profil", "Profil", list(PROFIL_LABELS.items()), criteres.profil),
        shown.Facette("etat", "Compte", list(shown.ETATS.items()), criteres.etat),
        shown.Facette("email", "E-mail", [("sans", "Sans e-mail")], "sans" if criteres.sans_email else ""),
    ]
    puces, name = shown.puces(criteres, choices), ""
    if criteres.etablissement_id:
        school = session.get(Etablissement, criteres.etablissement_id)
        name = school.nom if school else "aucun de votre périmètre"
        puces.append(shown.Puce(f"Établissement : {name}", shown.url_here(etablissement=None)))
    args = {**shown.list_args(), "etablissement": criteres.etablissement_id}
    return Vue(
        shown.headers(
            ("naissance", "profil", "etablissement", "login", "email", "compte"),
            criteres,
            shown.TRIS_PERIMETRE,
        ),
        [_person_line(row, where.get(row.id, ()), accounts.get(row.id)) for row in page.rows],
        choices,
        puces,
        counted_once(current_perimetre(), criteres, read),
        shown.size_arg(),
        shown.url_here(avant=page.avant) if page.avant else "",
        shown.url_here(apres=page.apres) if page.apres else "",
        url_for("Personnes.export", **args),
        "" if page.debut else shown.url_here(),
        name,
        tailles=shown.size_urls(),
    )


def _match(criteres: Criteres) -> Any:
    return matching(db.session(), criteres.q) if criteres.q else None


def _person_line(row: Any, where: Sequence[Any], account: Any) -> shown.Ligne:
    cells = [
        ("naissance", day(row.date_naissance)),
        ("profil", ", ".join(dict.fromkeys(PROFIL_LABELS[place.profil] for place in where)) or "–"),
        ("etablissement", ", ".join(dict.fromkeys(_place_text(place) for place in where)) or "–"),
        ("login", row.login or "–"),
        ("email", row.email or "–"),
        ("compte", shown.badge(shown.etat_of(account))),
    ]
    return shown.Ligne(row.id, shown.full_name(row), url_for("Personnes.fiche", pk=row.id), cells)


def _place_text(place: Any) -> str:
    return f"{place.etablissement} ({place.classe})" if place.classe else place.etablissement


def _places_text(where: Sequence[Any]) -> str:
    said = [f"{PROFIL_LABELS[place.profil]}, {_place_text(place)}" for place in where]
    return " ; ".join(dict.fromkeys(said))


def _perimeter_rows(criteres: Criteres, only: Sequence[int]) -> Iterator[Sequence[Any]]:
    tri = reads.tri_of(criteres)
    statement = reads.perimeter_list(criteres, _match(criteres))
    if only:
        statement = statement.where(Personne.id.in_(only))

    def lines() -> Iterator[Sequence[Any]]:
        yield ["Nom", "Prénom", "Naissance", "Profil", "Établissement", "Identifiant", "E-mail", "Compte"]
        session, after = db.session(), ""
        while True:
            page = curseurs.page(session, statement, tri, SLICE, after)
            ids = [row.id for row in page.rows]
            where, accounts = reads.places(session, ids), reads.accounts(session, ids)
            for row in page.rows:
                texts = dict(_plain_cells(row, where.get(row.id, ()), accounts.get(row.id)))
                yield [row.nom_usage or row.nom, row.prenom, *texts.values()]
            after = page.apres
            if not after:
                return

    return lines()


def _plain_cells(row: Any, where: Sequence[Any], account: Any) -> Iterator[tuple[str, str]]:
    yield "naissance", day(row.date_naissance) if row.date_naissance else ""
    yield "profil", ", ".join(dict.fromkeys(PROFIL_LABELS[place.profil] for place in where))
    yield "etablissement", ", ".join(dict.fromkeys(_place_text(place) for place in where))
    yield "login", row.login or ""
    yield "email", row.email or ""
    yield "compte", shown.ETATS[shown.etat_of(account)]


def register(appbuilder: Any) -> None:
    """Add the pages; those of a school are reached through its tree."""
    appbuilder.add_view_no_menu(Utilisateurs)
    appbuilder.add_view(Personnes, "Toutes les personnes", icon="people", category="Établissements")
