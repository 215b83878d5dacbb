"""What is held on a person: exported in one click, corrected on request, erased by the right role (U16)."""

from __future__ import annotations

from typing import Any

from flask import Response as FlaskResponse
from flask import abort, flash, redirect, render_template, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.exports import donnees_personnelles as exports
from app.extensions import db, now
from app.models import Compte, Personne
from app.operations import donnees_personnelles as acts
from app.queries import doublons as reach
from app.queries.personnes import PROFIL_LABELS
from app.security.manager import current_account
from app.security.permissions import Resource
from app.views.actes import OBJETS, label_of, said
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView, commit_act
from app.views.labels import SOURCES

TABLES = {
    "personne": "Fiche",
    "ab_user": "Compte",
    "adresse_a_confirmer": "Adresses à confirmer",
    "attribution": "Rôles",
    "courriel": "Messages envoyés",
    "ecart": "Ce que les alimentations ont lu",
    "eleve_groupe": "Groupes suivis",
    "favori": "Établissements favoris",
    "fiche_source": "Clés dans les sources",
    "fonction_exercee": "Fonctions",
    "identifiant": "Identifiants",
    "journal": "Journal",
    "nomination": "Rôles promis",
    "option_suivie": "Options suivies",
    "preference": "Préférences d’affichage",
    "professeur_principal": "Professeur principal",
    "rattachement": "Établissements",
    "responsabilite": "Liens de responsabilité",
    "service_enseigne": "Enseignements",
    "session_compte": "Connexions",
    "tache": "Travaux demandés",
    "verrou_personne": "Champs saisis à la main",
    "visite": "Établissements ouverts",
    "vue_enregistree": "Vues enregistrées",
}
OUTSIDE = (
    "Cette personne est aussi, ou a des droits, hors de votre périmètre : l’export et l’effacement reviennent"
    " aux services académiques."
)


class DonneesPersonnelles(PreauBaseView):
    """The data of one person of the perimeter."""

    resource = Resource.DONNEES
    route_base = "/personnes"
    default_view = "donnees"

    @expose("/<int:pk>/donnees")
    @has_access
    @permission_name("lire")
    def donnees(self, pk: int) -> str:
        """Tell what may be asked, and what is held."""
        return self._page(found_person(pk))

    def _page(self, person: Personne, refusal: Any = None) -> str:
        whole = reach.within(db.session(), [person.id])
        found = exports.dossier(db.session(), person.id) if whole else None
        return self.render_template(
            "donnees/personne.html",
            title="Données personnelles",
            person=person,
            contenu=[(table_label(name), len(rows)) for name, rows in exports.sections(found)]
            if found
            else [],
            lignes=found.lignes if found else 0,
            empeche="" if whole else OUTSIDE,
            refusal=refusal,
            demande=request.form.get("demande", ""),
        )

    @expose("/<int:pk>/donnees/exporter", methods=["POST"])
    @has_access
    @permission_name("lire")
    def exporter(self, pk: int) -> Response:
        """Send everything held on the person, as a ZIP."""
        person = found_person(pk)
        if not reach.within(db.session(), [person.id]):
            flash(OUTSIDE, "danger")
            return redirect(url_for(".donnees", pk=pk))
        return export_of(person, None)

    @expose("/<int:pk>/donnees/rectifier", methods=["POST"])
    @has_access
    @permission_name("lire")
    def rectifier(self, pk: int) -> str | Response:
        """Write down what the person asks to be corrected."""
        person = found_person(pk)
        _done, refusal = run_act(
            lambda: acts.noter_rectification(
                db.session(), person, request.form.get("demande", ""), acteur=actor()
            )
        )
        if refusal is not None:
            return self._page(found_person(pk), refusal)
        flash("La demande de rectification est inscrite au journal.", "success")
        return redirect(url_for(".donnees", pk=pk))

    @expose("/<int:pk>/donnees/effacer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def effacer(self, pk: int) -> str | Response:
        """Say what erasing does; only a post with the name typed does it."""
        person, refusal = found_person(pk), None
        name = f"{person.prenom} {person.nom_courant}"
        empeche = "" if reach.within(db.session(), [person.id]) else OUTSIDE
        if request.method == "POST" and not empeche:
            typed = request.form.get("confirmation", "")
            _done, refusal = run_act(lambda: acts.effacer(db.session(), person, typed, acteur=actor()))
            if refusal is None:
                flash("La fiche est anonymisée. Rien ne dit plus à qui elle était.", "success")
                return redirect(url_for("Personnes.liste"))
            person = found_person(pk)
        return self.render_template(
            "donnees/effacer.html",
            title="Effacer les données",
            person=person,
            name=name,
            empeche=empeche,
            refusal=refusal,
        )


class MesDonnees(PreauBaseView):
    """One's own data, from «Mon espace»."""

    resource = Resource.MON_ESPACE
    route_base = "/mon-espace/donnees"
    default_view = "mes_donnees"

    @expose("/")
    @has_access
    @permission_name("lire")
    def mes_donnees(self) -> str:
        """Tell what is held on oneself."""
        account = current_account()
        found = exports.dossier(db.session(), account.personne_id, account.id) if account else None
        return self.render_template(
            "donnees/miennes.html",
            title="Mes données",
            contenu=[(table_label(name), len(rows)) for name, rows in exports.sections(found)]
            if found
            else [],
            lignes=found.lignes if found else 0,
        )

    @expose("/exporter", methods=["POST"])
    @has_access
    @permission_name("lire")
    def exporter(self) -> Response:
        """Send everything held on oneself, as a ZIP."""
        account = current_account()
        if account is None:
            abort(404)
        return export_of(account.personne, account)


def export_of(person: Personne | None, account: Compte | None) -> Response:
    """Journal an export and return it."""
    pk, account_id = person.id if person else None, account.id if account else None
    commit_act(lambda: acts.noter_export(db.session(), person, account, acteur=actor()))
    found = exports.dossier(db.session(), pk, account_id)
    page = render_template(
        "donnees/export.html",
        sections=[(table_label(name), rows) for name, rows in exports.sections(found)],
        exclues=exports.EXCLUES,
        colonnes=exports.COLONNES_EXCLUES,
        label_of=label_of,
        said=said,
        table_label=table_label,
        etabli_le=found.etabli_le,
        words={**PROFIL_LABELS, **SOURCES},
    )
    answer = FlaskResponse(exports.as_zip(found, page), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="donnees-personnelles-{now():%Y%m%d}.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def table_label(name: str) -> str:
    """Return what a table is called on the screen."""
    return TABLES.get(name) or OBJETS.get(name, (name.replace("_", " ").capitalize(), False))[0]


def found_person(pk: int) -> Personne:
    """Return a person of the perimeter, 404 otherwise."""
    person = db.session.scalars(
        select(Personne).where(Personne.id == checked_pk(pk), Personne.anonymise_le.is_(None))
    ).first()
    if person is None:
        abort(404)
    return person


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the sheet of a person and from «Mon espace»."""
    appbuilder.add_view_no_menu(DonneesPersonnelles)
    appbuilder.add_view_no_menu(MesDonnees)
