"""«Réglages» of a service of a school: typed, tried, saved; components switched on and off (R4 to R9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import ConflictError, UserError
from app.exports import identifiants_services
from app.extensions import db
from app.models import ComposantService, EssaiService, Etablissement, Service
from app.operations import essais, reglages, services
from app.operations.exports_services import noter_export
from app.queries.acces import profils_with_access
from app.queries.droits import ServiceIci
from app.queries.reglages import components_of
from app.security.permissions import Resource, Verb
from app.views import panneaux as panels
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.panneaux import Saisie
from app.views.services_ici import forget, service_of_page
from app.views.streams import csv_response


class ReglagesServices(PreauBaseView):
    """The settings of the services of one school."""

    resource = Resource.SERVICE
    route_base = "/etablissements"
    default_view = "page"

    @expose("/<uai>/services/<code>/reglages", methods=["GET"])
    @has_access
    @permission_name("lire")
    def page(self, uai: str, code: str) -> str:
        """Show the settings of a service and its components."""
        school = current_school(uai)
        return self._page(school, service_of_page(school.id, code))

    @expose("/<uai>/services/<code>/reglages", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def enregistrer(self, uai: str, code: str) -> str | Response | tuple[str, int]:
        """Save what was typed; refused, it is kept with what is wrong."""
        school = current_school(uai)
        service, part = _target(school, code)
        typed = panels.typed_in((part or service).reglages, request.form)
        saved, refusal = run_act(
            lambda: reglages.enregistrer_reglages(
                db.session(),
                school.id,
                service,
                typed,
                composant=part,
                version=_version(),
                sans_essai=request.form.get("sans_essai") == "1",
                deployment=deployment(),
                acteur=actor(),
            )
        )
        if refusal is None:
            flash(f"Réglages de « {saved.composant or saved.service} » enregistrés.", "success")
            return redirect(url_for("Services.service", uai=uai, code=code))
        return self._refused(uai, code, typed, refusal)

    @expose("/<uai>/services/<code>/reglages/tester", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def tester(self, uai: str, code: str) -> str | Response | tuple[str, int]:
        """Ask for a try of what is typed, without saving it."""
        school = current_school(uai)
        service, part = _target(school, code)
        typed = panels.typed_in((part or service).reglages, request.form)
        _tried, refusal = run_act(
            lambda: essais.demander_essai(
                db.session(),
                school.id,
                service,
                typed,
                composant=part,
                deployment=deployment(),
                acteur=actor(),
            )
        )
        return self._refused(uai, code, typed, refusal)

    @expose("/<uai>/services/<code>/reglages/essais/<int:pk>")
    @has_access
    @permission_name("lire")
    def essai(self, uai: str, code: str, pk: int) -> str | Response:
        """Show where a try stands: alone for the panel that waits for it, or with the whole page."""
        school = current_school(uai)
        found = db.session.scalars(
            select(EssaiService)
            .join(Service, Service.id == EssaiService.service_id)
            .where(
                EssaiService.id == checked_pk(pk),
                EssaiService.etablissement_id == school.id,
                Service.code == code,
            )
        ).first()
        if found is None:
            abort(404)
        if request.headers.get("HX-Request") != "true":
            return redirect(url_for(".page", uai=school.uai, code=code))
        return self.render_template(
            "services/_essai.html", essai=found, ecole=school, code=code, secondes=panels.seconds
        )

    @expose("/<uai>/services/<code>/composants/<composant>", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def basculer(self, uai: str, code: str, composant: str) -> str | Response:
        """Say what switching a software or a resource does; only a post does it."""
        school = current_school(uai)
        service = service_of_page(school.id, code)
        here = components_of(db.session(), school.id, service.id)
        one = next((part for part in here if part.composant.code == composant), None)
        if one is None:
            abort(404)
        part, on, refusal = one.composant, one.actif, None
        if request.method == "POST":
            wanted = request.form.get("actif") == "1"
            name = part.nom
            _done, refusal = run_act(
                lambda: services.basculer_composant(
                    db.session(),
                    school.id,
                    part,
                    wanted,
                    sans_essai=request.form.get("sans_essai") == "1",
                    acteur=actor(),
                )
            )
            if refusal is None:
                flash(f"« {name} » est {'actif' if wanted else 'inactif'}.", "success")
                return redirect(url_for("Services.service", uai=uai, code=code))
            forget()
            school = current_school(uai)
            service = service_of_page(school.id, code)
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "services/_composant.html" if fragment else "services/composant.html",
            title="Activer ou désactiver",
            ecole=school,
            service=service,
            nom=part.nom,
            actif=on,
            autre=_other(here, one.composant, on),
            refus=refusal,
            back=url_for("Services.service", uai=school.uai, code=code),
        )

    @expose("/<uai>/services/<code>/identifiants/<liste>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def identifiants(self, uai: str, code: str, liste: str) -> Response:
        """Send the identifiers a service asks for as a file; the journal says who took them."""
        school = current_school(uai)
        service = service_of_page(school.id, code)
        here = components_of(db.session(), school.id, service.id)
        if liste not in panels.lists_of(service, here):
            abort(404)
        school_id, school_uai = school.id, school.uai
        profils = profils_with_access(service)
        _count, refusal = run_act(
            lambda: noter_export(db.session(), school_id, service, liste, profils, acteur=actor())
        )
        if refusal is not None:
            flash(refusal.message, "danger")
            return redirect(url_for("Services.service", uai=school_uai, code=code))
        key = deployment().cle

        def lines() -> Iterator[Sequence[Any]]:  # read in the session that outlives the request
            yield from identifiants_services.rows(db.session(), school_id, school_uai, liste, profils, key)

        return csv_response(f"{school_uai.lower()}-{liste}.csv", lines())

    def _refused(
        self, uai: str, code: str, typed: dict[str, Any], refusal: UserError | None
    ) -> str | tuple[str, int]:
        """Draw the panel again with what was typed, alone when it was asked for alone."""
        forget()
        school = current_school(uai)
        saisie = Saisie(request.form.get("composant", ""), typed, refusal)
        page = self._page(school, service_of_page(school.id, code), saisie)
        return (page, 409) if isinstance(refusal, ConflictError) else page

    def _page(self, school: Etablissement, service: ServiceIci, saisie: Saisie | None = None) -> str:
        drawn = panels.panneaux(school.id, service, saisie)
        if not drawn:
            abort(404)
        return self.render_template(
            "services/reglages.html",
            title=f"Réglages : {service.nom}",
            ecole=school,
            service=service,
            panneaux=drawn,
            **panels.WORDS,
            ecrire=allowed_here(Resource.SERVICE, Verb.ECRIRE),
        )


def _target(school: Etablissement, code: str) -> tuple[Service, ComposantService | None]:
    """Return the service of the address and the component the form names; 404 when there is none."""
    service_of_page(school.id, code)
    service = db.session.scalars(select(Service).where(Service.code == code[:40])).one()
    named = request.form.get("composant", "")
    if not named:
        return service, None
    here = components_of(db.session(), school.id, service.id)
    part = next((one.composant for one in here if one.composant.code == named), None)
    if part is None:
        abort(404)
    return service, part


def _version() -> int | None:
    raw = request.form.get("_version", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


def _other(here: list[Any], part: ComposantService, on: bool) -> str:
    """Return the software of the same place that is on, which keeps this one from being."""
    if on or not part.place:
        return ""
    return next((one.composant.nom for one in here if one.actif and one.composant.place == part.place), "")


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the page of a service."""
    appbuilder.add_view_no_menu(ReglagesServices)
