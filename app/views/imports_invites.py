"""Guests who come in a file: an assistant, each step with its address (U13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import abort, current_app, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from app.errors import UserError
from app.extensions import db
from app.models import Etablissement, ImportInvites, LigneImport
from app.operations import invites_import as acts
from app.operations import taches, uploads
from app.operations.invites_lignes import fields_of
from app.operations.invites_saisie import CHAMPS, OBLIGATOIRES
from app.queries import imports_invites as reads
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.acts import commit_act, run_act
from app.views.arguments import checked_pk, choice_arg, id_arg
from app.views.base import PreauBaseView
from app.views.ecole import current_school
from app.views.invites import last_day_arg
from app.views.rendering import number
from app.views.streams import csv_response

PAGE = 50
MIB = 1024 * 1024
LARGEST_MIB = 20
SEPARATEURS = {";": "points-virgules", ",": "virgules", "\t": "tabulations"}
ENCODAGES = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252",
}  # fmt: skip
ETATS = {
    "lecture": ("En lecture", "info"),
    "apercu": ("À confirmer", "warn"),
    "application": ("En cours", "info"),
    "applique": ("Appliqué", ""),
    "annulation": ("En cours d’annulation", "info"),
    "annule": ("Annulé", ""),
    "refuse": ("Refusé", "bad"),
}
OPEN = {"lecture", "apercu"}
"""States of a file whose lines may still be corrected."""
TONS = {"erreur": "bad", "deja": "", "ecartee": "", "faite": "ok", "valide": "", "defaite": ""}
MOTS = {
    "erreur": "À corriger", "deja": "Déjà là", "ecartee": "Écartée", "faite": "Faite", "valide": "Bonne",
    "defaite": "Annulée",
}  # fmt: skip


class ImportsInvites(PreauBaseView):
    """Files of guests of a school."""

    resource = Resource.INVITE
    route_base = "/etablissements"
    default_view = "deposer"

    @expose("/<uai>/invites/importer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def deposer(self, uai: str) -> str | Response:
        """Put a file down; see the last ones."""
        school = current_school(uai)
        school_uai, refusal = school.uai, ""
        if request.method == "POST":
            item, refusal = self._deposit(uai)
            if item is not None:
                return redirect(url_for(".fiche", uai=school_uai, pk=item.id))
            school = current_school(uai)
        return self.render_template(
            "invites/importer.html",
            title="Importer des invités",
            school=school,
            refusal=refusal,
            champs=CHAMPS,
            obligatoires=OBLIGATOIRES,
            recent=reads.recent(db.session(), school.id),
            etats=ETATS,
            last_day=request.form.get("dernier_jour", "")[:10],
            largest=LARGEST_MIB,
        )

    def _deposit(self, uai: str) -> tuple[ImportInvites | None, str]:
        folder = current_app.extensions["reglages"].dossier / "depots"
        uploads.purge(folder)
        last_day, wrong = last_day_arg()
        if wrong:
            return None, wrong
        try:
            given: list[tuple[str, Any]] = [
                (_csv_name(one.filename), one.stream)
                for one in request.files.getlist("fichier")[:1]
                if one.filename
            ]
            depot = uploads.store(folder, given, max_bytes=LARGEST_MIB * MIB)
            for _name, stream in given:
                stream.close()
        except UserError as error:
            return None, error.message
        except RequestEntityTooLarge:
            return None, f"Ce fichier dépasse {LARGEST_MIB} Mio."
        item, refusal = run_act(
            lambda: acts.deposer(
                db.session(), current_school(uai), depot, dernier_jour=last_day, acteur=actor()
            )
        )
        if refusal is not None:
            uploads.discard(folder, depot.jeton)
            return None, refusal.message
        return item, ""

    @expose("/<uai>/invites/modele.csv")
    @has_access
    @permission_name("ecrire")
    def modele(self, uai: str) -> Response:
        """Give an empty file with the columns of the source."""
        current_school(uai)
        return csv_response("invites-modele.csv", [list(CHAMPS.values())])

    @expose("/<uai>/invites/imports/<int:pk>")
    @has_access
    @permission_name("ecrire")
    def fiche(self, uai: str, pk: int) -> str:
        """Show a file where it is: being read, to be checked, being applied, applied."""
        school = current_school(uai)
        item = item_of(school, pk)
        task = reads.task_of(db.session(), item)
        common = {
            "title": item.fichier,
            "school": school,
            "item": item,
            "task": task,
            "address": url_for(".fiche", uai=school.uai, pk=item.id),
            "back": url_for(".deposer", uai=school.uai),
        }
        moving = task is not None and task.etat in {"attente", "cours"}
        if request.headers.get("HX-Request") == "true" and moving:
            return self.render_template("invites/_progression.html", **common)
        if moving or (
            task is not None
            and task.etat != "finie"
            and item.etat in {"lecture", "application", "annulation"}
        ):
            return self.render_template("invites/progression.html", **common)
        counts = reads.counts(db.session(), item.id)
        default = next((tab for tab in ("erreur", "remarque") if counts.of(tab)), "tout")
        tab = choice_arg("onglet", reads.ONGLETS, default)
        found = reads.lines(db.session(), item.id, tab, after=id_arg("apres") or 0, limit=PAGE + 1)
        return self.render_template(
            "invites/apercu.html",
            **common,
            counts=counts,
            tab=tab,
            tabs=[name for name in reads.ONGLETS if name == "tout" or counts.of(name)],
            onglets=reads.ONGLETS if item.etat in OPEN else {**reads.ONGLETS, "erreur": "Rejetées"},
            lines=[line_of(one, item) for one in found[:PAGE]],
            following=found[PAGE - 1].numero if len(found) > PAGE else None,
            columns=[name for name in OBLIGATOIRES if name in item.colonnes],
            champs=CHAMPS,
            separateur=SEPARATEURS.get(item.separateur, ""),
            encodage=ENCODAGES.get(item.encodage, item.encodage),
            etats=ETATS,
            suggestions=any_suggestion(item.id) if item.etat == "apercu" else False,
            rejected=counts.erreur + counts.deja + counts.ecartee,
            active=reads.activated(db.session(), item.id) if item.etat == "applique" else 0,
        )

    @expose("/<uai>/invites/imports/<int:pk>/colonnes", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def colonnes(self, uai: str, pk: int) -> str | Response:
        """Say what each column is, when it was not recognised."""
        school = current_school(uai)
        item = item_of(school, pk)
        address, refusal, chosen = url_for(".fiche", uai=school.uai, pk=pk), "", list(item.colonnes)
        if request.method == "POST":
            chosen = [
                one if (one := request.form.get(f"colonne-{rank}", "")) in CHAMPS else ""
                for rank in range(len(item.colonnes))
            ]
            _task, error = run_act(lambda: acts.relire(db.session(), item, colonnes=chosen, acteur=actor()))
            if error is None:
                return redirect(address)
            school = current_school(uai)
            item, refusal = item_of(school, pk), error.message
        first = reads.lines(db.session(), item.id, "tout", limit=2)
        return self.render_template(
            "invites/colonnes.html",
            title="Colonnes du fichier",
            school=school,
            item=item,
            chosen=chosen,
            champs=CHAMPS,
            obligatoires=OBLIGATOIRES,
            refusal=refusal,
            samples=[
                [one.cellules[rank] if rank < len(one.cellules) else "" for one in first]
                for rank in range(len(item.colonnes))
            ],
            back=address,
        )

    @expose("/<uai>/invites/imports/<int:pk>/suggestions", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def suggestions(self, uai: str, pk: int) -> Response:
        """Take every suggestion at once."""
        item = item_of(current_school(uai), pk)
        return self._act(
            uai, pk, lambda: acts.relire(db.session(), item, suggestions=True, acteur=actor()), ""
        )

    @expose("/<uai>/invites/imports/<int:pk>/lignes/<int:ligne>", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def ligne(self, uai: str, pk: int, ligne: int) -> str | Response:
        """Correct a line, leave it out, or say that it is somebody new."""
        school = current_school(uai)
        item = item_of(school, pk)
        found = reads.line(db.session(), item.id, checked_pk(ligne))
        if found is None:
            abort(404)
        back = url_for(".fiche", uai=school.uai, pk=pk)
        if request.method == "POST":
            step = request.form.get("acte", "")
            session = db.session()
            ways: dict[str, Callable[[], Any]] = {
                "ecarter": lambda: acts.ecarter(session, item, found, garder=False),
                "garder": lambda: acts.ecarter(session, item, found, garder=True),
                "creer": lambda: acts.creer_plutot(session, item, found),
            }
            typed = {name: request.form.get(name, "") for name in CHAMPS if name in request.form}
            done = commit_act(ways.get(step) or (lambda: acts.corriger(session, item, found, typed)))
            if done and found.etat != "erreur":
                return redirect(back)
            return redirect(url_for(".ligne", uai=uai, pk=pk, ligne=ligne))
        return self.render_template(
            "invites/ligne.html",
            title=f"Ligne {found.numero}",
            school=school,
            item=item,
            line=found,
            values=fields_of(found.cellules, item.colonnes),
            said={one["champ"]: one for one in found.constats},
            columns=[name for name in CHAMPS if name in item.colonnes],
            champs=CHAMPS,
            obligatoires=OBLIGATOIRES,
            mots=words_of(item),
            back=back,
        )

    @expose("/<uai>/invites/imports/<int:pk>/appliquer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def appliquer(self, uai: str, pk: int) -> str | Response:
        """Say what will be made; only a post starts it."""
        school = current_school(uai)
        item = item_of(school, pk)
        if request.method == "POST":
            whole = request.form.get("lignes") != "valides"
            return self._act(
                uai,
                pk,
                lambda: acts.appliquer(db.session(), item, tout=whole, acteur=actor()),
                "",
            )
        return self.render_template(
            "invites/appliquer.html",
            title="Appliquer l’import",
            school=school,
            item=item,
            counts=reads.counts(db.session(), item.id),
            back=url_for(".fiche", uai=school.uai, pk=pk),
        )

    @expose("/<uai>/invites/imports/<int:pk>/rejets.csv")
    @has_access
    @permission_name("ecrire")
    def rejets(self, uai: str, pk: int) -> Response:
        """Give back the lines that were not made, as they came, each with the reason."""
        item = item_of(current_school(uai), pk)
        return csv_response(f"import-{item.id}-rejets.csv", rejected_rows(item))

    @expose("/<uai>/invites/imports/<int:pk>/annuler", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def annuler(self, uai: str, pk: int) -> str | Response:
        """Say what undoing does; only a post starts it."""
        school = current_school(uai)
        item = item_of(school, pk)
        if request.method == "POST":
            return self._act(uai, pk, lambda: acts.annuler(db.session(), item, acteur=actor()), "")
        return self.render_template(
            "invites/annuler.html",
            title="Annuler l’import",
            school=school,
            item=item,
            counts=reads.counts(db.session(), item.id),
            back=url_for(".fiche", uai=school.uai, pk=pk),
        )

    @expose("/<uai>/invites/imports/<int:pk>/abandonner", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def abandonner(self, uai: str, pk: int) -> Response:
        """Drop a file nothing was made of."""
        school = current_school(uai)
        item, back = item_of(school, pk), url_for(".deposer", uai=school.uai)
        done = commit_act(
            lambda: acts.abandonner(db.session(), item, acteur=actor()),
            message="Fichier abandonné. Aucun invité n’a été créé.",
        )
        return redirect(back if done else url_for(".fiche", uai=uai, pk=pk))

    @expose("/<uai>/invites/imports/<int:pk>/reprendre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def reprendre(self, uai: str, pk: int) -> Response:
        """Go on with work that stopped half way."""
        item = item_of(current_school(uai), pk)
        task = reads.task_of(db.session(), item)
        if task is None:
            abort(404)
        return self._act(uai, pk, lambda: taches.relaunch(db.session(), task, acteur=actor()), "")

    def _act(self, uai: str, pk: int, act: Callable[[], Any], message: str) -> Response:
        commit_act(act, message=message)
        return redirect(url_for(".fiche", uai=uai, pk=pk))


def item_of(school: Etablissement, pk: int) -> ImportInvites:
    """Return a file of the school; 404 for any other."""
    item = reads.find(db.session(), school.id, checked_pk(pk))
    if item is None:
        abort(404)
    return item


def _csv_name(name: str) -> str:
    """Return a name uploads take: what spreadsheets call .txt or .tsv is read as well."""
    stem, dot, extension = name.rpartition(".")
    return f"{stem}.csv" if dot and extension.lower() in {"txt", "tsv"} else name


def any_suggestion(import_id: int) -> int:
    """Return how many lines a suggestion would mend."""
    return sum(
        any(said.get("suggestion") for said in one.constats)
        for one in reads.stream(db.session(), import_id, ("erreur", "valide"))
        if one.constats
    )


def words_of(item: ImportInvites) -> dict[str, str]:
    """Return what a line is called: once the file is applied, nobody corrects it any more."""
    return MOTS if item.etat in OPEN else {**MOTS, "erreur": "Rejetée"}


def line_of(one: LigneImport, item: ImportInvites) -> dict[str, Any]:
    """Return one line of the file as the preview shows it: what a guest must have, what is said of it all."""
    values = fields_of(one.cellules, item.colonnes)
    wrong = {each["champ"] for each in one.constats if each["erreur"]}
    return {
        "numero": one.numero,
        "etat": words_of(item)[one.etat],
        "ton": "warn" if one.remarque else TONS[one.etat],
        "marque": "À vérifier" if one.remarque else words_of(item)[one.etat],
        "choix": one.choix,
        "cells": [
            (name, values.get(name, ""), name in wrong) for name in OBLIGATOIRES if name in item.colonnes
        ],
        "constats": one.constats,
        "nom": f"{values.get('nom', '')} {values.get('prenom', '')}".strip() or f"Ligne {number(one.numero)}",
        "personne_id": one.personne_id if one.etat in {"faite", "deja"} else None,
    }


def rejected_rows(item: ImportInvites) -> Iterator[Sequence[Any]]:
    """Yield the names of the columns and «Motif», then every line that was not made."""
    names = [CHAMPS.get(name, "") for name in item.colonnes]
    heads = [name or entete for name, entete in zip(names, [*item.entetes, *names], strict=False)]
    import_id, width = item.id, len(names)

    def rows() -> Iterator[Sequence[Any]]:
        yield [*heads, "Ligne", "Motif"]
        for one in reads.stream(db.session(), import_id, reads.REJETS):
            reason = " ".join(said["texte"] for said in one.constats) or "Écartée à la main."
            cells = (list(one.cellules) + [""] * width)[:width]
            yield [*cells, one.numero, reason]

    return rows()


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the list of guests."""
    appbuilder.add_view_no_menu(ImportsInvites)
