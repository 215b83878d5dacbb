"""«Identifiants»: who waits for a first connection, their codes as a file or as cards to hand out (U14).

The page shows no code. A file of codes asks for the right to write, is a post (nothing of it is in an
address), is never cached, and leaves a line in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import abort, current_app, redirect, request, send_file, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.exports.cartes import PAR_PAGE
from app.extensions import db
from app.models import Etablissement, Tache
from app.operations import codes, sorties
from app.operations import identifiants as acts
from app.queries import identifiants as reads
from app.queries.identifiants import Choix
from app.queries.personnes import PROFIL_LABELS
from app.security.manager import current_account
from app.security.permissions import Resource, Verb
from app.views import gens_cellules as cells
from app.views import listes_gens as shown
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.labels import school_level
from app.views.rendering import day, instant
from app.views.streams import csv_response

SIZE = 50
PROFILS = {
    "eleve": "Élèves",
    "enseignant": "Enseignants",
    "responsable": "Parents",
    "personnel": "Personnels",
    "invite": "Autres (invités)",
    "supprime": "Utilisateurs supprimés",
}
ETATS = {"actif": "Actif", "inactif": "Inactif"}
PREMIERE_CONNEXION = "PremiereView.qui"
FILTRES = ("profil", "niveau", "classe", "etat", "q")
COLONNES = {
    "eleve": ["Date de naissance", "Niveau", "Classe", "Identifiant", "Code d’activation"],
    "responsable": [
        "Adresse", "Code postal", "Commune", "Identifiant", "Code d’activation",
        "Enfants", "Codes d’activation des enfants",
    ],
    "supprime": ["Date de naissance", "Profil", "Parti le", "Identifiant"],
}  # fmt: skip
AUTRES = ["Date de naissance", "E-mail", "Identifiant", "Code d’activation"]


class Identifiants(PreauBaseView):
    """First-connection identifiers of a school."""

    resource = Resource.IDENTIFIANT
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/identifiants/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """Show who is chosen, and how many still wait for their first connection."""
        school = current_school(uai)
        choix = choix_of(school.id, request.args)
        counts = reads.count(db.session(), choix)
        last = max(0, (counts.total - 1) // SIZE)
        number = min((as_id(request.args.get("page", "")) or 1) - 1, last)
        rows = reads.page(db.session(), choix, offset=number * SIZE, limit=SIZE)
        levels, classes = reads.levels_and_classes(db.session(), school.id)
        kin = (
            reads.children(db.session(), [row.id for row in rows], school.id)
            if choix.profil == "responsable"
            else {}
        )
        return self.render_template(
            "identifiants/liste.html",
            title="Identifiants de première connexion",
            school=school,
            choix=choix,
            counts=counts,
            lines=[line_of(row, kin.get(row.id, ()), school.uai) for row in rows],
            profils=PROFILS,
            etats=ETATS,
            niveaux=levels,
            classes=classes,
            args=choix_args(choix),
            first=number * SIZE + 1,
            previous=_page_url(school.uai, choix, number) if number else "",
            following=_page_url(school.uai, choix, number + 2) if number < last else "",
            can_give=allowed_here(Resource.IDENTIFIANT, Verb.ECRIRE),
        )

    @expose("/<uai>/identifiants/exporter", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def exporter(self, uai: str) -> Response:
        """Send the identifiers chosen as a file for a spreadsheet; the journal says who took them."""
        school = current_school(uai)
        school_uai, choix = school.uai, choix_of(school.id, request.form)

        def note() -> None:
            counts = reads.count(db.session(), choix)
            given = 0 if choix.profil == "supprime" else counts.jamais
            acts.note_export(db.session(), choix, personnes=counts.total, codes=given, acteur=actor())

        _done, refusal = run_act(note)
        if refusal is not None:
            raise refusal
        key = current_app.extensions["reglages"].code_key()
        return csv_response(f"{school_uai.lower()}-identifiants-{choix.profil}.csv", csv_rows(choix, key))

    @expose("/<uai>/identifiants/cartes", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def cartes(self, uai: str) -> str | Response:
        """Choose how cards are printed; then ask for them."""
        school = current_school(uai)
        source = request.form if request.method == "POST" else request.args
        school_uai, choix = school.uai, choix_of(school.id, source)
        asked, refusal = request.form.get("par_page", ""), None
        if request.method == "POST" and asked not in {str(number) for number in PAR_PAGE}:
            return redirect(url_for(".cartes", uai=school_uai, **choix_args(choix)))
        if request.method == "POST":
            task, refusal = run_act(
                lambda: acts.ask_cards(
                    db.session(),
                    choix,
                    par_page=int(asked),
                    nouveaux=request.form.get("nouveaux") == "1",
                    adresse=first_connection_url(),
                    acteur=actor(),
                )
            )
            if refusal is None:
                return redirect(url_for(".suivre", uai=school_uai, tache_id=task.id))
            school = current_school(uai)
        return self.render_template(
            "identifiants/cartes.html",
            title="Imprimer les cartes",
            school=school,
            choix=choix,
            counts=reads.count(db.session(), choix),
            profils=PROFILS,
            args=choix_args(choix),
            refusal=refusal,
            back=url_for(".liste", uai=school.uai, **choix_args(replace(choix, places=()))),
            asked=asked or "8",
        )

    @expose("/<uai>/identifiants/cartes/<int:tache_id>")
    @has_access
    @permission_name("ecrire")
    def suivre(self, uai: str, tache_id: int) -> str:
        """Follow the drawing of cards, then offer the file."""
        school = current_school(uai)
        task = my_task(tache_id, school, acts.IMPRIMER)
        asked = task.parametres["choix"]
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "identifiants/_progression.html" if fragment else "identifiants/progression.html",
            title="Cartes de première connexion",
            school=school,
            task=task,
            address=url_for(".suivre", uai=school.uai, tache_id=task.id),
            file_url=url_for(".fichier", uai=school.uai, tache_id=task.id) if kept_file(task) else "",
            back=url_for(".liste", uai=school.uai, **choix_args(Choix(**{**asked, "places": ()}))),
        )

    @expose("/<uai>/identifiants/cartes/<int:tache_id>/fichier")
    @has_access
    @permission_name("ecrire")
    def fichier(self, uai: str, tache_id: int) -> Response:
        """Send the file to who asked for it, while it is kept."""
        school = current_school(uai)
        task = my_task(tache_id, school, acts.IMPRIMER)
        path = kept_file(task)
        if path is None:
            abort(404)
        name = f"{school.uai.lower()}-cartes-premiere-connexion.pdf"
        answer = send_file(
            path, mimetype="application/pdf", as_attachment=True, download_name=name, max_age=0
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


def my_task(tache_id: int, school: Etablissement, type_: str) -> Tache:
    """Return a task this person asked for in this school; 404 for anybody else's."""
    account = current_account()
    task = db.session.scalars(
        select(Tache).where(
            Tache.id == checked_pk(tache_id),
            Tache.type == type_,
            Tache.etablissement_id == school.id,
            Tache.compte_id == (account.id if account else 0),
        )
    ).first()
    if task is None:
        abort(404)
    return task


def kept_file(task: Tache) -> Any:
    """Return the path of the file a task made, None before its end and after a day."""
    made = task.resultat or {}
    if task.etat != "finie" or "sortie" not in made:
        return None
    root = current_app.extensions["reglages"].dossier
    return sorties.find(root, str(made["sortie"]), str(made["fichier"]))


def first_connection_url() -> str:
    """Return where one connects for the first time; nothing of anybody is in it (K5)."""
    return f"{deployment().adresse}{url_for(PREMIERE_CONNEXION)}"


def choix_of(etablissement_id: int, source: MultiDict[str, str]) -> Choix:
    """Return whose identifiers an address or a form asks for; what is unknown counts as absent."""
    profil = source.get("profil", "")
    etat = source.get("etat", "")
    choix = Choix(etablissement_id, profil if profil in PROFILS else "eleve", q=text_arg("q", source).strip())
    etat = etat if etat in ETATS and choix.profil != "supprime" else ""
    choix = replace(choix, etat=etat, places=tuple(ids_arg("rowid", source, limit=1000)))
    if not choix.par_classe:
        return choix
    division = as_id(source.get("classe", ""))
    return replace(choix, niveau=text_arg("niveau", source)[:60], division_id=division)


def choix_args(choix: Choix) -> dict[str, Any]:
    """Return the choice as arguments of an address or hidden fields."""
    values = {
        "profil": choix.profil,
        "niveau": choix.niveau,
        "classe": choix.division_id,
        "etat": choix.etat,
        "q": choix.q,
        "rowid": list(choix.places),
    }
    return {name: value for name, value in values.items() if value}


def _page_url(uai: str, choix: Choix, number: int) -> str:
    return url_for(".liste", uai=uai, **choix_args(choix), page=number if number > 1 else None)


def line_of(row: Any, children: Sequence[Any], uai: str) -> dict[str, Any]:
    """Return one line of the list as it is shown."""
    gone = row.fin is not None
    liste = "suppressions" if gone else shown.LISTE_DU_PROFIL[row.profil]
    return {
        "pk": row.place,
        "nom": cells.full_name(row),
        "url": url_for("Utilisateurs.fiche", uai=uai, liste=liste, pk=row.id),
        "naissance": day(row.date_naissance),
        "classe": row.classe or "–",
        "enfants": cells.children_cell(children, uai),
        "profil": PROFIL_LABELS[row.profil],
        "ville": " ".join(text for text in (row.code_postal, row.commune) if text) or "–",
        "depart": instant(row.fin) if gone else "",
        "login": row.login or "–",
        "email": row.email or "–",
        "etat": cells.badge(cells.etat_of(row)),
    }


def csv_rows(choix: Choix, key: str) -> Iterator[Sequence[Any]]:
    """Yield the header then every line; runs after the request has ended."""
    yield ["Nom", "Prénom", *COLONNES.get(choix.profil, AUTRES), "État du compte"]
    session = db.session()
    ids = reads.place_ids(session, choix)
    for row, children in reads.with_children(session, choix, ids):
        yield [row.nom_usage or row.nom, row.prenom, *_cells(choix.profil, row, children, key), _state(row)]


def _state(row: Any) -> str:
    return "Supprimé" if row.fin is not None else shown.ETATS[cells.etat_of(row)]


def _code(row: Any, key: str) -> str:
    """Return the code of somebody who may activate, nothing for anybody else."""
    if row.compte_id is not None or row.suspendu_le is not None:
        return ""
    return codes.written(codes.code_at(row.id, row.code_generation, key))


def _cells(profil: str, row: Any, children: Sequence[Any], key: str) -> list[Any]:
    born = f"{row.date_naissance:%d/%m/%Y}" if row.date_naissance else ""
    match profil:
        case "eleve":
            return [born, school_level(row.niveau), row.classe, row.login, _code(row, key)]
        case "responsable":
            names = ", ".join(f"{cells.full_name(child)} {child.classe or ''}".strip() for child in children)
            theirs = ", ".join(
                f"{cells.full_name(child)} : {_code(child, key) or 'sans code'}" for child in children
            )
            return [
                row.adresse, row.code_postal, row.commune, row.login, _code(row, key), names, theirs,
            ]  # fmt: skip
        case "supprime":
            return [born, PROFIL_LABELS[row.profil], instant(row.fin), row.login]
        case _:
            return [born, row.email, row.login, _code(row, key)]


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached through the tree."""
    appbuilder.add_view_no_menu(Identifiants)
