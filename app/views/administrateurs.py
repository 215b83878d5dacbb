"""«Administrateurs locaux»: «Ajouter» and «Retirer», each a page that a dialog may hold (C5, M2)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response

from app.errors import RuleViolationError, UserError
from app.extensions import db
from app.models import Attribution, Nomination, Personne
from app.operations import administrateurs as acts
from app.operations import attributions, nominations
from app.queries import fiche_etablissement as reads
from app.queries.personnes import PROFIL_LABELS
from app.security.delegation import current_pouvoirs
from app.security.manager import current_account
from app.security.permissions import Resource
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, text_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school


class AdministrateursLocaux(PreauBaseView):
    """Who administers a school. Whoever may write the school may name and withdraw (M2)."""

    resource = Resource.ETABLISSEMENT
    route_base = "/etablissements"
    default_view = "ajouter"

    @expose("/<uai>/administrateurs/ajouter", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def ajouter(self, uai: str) -> str | Response:
        """Choose a teacher, a member of staff or a guest of the school, and name them."""
        school = current_school(uai)
        school_uai, refusal = school.uai, None
        if request.method == "POST":
            named, refusal = run_act(lambda: self._name(uai))
            if refusal is None:
                flash(named, "success")
                return redirect(url_for("EtablissementConsole.fiche", uai=school_uai))
            school = current_school(uai)
        typed = text_arg("q", request.form if request.method == "POST" else None).strip()
        return self.render_template(
            "console/ajouter_administrateur.html",
            title="Ajouter un administrateur local",
            school=school,
            typed=typed,
            candidates=reads.candidates(db.session(), school.id, typed),
            refusal=refusal,
            chosen=as_id(request.form.get("personne", "")),
            last_day=request.form.get("dernier_jour", "")[:10],
            profils=PROFIL_LABELS,
        )

    def _name(self, uai: str) -> str:
        school = current_school(uai)
        person_id = as_id(request.form.get("personne", ""))
        person = reads.person(db.session(), person_id or 0)
        if person is None:
            raise RuleViolationError("Choisissez une personne de la liste.", field="personne")
        made = attributions.donner_dans_ecole(
            db.session(),
            acts.ROLE,
            school,
            person,
            dernier_jour=day_typed(),
            detenus=current_pouvoirs(),
            deployment=deployment(),
            acteur=actor(),
        )
        return named(person, made)

    @expose("/<uai>/administrateurs/<int:pk>/retirer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def retirer(self, uai: str, pk: int) -> str | Response:
        """Say what withdrawing does; only a post does it."""
        school = current_school(uai)
        held = reads.administrator(db.session(), school.id, checked_pk(pk))
        if held is None:
            abort(404)
        account, back = current_account(), url_for("EtablissementConsole.fiche", uai=school.uai)
        mine = account is not None and held.compte_id == account.id
        who = f"{held.compte.first_name} {held.compte.last_name}"
        if request.method == "POST":
            said = request.form.get("soi") == "1"
            done = commit_act(
                lambda: acts.retirer(
                    db.session(), held, soi_confirme=said, detenus=current_pouvoirs(), acteur=actor()
                ),
                message=f"{who} n’est plus administrateur local de {school.nom}.",
            )
            return redirect("/" if done and mine else back)
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "console/_retirer.html" if fragment else "console/retirer.html",
            title="Retirer un administrateur local",
            who=who,
            mine=mine,
            school=school,
            back=back,
            action=url_for(".retirer", uai=school.uai, pk=held.id),
        )


class PromessesLocales(PreauBaseView):
    """Rights over a school that wait for their holder."""

    resource = Resource.ETABLISSEMENT
    route_base = "/etablissements"
    default_view = "reprendre"

    @expose("/<uai>/administrateurs/promesses/<int:pk>/reprendre", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def reprendre(self, uai: str, pk: int) -> str | Response:
        """Say what taking a promise back does; only a post does it."""
        school = current_school(uai)
        number = checked_pk(pk)
        promise = next((one for one in reads.promised(db.session(), school.id) if one.id == number), None)
        if promise is None:
            abort(404)
        who = f"{promise.personne.prenom} {promise.personne.nom_courant}"
        back = url_for("EtablissementConsole.fiche", uai=school.uai)
        if request.method == "POST":
            commit_act(
                lambda: nominations.reprendre(db.session(), promise, acteur=actor()),
                message=f"{who} n’aura pas ces droits.",
            )
            return redirect(back)
        return self.render_template(
            "administrateurs/reprendre.html",
            title="Reprendre un rôle promis",
            qui=who,
            role="Administrateur local",
            ecole=school.nom,
            retour=back,
        )


def named(person: Personne, made: Attribution | Nomination) -> str:
    """Say that somebody was named, or will be administrator the day they activate their account."""
    who = f"{person.prenom} {person.nom_courant}"
    if isinstance(made, Attribution):
        return f"{who} est administrateur local. Son prochain accès lui ouvrira la console."
    how = (
        "un lien pour activer son compte vient de partir"
        if person.email and person.login
        else "remettez-lui ses identifiants de première connexion"
    )
    return f"{who} sera administrateur local : {how}."


def day_typed() -> date | None:
    """Return the last day typed in a form, None when it is left empty.

    :raises UserError: it is no day.
    """
    raw = request.form.get("dernier_jour", "").strip()
    if not raw:
        return None
    try:
        found = date.fromisoformat(raw)
    except ValueError:
        found = None
    if found is None or not 2000 < found.year < 2200:
        raise UserError("Cette date n’existe pas. Exemple : 30/06/2027.", field="dernier_jour")
    return found


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the sheet of the school."""
    appbuilder.add_view_no_menu(AdministrateursLocaux)
    appbuilder.add_view_no_menu(PromessesLocales)
