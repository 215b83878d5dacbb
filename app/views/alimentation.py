"""«Alimentation»: put files down, read what would change, apply it, undo it. Every state has its URL."""

from __future__ import annotations

from itertools import chain
from typing import Any

from flask import abort, current_app, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from app.errors import UserError
from app.extensions import db
from app.models import Alimentation, Ecart, Tache
from app.operations import demandes_alimentation as demandes
from app.operations import uploads
from app.queries import ecarts as reads
from app.queries.suivi import task_of_feed
from app.security.manager import allowed
from app.security.permissions import Resource, Verb
from app.views import ecarts as words
from app.views.actors import actor, limits, may_steer
from app.views.arguments import checked_pk, choice_arg, here, id_arg, ids_arg, text_arg
from app.views.base import PreauBaseView, commit_act
from app.views.streams import csv_response

PAGE = 50
MIB = 1024 * 1024
Sentences = list[str]
Tasks = list[Tache]
Streams = list[tuple[str, Any]]
ANOMALIES_HEADER = ["Type", "Nom", "Identifiant", "Établissement", "Fichier", "Ligne", "Code", "Anomalie"]


class AlimentationView(PreauBaseView):
    """Feeds of the perimeter."""

    resource = Resource.ALIMENTATION
    route_base = "/alimentations"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("lire")
    def list(self) -> str:
        """Show the feeds, the newest first."""
        source, etat = choice_arg("source", words.SOURCES), choice_arg("etat", words.ETATS)
        found = reads.feeds(db.session(), source=source, etat=etat, before=id_arg("apres"), limit=PAGE + 1)
        feeds = found[:PAGE]
        counts = reads.counts_of(db.session(), feeds) if feeds else {}
        return self.render_template(
            "alimentation/liste.html",
            title="Alimentation",
            feeds=feeds,
            changes={id_: sum(map(words.written, each)) for id_, each in counts.items()},
            following=found[PAGE - 1].id if len(found) > PAGE else None,
            source=source,
            etat=etat,
            words=words,
            here=here,
            can_feed=allowed(Verb.ECRIRE, Resource.ALIMENTATION),
        )

    @expose("/nouvelle", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def add(self) -> str | Response | tuple[str, int]:
        """Show the upload page; put files down and start reading them."""
        errors: Sentences = []
        if request.method == "POST":
            tache = self._deposit(errors)
            if tache is not None:
                return redirect(url_for(".reading", tache_id=tache.id))
        return self.render_template(
            "alimentation/depot.html",
            title="Nouvelle alimentation",
            errors=errors,
            limit_mib=current_app.extensions["reglages"].corps_max_mio,
            max_files=uploads.MAX_FILES,
            limits=limits(),
        )

    def _deposit(self, errors: Sentences) -> Tache | None:
        settings = current_app.extensions["reglages"]
        folder = settings.dossier / "depots"
        uploads.purge(folder)
        try:
            given: Streams = [
                (item.filename or "", item.stream)
                for item in request.files.getlist("fichiers")
                if item.filename
            ]
            depot = uploads.store(folder, given, max_bytes=settings.corps_max_mio * MIB)
        except UserError as error:
            errors.append(error.message)
            return None
        except RequestEntityTooLarge:
            errors.append(f"Ces fichiers dépassent {settings.corps_max_mio} Mio.")
            return None
        made: Tasks = []
        done = commit_act(
            lambda: made.append(demandes.ask_reading(db.session(), depot, limites=limits(), acteur=actor()))
        )
        if not done:
            uploads.discard(folder, depot.jeton)
            return None
        return made[0]

    @expose("/lectures/<int:tache_id>")
    @has_access
    @permission_name("lire")
    def reading(self, tache_id: int) -> str | Response:
        """Follow the reading of files put down, then go to what it found."""
        tache = self._task(tache_id)
        found = (tache.resultat or {}).get("alimentation_id")
        if tache.etat == "finie" and found:
            return _leave(url_for(".show", pk=found))
        return self._follow(
            tache, "Lecture des fichiers", url_for(".reading", tache_id=tache.id), url_for(".add")
        )

    @expose("/<int:pk>")
    @has_access
    @permission_name("lire")
    def show(self, pk: int) -> str | Response:
        """Show what a feed would change, or has changed."""
        feed = self._feed(pk)
        counts = reads.tab_counts(db.session(), feed.id)
        default = next((tab for tab in reads.ONGLETS if words.tab_total(counts, tab)), "crees")
        criteria = reads.EcartFilter(
            onglet=choice_arg("onglet", reads.ONGLETS, default),
            objet=choice_arg("objet", reads.OBJETS),
            uai=text_arg("uai")[:8].upper(),
            nom=text_arg("nom"),
        )
        found = reads.page(db.session(), feed.id, criteria, after=id_arg("apres"), limit=PAGE + 1)
        lines = reads.schools(db.session(), feed.id)
        task = self._running(feed)
        whole = reads.holds_whole(db.session(), feed.id)
        return self.render_template(
            "alimentation/apercu.html",
            title=words.title(feed),
            feed=feed,
            counts=counts,
            criteria=criteria,
            rows=words.rows(found[:PAGE], feed),
            following=found[PAGE - 1].id if len(found) > PAGE else None,
            lines=lines,
            schools={line.uai: line.nom or line.uai for line in lines},
            blocked=[line for line in lines if line.depart_bloque and line.applique_le is None],
            task=task,
            threshold=current_app.extensions["reglages"].departs_seuil_pourcent,
            tabs=reads.ONGLETS,
            objets=reads.OBJETS,
            words=words,
            here=here,
            can_feed=allowed(Verb.ECRIRE, Resource.ALIMENTATION),
            holds_whole=whole,
            undoable=whole and reads.is_last_applied(db.session(), feed),
        )

    @expose("/<int:pk>/anomalies.csv")
    @has_access
    @permission_name("lire")
    def export(self, pk: int) -> Response:
        """Give the anomalies and homonyms of a feed as a spreadsheet."""
        feed = self._feed(pk)
        found = (
            item
            for tab in ("anomalies", "homonymes")
            for item in reads.stream(db.session(), feed.id, reads.EcartFilter(onglet=tab))
        )
        lines = (_anomaly_line(item) for item in found)
        return csv_response(f"anomalies-alimentation-{feed.id}.csv", chain([ANOMALIES_HEADER], lines))

    @expose("/<int:pk>/appliquer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def apply(self, pk: int) -> str | Response | tuple[str, int]:
        """Ask for a confirmation, then start applying a feed to all or some of its schools."""
        feed = self._feed(pk)
        source = request.form if request.method == "POST" else request.args
        chosen = set(ids_arg("ligne", source))
        lines = [line for line in reads.schools(db.session(), feed.id) if words.is_waiting(line)]
        if chosen:
            lines = [line for line in lines if line.id in chosen]
        accept = source.get("accepter_departs") == "1"
        if request.method == "POST":
            return self._launch(
                feed,
                lambda: demandes.ask_apply(
                    db.session(), feed, lines, accepter_departs=accept, acteur=actor()
                ),
            )
        blocked = [line for line in lines if line.depart_bloque and not line.departs_acceptes]
        return self.render_template(
            "alimentation/appliquer.html",
            title="Appliquer l’alimentation",
            feed=feed,
            lines=lines,
            chosen=chosen,
            counts=reads.tab_counts(
                db.session(), feed.id, uais=[line.uai for line in lines] if chosen else None
            ),
            blocked=blocked,
            accept=accept,
            tabs=reads.ONGLETS,
            objets=reads.OBJETS,
            words=words,
        )

    @expose("/<int:pk>/abandonner", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def drop(self, pk: int) -> str | Response:
        """Ask for a confirmation, then drop a preview."""
        feed = self._feed(pk, whole=True)
        if request.method == "POST":
            done = commit_act(
                lambda: demandes.drop(db.session(), feed, acteur=actor()),
                message="Alimentation abandonnée. Rien n’a été écrit.",
            )
            return redirect(url_for(".list") if done else url_for(".show", pk=pk))
        return self._confirm(feed, "alimentation/abandonner.html", "Abandonner l’alimentation")

    @expose("/<int:pk>/annuler", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def undo(self, pk: int) -> str | Response:
        """Ask for a confirmation that says what will happen, then start undoing the last application."""
        feed = self._feed(pk, whole=True)
        if request.method == "POST":
            return self._launch(feed, lambda: demandes.ask_undo(db.session(), feed, acteur=actor()))
        return self._confirm(feed, "alimentation/annuler.html", "Annuler l’alimentation")

    @expose("/<int:pk>/travaux/<int:tache_id>")
    @has_access
    @permission_name("lire")
    def progress(self, pk: int, tache_id: int) -> str | Response:
        """Follow the application or the undoing of a feed, then go back to it."""
        feed, tache = self._feed(pk), self._task(tache_id)
        if tache.parametres.get("alimentation_id") != feed.id:
            abort(404)
        if tache.etat == "finie":
            return _leave(url_for(".show", pk=feed.id))
        heading = words.title(feed)
        return self._follow(
            tache, heading, url_for(".progress", pk=pk, tache_id=tache.id), url_for(".show", pk=feed.id)
        )

    def _follow(self, tache: Tache, heading: str, address: str, back: str) -> str:
        fragment = bool(request.headers.get("HX-Request"))
        template = "alimentation/_progression.html" if fragment else "alimentation/progression.html"
        return self.render_template(
            template, title=heading, task=tache, address=address, back=back, can_write=may_steer(tache)
        )

    def _confirm(self, feed: Alimentation, template: str, heading: str) -> str:
        counts = reads.tab_counts(db.session(), feed.id)
        return self.render_template(
            template,
            title=heading,
            feed=feed,
            counts=counts,
            lines=reads.schools(db.session(), feed.id),
            tabs=reads.ONGLETS,
            objets=reads.OBJETS,
            words=words,
        )

    def _launch(self, feed: Alimentation, ask: Any) -> Response:
        made: Tasks = []
        if commit_act(lambda: made.append(ask())):
            return redirect(url_for(".progress", pk=feed.id, tache_id=made[0].id))
        return redirect(url_for(".show", pk=feed.id))

    def _feed(self, pk: int, *, whole: bool = False) -> Alimentation:
        """Return a feed of the perimeter, or answer 404. ``whole``: every school of it, or refuse."""
        feed = db.session.scalars(select(Alimentation).where(Alimentation.id == checked_pk(pk))).first()
        if feed is None or (whole and not reads.holds_whole(db.session(), feed.id)):
            abort(404)
        return feed

    def _task(self, tache_id: int) -> Tache:
        tache = db.session.scalars(select(Tache).where(Tache.id == checked_pk(tache_id))).first()
        if tache is None or not tache.type.startswith("alimentation."):
            abort(404)
        return tache

    def _running(self, feed: Alimentation) -> Tache | None:
        tache = task_of_feed(db.session(), feed.id)
        return tache if tache is not None and tache.etat in {"attente", "cours", "echec"} else None


def _anomaly_line(item: Ecart) -> list[Any]:
    kind = reads.OBJETS.get(item.objet, item.objet)
    read_at = [item.fichier, item.ligne, item.code, item.message]
    return [kind, item.libelle, item.identifiant or item.cle, item.uai, *read_at]


def _leave(address: str) -> Response:
    """Send the person on; a fragment asks the whole page to move."""
    if request.headers.get("HX-Request"):
        response = Response(status=204)
        response.headers["HX-Redirect"] = address
        return response
    return redirect(address)


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(AlimentationView, "Alimentation", icon="database", category="Alimentation")
