"""Applications of models: what each would change, confirmed, followed, reported, undone (S3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.errors import UserError
from app.extensions import db
from app.models import ApplicationModele
from app.operations import applications as acts
from app.operations import taches
from app.queries import curseurs
from app.queries import modeles as reads
from app.security.manager import allowed
from app.security.permissions import Resource, Verb
from app.views.actors import actor, may_steer
from app.views.acts import commit_act, run_act
from app.views.arguments import checked_pk, id_arg
from app.views.base import PreauBaseView
from app.views.cursor_pages import cursor_args, pager, size_arg
from app.views.modeles_communs import page_of_service
from app.views.rendering import instant, number, plural
from app.views.streams import csv_response

PAGE = 50
ETATS = {"attente": "À faire", "fait": "Fait", "refus": "Laissé tel quel"}
FIRST = 12
"""Lines of the summary shown before «voir les autres»."""


class Applications(PreauBaseView):
    """Models put on schools."""

    resource = Resource.MODELE
    route_base = "/modeles/applications"
    default_view = "liste"

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """Show the applications of the perimeter, newest first."""
        found = reads.applications(db.session(), before=id_arg("apres"), limit=PAGE + 1)
        return self.render_template(
            "modeles/applications.html",
            title="Applications",
            applications=found[:PAGE],
            suite=found[PAGE - 1].id if len(found) > PAGE else None,
        )

    @expose("/<int:pk>", methods=["GET"])
    @has_access
    @permission_name("lire")
    def fiche(self, pk: int) -> str:
        """Show what an application will do, is doing, or did."""
        return self._page(_application(pk))

    @expose("/<int:pk>/confirmer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def confirmer(self, pk: int) -> Any:
        """Do a short act at once, start a long one."""
        application = _own(pk)

        def start() -> None:
            acts.confirmer(db.session(), application, acteur=actor())
            if application.tache_id is None:
                while acts.lot(db.session(), application, acteur=actor()):
                    pass

        _done, refusal = run_act(start)
        if refusal is not None:
            return self._page(_own(pk), refusal)
        return redirect(url_for(".fiche", pk=pk))

    @expose("/<int:pk>/abandonner", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def abandonner(self, pk: int) -> Any:
        """Forget an act that was not confirmed."""
        application = _own(pk)
        back = _back(application)
        done = commit_act(lambda: acts.abandonner(db.session(), application), message="Rien n’a été changé.")
        return redirect(back if done else url_for(".fiche", pk=pk))

    @expose("/<int:pk>/arreter", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def arreter(self, pk: int) -> Any:
        """Stop after the slice in hand; what is done stays done."""
        return self._steer(pk, taches.cancel, "L’application s’arrête : ce qui est fait est gardé.")

    @expose("/<int:pk>/reprendre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def reprendre(self, pk: int) -> Any:
        """Go on with what was stopped, from the first school that waits."""
        return self._steer(pk, taches.relaunch, "L’application reprend où elle s’était arrêtée.")

    @expose("/<int:pk>/defaire", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def defaire(self, pk: int) -> Any:
        """Work out the way back; it asks before doing."""
        application = _application(pk)
        made, refusal = run_act(lambda: acts.defaire(db.session(), application, acteur=actor()))
        if refusal is not None:
            flash(refusal.message, "danger")
            return redirect(url_for(".fiche", pk=pk))
        return redirect(url_for(".fiche", pk=made.id))

    @expose("/<int:pk>/compte-rendu.csv")
    @has_access
    @permission_name("lire")
    def compte_rendu(self, pk: int) -> Response:
        """Send every change of every school, with what was refused and why."""
        number_ = _application(pk).id

        def rows() -> Iterator[Sequence[Any]]:
            yield ["UAI", "Établissement", "Élément", "Avant", "Après", "Résultat", "Raison", "Le"]
            for row in reads.report(db.session(), number_):
                when = instant(row.le) if row.le else ""
                for one in row.changements:
                    refus = one.get("refus", "") or (row.raison or "" if row.etat == "refus" else "")
                    how = ETATS["refus"] if refus else ETATS[row.etat]
                    yield [row.uai, row.nom, one["nom"], one["etait"], one["sera"], how, refus, when]

        return csv_response(f"application-{number_}.csv", rows())

    def _steer(self, pk: int, act: Any, message: str) -> Any:
        task = _own(pk).tache
        if task is None or not may_steer(task):
            abort(404)
        commit_act(lambda: act(db.session(), task, acteur=actor()), message=message)
        return redirect(url_for(".fiche", pk=pk))

    def _page(self, application: ApplicationModele, refusal: UserError | None = None) -> str:
        session = db.session()
        refused = request.args.get("refus") == "1"
        statement = reads.schools_of(application.id, refused=refused)
        found = curseurs.page(session, statement, reads.BY_SCHOOL, size_arg(), *cursor_args())
        totals = reads.totals(session, application.id)
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "modeles/_suivi.html" if fragment else "modeles/application.html",
            title=str(application),
            application=application,
            totaux=totals,
            ecoles=totals.attente + totals.fait + totals.refus,
            faits=[one for one in application.effets if not one["refus"]],
            refus=[one for one in application.effets if one["refus"]],
            premiers=FIRST,
            rows=found.rows,
            pager=pager(found, totals.avec_refus if refused else totals.attente + totals.fait + totals.refus),
            refuses_seuls=refused,
            defait=reads.undone_by(session, application.id),
            agit=allowed(Verb.ECRIRE, Resource.MODELE),
            sienne=application.compte_id == actor().compte_id,
            pilote=application.tache is not None and may_steer(application.tache),
            refusal=refusal,
            retour=_back(application),
            phrase=sentence(totals),
            etats=ETATS,
            adresse=page_of_service,
        )


def sentence(totals: Any) -> str:
    """Say how an application stands: «212 établissements faits, 3 laissés tels quels»."""
    said = [f"{number(totals.fait)} {plural(totals.fait, 'établissement fait', 'établissements faits')}"]
    if totals.refus:
        said.append(f"{number(totals.refus)} {plural(totals.refus, 'laissé tel quel', 'laissés tels quels')}")
    if totals.attente:
        said.append(f"{number(totals.attente)} à faire")
    return ", ".join(said)


def _application(pk: int) -> ApplicationModele:
    found = reads.application(db.session(), checked_pk(pk))
    if found is None:
        abort(404)
    return found


def _own(pk: int) -> ApplicationModele:
    """Return an act to carry on with: one's own, for it is done with its author's rights."""
    found = _application(pk)
    if found.compte_id is None or found.compte_id != actor().compte_id:
        abort(404)
    return found


def _back(application: ApplicationModele) -> str:
    if application.defait_id is not None:
        return url_for("Applications.fiche", pk=application.defait_id)
    if application.modele_id is not None and reads.model(db.session(), application.modele_id) is not None:
        return url_for("Comparaison.comparer", pk=application.modele_id)
    return url_for("Modeles.liste")


def register(appbuilder: Any) -> None:
    """Add the pages; models lead to them."""
    appbuilder.add_view_no_menu(Applications)
