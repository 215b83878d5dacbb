"""What happened and what is under way: journal, outgoing mail, background tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.actions import action
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from app.extensions import db
from app.models import Courriel, Journal, Tache
from app.operations import courriels, journal, taches
from app.operations import demandes_alimentation as demandes
from app.queries import suivi as reads
from app.security.manager import use_perimetre_for
from app.security.permissions import Resource, Verb
from app.views import list_filters, lists
from app.views.actes import in_words, kind, label_of, said
from app.views.actors import actor, limits, may_steer
from app.views.arguments import checked_pk, choice_arg, here, id_arg
from app.views.base import READ_ONLY, DomainInterface, PreauBaseView, PreauModelView, commit_act
from app.views.ecarts import readable
from app.views.streams import csv_response

PAGE = 50


def changed(item: Journal) -> list[tuple[str, str, str]]:
    """Return the fields an act touched: name, value before, value after, in words."""
    avant, apres = item.avant or {}, item.apres or {}
    return [
        (label_of(name), in_words(name, avant.get(name)), in_words(name, apres.get(name)))
        for name in {**avant, **apres}
    ]


def summary(values: Mapping[str, Any] | None) -> str:
    """Return what a journal line keeps, in one readable line."""
    if not values:
        return "–"
    text = ", ".join(f"{label_of(name)} : {in_words(name, kept) or 'vide'}" for name, kept in values.items())
    return text if len(text) <= 200 else f"{text[:199]}…"


class JournalView(PreauModelView):
    """Every act and system event of the perimeter (X1)."""

    resource = Resource.JOURNAL
    route_base = "/suivi/journal"
    datamodel = DomainInterface(Journal)
    include_route_methods = READ_ONLY
    show_template = "suivi/ligne_journal.html"
    list_title = "Journal"
    list_columns = ["instant", "acteur", "acte", "objet", "etablissement"]
    exported_columns = [*list_columns, "numero", "avant", "apres", "empreinte"]
    order_columns = ["instant"]
    search_columns = ["acteur", "acte", "objet", "instant", "etablissement"]
    search_hint = "Qui, acte ou objet"
    base_order = ("id", "desc")
    label_columns = {
        "instant": "Quand",
        "acteur": "Qui",
        "acte": "Acte",
        "objet": "Sur quoi",
        "objet_type": "Type",
        "etablissement": "Établissement",
        "avant": "Avant",
        "apres": "Après",
        "numero": "Numéro dans la chaîne",
        "empreinte": "Empreinte",
        "precedente": "Empreinte précédente",
    }
    formatters_columns = {"acte": said, "objet_type": kind, "avant": summary, "apres": summary}
    show_fieldsets = [
        ("Acte", {"fields": ["instant", "acteur", "acte", "objet", "objet_type", "etablissement"]}),
        ("Chaîne", {"fields": ["numero", "empreinte", "precedente"]}),
    ]
    show_columns = [
        "instant",
        "acteur",
        "acte",
        "objet",
        "objet_type",
        "etablissement",
        "numero",
        "empreinte",
        "precedente",
    ]
    empty_title = "Aucune ligne"
    empty_text = "Chaque acte et chaque événement du système s’inscrit ici, sans pouvoir être retiré."

    def search_condition(self, typed: str) -> ColumnElement[bool]:
        text = typed.strip()
        columns = (Journal.acteur, Journal.acte, Journal.objet)
        return or_(*[column.icontains(text, autoescape=True) for column in columns])

    def item_title(self, item: Any) -> str:
        return f"{said(item.acte)}, n° {item.numero}"

    @expose("/export")
    @has_access
    def export(self) -> Any:
        """Send the filtered journal with what each act changed, and its place in the chain."""
        statement = self._statement(list_filters.request_filters(self._filters)).order_by(Journal.id.desc())
        return csv_response("journal.csv", self._lines(statement.options(joinedload(Journal.etablissement))))

    def _lines(self, statement: Any) -> Iterator[Sequence[Any]]:
        yield [self.label_columns[name] for name in self.exported_columns]
        for item in db.session.scalars(statement.execution_options(yield_per=500)):
            yield [lists.cell(self, item, name, plain=True) for name in self.exported_columns]

    def sheet(self, item: Journal) -> dict[str, Any]:
        """Return what an act changed, and the first broken line of its chain, None when it is sound."""
        return {"broken": journal.verify(db.session(), item.chaine), "changed": changed(item)}


class CourrielView(PreauModelView):
    """Outgoing mail of the perimeter, and «Renvoyer» (X2)."""

    resource = Resource.COURRIEL
    route_base = "/suivi/courriels"
    datamodel = DomainInterface(Courriel)
    include_route_methods = {*READ_ONLY, "action", "action_post"}
    list_title = "Courrier sortant"
    list_columns = ["objet", "destinataire", "etat", "essais", "cree_le", "envoye_le", "erreur"]
    order_columns = ["cree_le", "envoye_le", "etat"]
    search_columns = ["destinataire", "objet", "etat", "cree_le", "etablissement"]
    search_hint = "Destinataire ou objet"
    base_order = ("id", "desc")
    choices_columns = {"etat": reads.COURRIEL_ETATS}
    label_columns = {
        "objet": "Objet",
        "destinataire": "Destinataire",
        "etat": "État",
        "essais": "Essais",
        "cree_le": "Demandé le",
        "prochain_le": "Prochain essai",
        "envoye_le": "Envoyé le",
        "erreur": "Dernière erreur",
        "etablissement": "Établissement",
    }
    show_columns = [
        "objet",
        "destinataire",
        "etat",
        "essais",
        "cree_le",
        "prochain_le",
        "envoye_le",
        "erreur",
        "etablissement",
    ]
    empty_title = "Aucun courriel"
    empty_text = "Les courriels envoyés par Préau apparaissent ici, avec leur état."

    @action("renvoyer", "Renvoyer", "Ces courriels seront remis en file et partiront de nouveau :")
    def replay(self, items: Sequence[Courriel]) -> str:
        """Put failed or cancelled mails back in the queue."""
        for item in items:
            courriels.replay(db.session(), item, acteur=actor())
        count = len(items)
        return "1 courriel remis en file." if count == 1 else f"{count} courriels remis en file."

    def item_title(self, item: Any) -> str:
        return str(item.objet)


class TacheView(PreauBaseView):
    """«Travaux en cours»: progress, cancel, result, start again (X4)."""

    resource = Resource.TACHE
    route_base = "/suivi/travaux"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("lire")
    def list(self) -> str:
        """Show the tasks of the perimeter; the part that moves refreshes itself."""
        etat = choice_arg("etat", reads.TACHE_ETATS)
        found = reads.tasks(db.session(), etat=etat, before=id_arg("apres"), limit=PAGE + 1)
        tasks = found[:PAGE]
        fragment = bool(request.headers.get("HX-Request"))
        return self.render_template(
            "suivi/_travaux.html" if fragment else "suivi/travaux.html",
            title="Travaux en cours",
            tasks=tasks,
            following=found[PAGE - 1].id if len(found) > PAGE else None,
            moving=any(task.etat in {"attente", "cours"} for task in tasks),
            etat=etat,
            etats=reads.TACHE_ETATS,
            here=here,
            percent=taches.percent,
            mine=may_steer,
            destination=destination,
        )

    @expose("/<int:pk>")
    @has_access
    @permission_name("lire")
    def show(self, pk: int) -> str:
        """Show one task with its result."""
        task = self._task(pk)
        return self.render_template(
            "suivi/travail.html",
            title=task.libelle or task.type,
            task=task,
            etats=reads.TACHE_ETATS,
            percent=taches.percent,
            mine=may_steer,
            destination=destination,
            readable=readable,
        )

    @expose("/<int:pk>/annuler", methods=["POST"])
    @has_access
    @permission_name("lire")
    def cancel(self, pk: int) -> Response:
        """Cancel a task of one's own, or any of the perimeter for who may write them."""
        task = self._own_task(pk)
        commit_act(lambda: taches.cancel(db.session(), task, acteur=actor()), message="Annulation demandée.")
        return redirect(url_for(".show", pk=pk))

    @expose("/<int:pk>/relancer", methods=["POST"])
    @has_access
    @permission_name("lire")
    def relaunch(self, pk: int) -> Response:
        """Start a failed or cancelled task again from where it stopped."""
        task = self._own_task(pk)
        commit_act(lambda: self._relaunch(task), message="Travail relancé.")
        return redirect(url_for(".show", pk=pk))

    def _relaunch(self, task: Tache) -> None:
        """A task of a feed starts again with the rights its asker has today, not those of the first time."""
        if not task.type.startswith("alimentation."):
            taches.relaunch(db.session(), task, acteur=actor())
            return
        use_perimetre_for(Resource.ALIMENTATION, Verb.ECRIRE)
        demandes.relaunch(db.session(), task, limites=limits(), acteur=actor())

    def _task(self, pk: int) -> Tache:
        task = db.session.scalars(select(Tache).where(Tache.id == checked_pk(pk))).first()
        if task is None:
            abort(404)
        return task

    def _own_task(self, pk: int) -> Tache:
        task = self._task(pk)
        if not may_steer(task):
            abort(404)
        return task


def destination(task: Tache) -> str:
    """Return where the result of a task is read, empty when nowhere."""
    if acte := task.parametres.get("acte_en_nombre_id"):
        return url_for("ActesEnNombre.fiche", pk=acte)
    found = (task.resultat or {}).get("alimentation_id") or task.parametres.get("alimentation_id")
    return url_for("AlimentationView.show", pk=found) if found else ""


def register(appbuilder: Any) -> None:
    """Add the pages of the module to the menu."""
    appbuilder.add_view(TacheView, "Travaux en cours", icon="activity", category="Suivi")
    appbuilder.add_view(JournalView, "Journal", icon="journal-text", category="Suivi")
    appbuilder.add_view(CourrielView, "Courrier sortant", icon="envelope", category="Suivi")
