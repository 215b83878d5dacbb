"""«Brèves du net» of a school: the service switched on, feeds added after they were read (P2)."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import NotFoundError, UserError
from app.extensions import db
from app.imports import syndication
from app.models import Etablissement, Flux
from app.operations import flux, services
from app.operations.saisies import clean_url
from app.queries import pages as reads
from app.queries.droits import ServiceIci
from app.security.lectures import count_reading
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import checked_pk, id_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import allowed_here, current_school
from app.views.rendering import plural


class Breves(PreauBaseView):
    """The feeds of a school."""

    resource = Resource.PAGE
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/pages/breves", methods=["GET"])
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """Show the feeds, how their reading goes, and what users see of them."""
        school = current_school(uai)
        return self._page(school)

    @expose("/<uai>/pages/breves/service", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def basculer(self, uai: str) -> Response:
        """Switch the service on or off."""
        school = current_school(uai)
        on, id_, back = request.form.get("actif") == "oui", school.id, url_for(".liste", uai=school.uai)
        commit_act(
            lambda: services.basculer(db.session(), id_, reads.BREVES, on, acteur=actor()),
            message="Les brèves du net sont affichées."
            if on
            else "Les brèves du net ne sont plus affichées.",
        )
        return redirect(back)

    @expose("/<uai>/pages/breves/ajouter", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def ajouter(self, uai: str) -> str | Response:
        """Read a feed; add it when it is one."""
        school = current_school(uai)
        id_, back = school.id, url_for(".liste", uai=school.uai)
        typed = request.form.get("url", "")[:1000]
        db.session.rollback()  # the site may take its time: no transaction waits for it
        try:
            url = clean_url(typed, field="url") or ""
            count_reading(id_)
            lu = syndication.read(url, permitted=_settings().permitted_networks())
        except UserError as error:
            return self._page(current_school(uai), typed, error.message)
        row, refusal = run_act(lambda: flux.ajouter(db.session(), id_, url, lu, acteur=actor()))
        if refusal is not None:
            return self._page(current_school(uai), typed, refusal.message)
        count = len(lu.articles or ())
        told = f"{count} {plural(count, 'article lu', 'articles lus')}"
        flash(f"« {row.titre} » est ajouté : {told}.", "success")
        return redirect(back)

    @expose("/<uai>/pages/breves/<int:pk>/supprimer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def supprimer(self, uai: str, pk: int) -> Response:
        """Take a feed off; the page offers it back."""
        school = current_school(uai)
        row, back = feed_here(school, pk), url_for(".liste", uai=school.uai, supprime=pk)
        commit_act(lambda: flux.supprimer(db.session(), row, acteur=actor()))
        return redirect(back)

    @expose("/<uai>/pages/breves/<int:pk>/remettre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def remettre(self, uai: str, pk: int) -> Response:
        """Put a feed back."""
        school = current_school(uai)
        row, back = feed_here(school, pk), url_for(".liste", uai=school.uai)
        commit_act(lambda: flux.remettre(db.session(), row, acteur=actor()), message="Le flux est de retour.")
        return redirect(back)

    @expose("/<uai>/pages/breves/<int:pk>/relire", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def relire(self, uai: str, pk: int) -> Response:
        """Read a feed again now, to see whether it works."""
        school = current_school(uai)
        row = feed_here(school, pk)
        url, id_, back = row.url, school.id, url_for(".liste", uai=school.uai)
        db.session.rollback()
        try:
            count_reading(id_)
        except UserError as error:  # says nothing of the feed
            flash(error.message, "warning")
            return redirect(back)
        try:
            lu, failure = syndication.read(url, permitted=_settings().permitted_networks()), ""
        except UserError as error:
            lu, failure = None, error.message
        row = feed_here(current_school(uai), pk)
        if lu is None:
            commit_act(lambda: flux.noter_panne(db.session(), row, failure))
            flash(failure, "warning")
        else:
            commit_act(
                lambda: flux.noter_lecture(db.session(), row, lu), message=f"« {row.titre} » vient d’être lu."
            )
        return redirect(back)

    def _page(self, school: Etablissement, typed: str = "", error: str = "") -> str:
        service = service_here(school)
        gone = reads.taken_off(db.session(), Flux, Flux.etablissement_id == school.id)
        asked = id_arg("supprime")
        return self.render_template(
            "pages/breves.html",
            title="Brèves du net",
            school=school,
            service=service,
            flux=reads.flux_of(db.session(), school.id),
            breves=reads.news(db.session(), [school.id]),
            retires=gone,
            retire=next((row for row in gone if row.id == asked), None),
            peut_ecrire=allowed_here(Resource.PAGE, Verb.ECRIRE),
            typed=typed,
            error=error,
            au_plus=flux.MOST_FEEDS,
        )


def service_here(school: Etablissement) -> ServiceIci | None:
    """Return the service of the catalogue as it stands in the school, None when it is not offered."""
    try:
        return services.service_here(db.session(), school.id, reads.BREVES)
    except NotFoundError:
        return None


def feed_here(school: Etablissement, pk: int) -> Flux:
    """Return a feed of the school; 404 for any other."""
    row = db.session.scalars(
        select(Flux).where(Flux.id == checked_pk(pk), Flux.etablissement_id == school.id)
    ).first()
    return row or abort(404)


def _settings() -> Any:
    return current_app.extensions["reglages"]


def register(appbuilder: Any) -> None:
    """Add the pages; the tree of the school leads to them."""
    appbuilder.add_view_no_menu(Breves)
