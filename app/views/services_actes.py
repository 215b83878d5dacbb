"""Acts on one service of a school: switched on or off, who takes over its contents (U9)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response

from app.errors import NotFoundError, RuleViolationError, UserError
from app.extensions import db
from app.models import Etablissement, Personne
from app.operations import gestionnaires
from app.operations.preuves import FIELD
from app.operations.services import basculer
from app.queries import services as reads
from app.queries.droits import PROFIL_LABELS, ServiceIci
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.acts import commit_act, run_act
from app.views.arguments import as_id, text_arg
from app.views.base import PreauBaseView
from app.views.ecole import current_school
from app.views.panneaux import untried
from app.views.services import profils_of
from app.views.services_ici import forget, service_of_page


class ActesServices(PreauBaseView):
    """What one does to a service of a school, beside its rights."""

    resource = Resource.SERVICE
    route_base = "/etablissements"
    default_view = "basculer"

    @expose("/<uai>/services/<code>/basculer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def basculer(self, uai: str, code: str) -> str | Response:
        """Say how many people it concerns; only a post switches the service."""
        school = current_school(uai)
        one = service_of_page(school.id, code)
        if one.nature == "initial":
            abort(404)
        back = url_for("Services.service", uai=school.uai, code=code)
        if request.method == "POST":
            wanted, knowingly = (request.form.get(name) == "1" for name in ("actif", FIELD))
            commit_act(
                lambda: basculer(db.session(), school.id, code, wanted, sans_essai=knowingly, acteur=actor()),
                message=f"« {one.nom} » est {'actif' if wanted else 'inactif'}.",
            )
            return redirect(back)
        counts = reads.combinations(db.session(), school.id)
        held = profils_of(one)
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "services/_basculer.html" if fragment else "services/basculer.html",
            title="Désactiver un service" if one.actif else "Activer un service",
            ecole=school,
            service=one,
            sans_essai=not one.actif and untried(school.id, one),
            personnes=reads.people_of(counts, held),
            profils=[PROFIL_LABELS[profil] for profil in held],
            back=back,
            action=url_for(".basculer", uai=school.uai, code=code),
        )

    @expose("/<uai>/services/<code>/gestionnaire", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def gestionnaire(self, uai: str, code: str) -> str | Response:
        """Name who takes over the contents of a service whose owner is gone."""
        school = current_school(uai)
        one = _with_contents(school, code)
        refusal: UserError | None = None
        if request.method == "POST":
            row, refusal = run_act(lambda: _name(school, one))
            if refusal is None:
                who = row.personne
                flash(f"{who.prenom} {who.nom_courant} reprend les contenus de « {one.nom} ».", "success")
                return redirect(url_for("Services.service", uai=school.uai, code=code))
            forget()
            school = current_school(uai)
            one = _with_contents(school, code)
        profils = gestionnaires.profils_gestionnaires(one)
        asked = request.values.get("profil", "")
        profil = asked if asked in profils else next(iter(profils), "")
        typed = text_arg("nom", request.values)
        found = reads.candidates(db.session(), school.id, profil, typed) if profil and typed else []
        return self.render_template(
            "services/gestionnaire.html",
            title=f"Reprise des contenus : {one.nom}",
            ecole=school,
            service=one,
            profils=profils,
            profil=profil,
            noms=PROFIL_LABELS,
            typed=typed,
            candidats=found,
            choisi=as_id(request.form.get("personne", "")),
            historique=reads.managers(db.session(), school.id, one.id),
            erreur=refusal,
        )

    @expose("/<uai>/services/<code>/gestionnaire/retirer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def retirer(self, uai: str, code: str) -> Response:
        """Take the contents back from whoever was designated."""
        school = current_school(uai)
        one = _with_contents(school, code)
        commit_act(
            lambda: gestionnaires.retirer_gestionnaire(db.session(), school.id, code, acteur=actor()),
            message=f"Plus personne ne reprend les contenus de « {one.nom} ».",
        )
        return redirect(url_for("Services.service", uai=school.uai, code=code))


def _with_contents(school: Etablissement, code: str) -> ServiceIci:
    one = service_of_page(school.id, code)
    if not one.reprise_contenus:
        abort(404)
    return one


def _name(school: Etablissement, service: ServiceIci) -> Any:
    pk = as_id(request.form.get("personne", ""))
    if pk is None:
        raise RuleViolationError("Choisissez une personne dans la liste.", field="personne")
    person = db.session.get(Personne, pk)
    if person is None:
        raise NotFoundError("Cette personne n’est plus là. Choisissez-en une autre.", field="personne")
    profil = request.form.get("profil", "")
    return gestionnaires.designer_gestionnaire(
        db.session(), school.id, service.code, person, profil, acteur=actor()
    )


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the page of a service."""
    appbuilder.add_view_no_menu(ActesServices)
