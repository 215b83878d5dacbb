"""Guests of a school by hand: create after looking for who is there, attach, end day, detach (U12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import RuleViolationError, UserError
from app.extensions import db
from app.models import Etablissement, Personne, Rattachement
from app.operations import invites as acts
from app.operations.invites_saisie import CHAMPS, OBLIGATOIRES, Lecture, lire
from app.queries import invites as reads
from app.queries.personnes import PROFIL_LABELS
from app.security.manager import allowed
from app.security.permissions import Resource, Verb
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school
from app.views.rendering import day

NEW, ELSEWHERE = "nouveau", "ailleurs"
TITRES = ("", "M.", "Mme")
UNKNOWN = (
    "Aucun invité d’un autre établissement ne correspond. Vérifiez l’identifiant, ou le nom, le prénom et"
    " la date de naissance."
)


@dataclass
class Saisie:
    """What the form of a guest shows: typed, refused, found."""

    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    candidates: list[reads.Candidat] = field(default_factory=list)
    elsewhere: bool = False
    checked: bool = False
    refusal: str = ""


class Invites(PreauBaseView):
    """People of the outside let into a school."""

    resource = Resource.INVITE
    route_base = "/etablissements"
    default_view = "ajouter"

    @expose("/<uai>/invites/ajouter", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def ajouter(self, uai: str) -> str | Response:
        """Type a guest, see who may be them already, confirm their place, save."""
        school = current_school(uai)
        school_uai, school_id, seen = school.uai, school.id, Saisie()
        if request.method == "POST":
            seen.typed = typed_fields()
            read = lire(seen.typed, aujourdhui=acts.today())
            last_day, wrong = last_day_arg()
            seen.errors = {**read.erreurs(), **({"dernier_jour": wrong} if wrong else {})}
            seen.hints = {one.champ: one.suggestion for one in read.constats if one.suggestion}
            if not seen.errors:
                look(seen, school, read)
                chosen = request.form.get("qui", "") if request.form.get("etape") == "confirmer" else ""
                if chosen:
                    person, refusal = run_act(lambda: self._save(uai, read, chosen, last_day))
                    if refusal is None:
                        return redirect(_after(school_uai, school_id, person))
                    school = current_school(uai)
                    seen.refusal = refusal.message
        return self.render_template(
            "invites/ajouter.html",
            title="Ajouter un invité",
            school=school,
            seen=seen,
            champs=CHAMPS,
            obligatoires=OBLIGATOIRES,
            titres=TITRES,
            profils=PROFIL_LABELS,
            day=day,
        )

    def _save(self, uai: str, read: Lecture, chosen: str, last_day: date | None) -> Personne:
        """Create the guest, or give a place to the person chosen among those found."""
        school, session = current_school(uai), db.session()
        if chosen == NEW:
            return acts.creer(
                session,
                school,
                read.valeurs,
                dernier_jour=last_day,
                acteur=actor(),
                deployment=deployment(),
            )
        if chosen == ELSEWHERE:
            person = reads.guest_elsewhere(db.session(), *read.nom(), read.naissance)
        else:
            wanted = select(Personne).where(Personne.id == (as_id(chosen) or 0))
            person = db.session.scalars(wanted).first()
        if person is None:
            raise RuleViolationError("Choisissez une personne de la liste, ou un nouvel invité.")
        acts.rattacher(
            session, school, person, dernier_jour=last_day, acteur=actor(), deployment=deployment()
        )
        return person

    @expose("/<uai>/invites/rattacher", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def rattacher(self, uai: str) -> str | Response:
        """Find a guest of another school by what only who knows them can type, confirm, give a place."""
        school = current_school(uai)
        school_uai, seen, found = school.uai, Saisie(), None
        if request.method == "POST":
            seen.typed = typed_fields("login")
            last_day, wrong = last_day_arg()
            seen.errors = {"dernier_jour": wrong} if wrong else {}
            found, seen.refusal = self._find(seen.typed)
            if found is not None and not seen.errors and request.form.get("etape") == "confirmer":
                person, refusal = run_act(lambda: self._attach(uai, seen.typed, last_day))
                if refusal is None:
                    return redirect(
                        url_for("Utilisateurs.fiche", uai=school_uai, liste="invites", pk=person.id)
                    )
                school, found, seen.refusal = current_school(uai), None, refusal.message
        return self.render_template(
            "invites/rattacher.html",
            title="Rattacher un invité",
            school=school,
            seen=seen,
            found=f"{found.prenom} {found.nom_courant}" if found is not None else "",
        )

    def _find(self, typed: dict[str, str]) -> tuple[Personne | None, str]:
        session = db.session()
        if typed["login"]:
            found = reads.guest_by_login(session, typed["login"][:64])
        else:
            read = lire({**typed, "email": "x@exemple.fr"}, aujourdhui=acts.today())
            wrong = read.erreurs()
            if wrong:
                return None, "Écrivez l’identifiant, ou bien le nom, le prénom et la date de naissance."
            found = reads.guest_elsewhere(session, *read.nom(), read.naissance)
        return (found, "") if found is not None else (None, UNKNOWN)

    def _attach(self, uai: str, typed: dict[str, str], last_day: date | None) -> Personne:
        school = current_school(uai)
        person, refusal = self._find(typed)
        if person is None:
            raise RuleViolationError(refusal)
        acts.rattacher(
            db.session(), school, person, dernier_jour=last_day, acteur=actor(), deployment=deployment()
        )
        return person

    @expose("/<uai>/invites/<int:pk>/dernier-jour", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def dernier_jour(self, uai: str, pk: int) -> str | Response:
        """Say until which day a guest is expected."""
        school = current_school(uai)
        place = here(school, pk)
        back = url_for("Utilisateurs.fiche", uai=school.uai, liste="invites", pk=pk)
        error, typed = "", place.dernier_jour.isoformat() if place.dernier_jour else ""
        if request.method == "POST":
            typed = request.form.get("dernier_jour", "")[:10]
            last_day, error = last_day_arg()
            if not error:
                message = (
                    f"Accès jusqu’au {last_day:%d/%m/%Y}." if last_day else "L’accès n’a plus de date de fin."
                )
                if commit_act(
                    lambda: acts.fixer_dernier_jour(db.session(), place, last_day, acteur=actor()),
                    message=message,
                ):
                    return redirect(back)
        return self.render_template(
            "invites/dernier_jour.html",
            title="Fin de l’accès",
            school=school,
            who=f"{place.personne.prenom} {place.personne.nom_courant}",
            typed=typed,
            error=error,
            back=back,
        )

    @expose("/<uai>/invites/<int:pk>/detacher", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def detacher(self, uai: str, pk: int) -> str | Response:
        """Say what detaching does; only a post does it."""
        school = current_school(uai)
        place = here(school, pk)
        who, nom = f"{place.personne.prenom} {place.personne.nom_courant}", school.nom
        listed = url_for("Utilisateurs.liste", uai=school.uai, liste="invites")
        back = url_for("Utilisateurs.fiche", uai=school.uai, liste="invites", pk=pk)
        if request.method == "POST":
            done = commit_act(
                lambda: acts.detacher(db.session(), place, acteur=actor()),
                message=f"{who} n’est plus invité de {nom}.",
            )
            return redirect(listed if done else back)
        return self.render_template(
            "invites/detacher.html", title="Détacher un invité", school=school, who=who, back=back
        )


def _after(uai: str, etablissement_id: int, person: Personne) -> str:
    """Return where to go once a guest is there: their sheet, or back to who was naming an administrator."""
    if request.args.get("suite") == "nommer" and allowed(Verb.ECRIRE, Resource.ADMINISTRATEUR):
        return url_for("Nommer.nommer", etablissement=etablissement_id, q=person.nom_courant)
    return url_for("Utilisateurs.fiche", uai=uai, liste="invites", pk=person.id)


def here(school: Etablissement, pk: int) -> Rattachement:
    """Return the place of a guest of the school; 404 for anybody else."""
    place = reads.place_of(db.session(), checked_pk(pk), school.id)
    if place is None:
        abort(404)
    return place


def look(seen: Saisie, school: Etablissement, read: Lecture) -> None:
    """Look for who may already be the person typed."""
    session = db.session()
    seen.candidates = reads.candidates(session, school.id, *read.nom(), read.naissance)
    known = {one.personne_id for one in seen.candidates}
    other = reads.guest_elsewhere(session, *read.nom(), read.naissance)
    seen.elsewhere = other is not None and other.id not in known
    seen.checked = True


def typed_fields(*more: str) -> dict[str, str]:
    """Return what was typed, field by field, cut to what a field may hold."""
    return {name: request.form.get(name, "")[:300] for name in (*CHAMPS, "dernier_jour", *more)}


def last_day_arg() -> tuple[date | None, str]:
    """Return the last day typed, or why it cannot be."""
    raw = request.form.get("dernier_jour", "").strip()
    if not raw:
        return None, ""
    try:
        found = date.fromisoformat(raw)
        acts.check_last_day(found)
    except ValueError:
        return None, "Cette date n’existe pas. Exemple : 30/06/2027."
    except UserError as error:
        return None, error.message
    return found, ""


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the list of guests."""
    appbuilder.add_view_no_menu(Invites)
