"""«Modèles de services»: recorded from a school, read, changed, copied, exported, deleted (S3)."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, flash, jsonify, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select

from app.errors import ConflictError, UserError
from app.extensions import db
from app.models import PROFILS, Etablissement, ModeleServices
from app.operations import modeles as acts
from app.queries import cibles, comparaison, curseurs
from app.queries import modeles as reads
from app.queries.cibles import GENRES, Cible
from app.queries.droits import PROFIL_LABELS
from app.queries.etats_services import Catalogue, catalogue
from app.security.manager import allowed
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.acts import commit_act, run_act
from app.views.arguments import as_id, choice_arg, id_arg, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.cursor_pages import cursor_args, pager, size_arg, url_here
from app.views.modeles_communs import (
    PORTEES,
    audience_of,
    audience_value,
    audiences,
    may_write,
    model_of,
)

CATEGORIES = {
    "communication": "Communication",
    "pedagogie": "Pédagogie",
    "vie_scolaire": "Vie scolaire",
    "ressources": "Ressources",
}
BIGGEST_FILE = 1_000_000
USUAL = ("etat", "droit")
MAX_SELECTION = 100


class Modeles(PreauBaseView):
    """Models of services."""

    resource = Resource.MODELE
    route_base = "/modeles"
    default_view = "liste"

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """List the models one sees; schools ticked elsewhere go along to the comparison."""
        typed, portee = text_arg("q"), choice_arg("portee", PORTEES)
        tri = request.args.get("tri", "")
        key = tri.removeprefix("-") if tri.removeprefix("-") in reads.ORDERS else "nom"
        order = reads.ORDERS[key](tri.startswith("-"))
        statement, session = reads.listed(typed, portee), db.session()
        found = curseurs.page(session, statement, order, size_arg(), *cursor_args())
        return self.render_template(
            "modeles/liste.html",
            title="Modèles de services",
            rows=found.rows,
            pager=pager(found, curseurs.count(session, statement, order)),
            q=typed,
            portee=portee,
            portees=PORTEES,
            tri=tri,
            sort_url=lambda name: url_here(tri=f"-{name}" if (tri or "nom") == name else name),
            choisies=ids_arg("rowid", limit=MAX_SELECTION),
            ecrit=allowed(Verb.ECRIRE, Resource.MODELE),
        )

    @expose("/nouveau", methods=["GET"])
    @has_access
    @permission_name("lire")
    def nouveau(self) -> str:
        """Ask what to keep of which school."""
        if not allowed(Verb.ECRIRE, Resource.MODELE):
            abort(404)
        return self._form(None)

    @expose("/nouveau", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def creer(self) -> Any:
        """Record a school as a model."""
        school = _school(as_id(request.form.get("etablissement", "")))
        if school is None:
            return self._form(UserError("Choisissez un établissement.", field="etablissement"))
        made, refusal = run_act(
            lambda: acts.enregistrer(
                db.session(),
                school,
                nom=request.form.get("nom", "")[:300],
                description=request.form.get("description", "")[:2000],
                genres=set(request.form.getlist("genre")) & set(GENRES),
                services=set(request.form.getlist("service")[:500]),
                portee=audience_of(request.form.get("portee", "")),
                acteur=actor(),
            )
        )
        if refusal is not None:
            return self._form(refusal)
        flash(f"Le modèle « {made.nom} » est enregistré.", "success")
        return redirect(url_for(".fiche", pk=made.id))

    @expose("/importer", methods=["GET"])
    @has_access
    @permission_name("lire")
    def depot(self) -> str:
        """Ask for the file of a model."""
        if not allowed(Verb.ECRIRE, Resource.MODELE):
            abort(404)
        return self._import_form(None)

    @expose("/importer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def importer(self) -> Any:
        """Write the model of a file."""
        sent = request.files.get("fichier")
        content = sent.read(BIGGEST_FILE + 1) if sent else b""
        try:
            said = json.loads(content) if 0 < len(content) <= BIGGEST_FILE else None
        except (ValueError, RecursionError):
            said = None
        made, refusal = run_act(
            lambda: acts.importer(
                db.session(), said, portee=audience_of(request.form.get("portee", "")), acteur=actor()
            )
        )
        if refusal is not None:
            return self._import_form(refusal)
        modele, left = made
        flash(f"Le modèle « {modele.nom} » est importé.", "success")
        if left:
            shown = ", ".join(left[:5]) + (f" et {len(left) - 5} autres" if len(left) > 5 else "")
            flash(f"Laissés de côté, faute de place au catalogue : {shown}.", "warning")
        return redirect(url_for(".fiche", pk=modele.id))

    @expose("/<int:pk>", methods=["GET"])
    @has_access
    @permission_name("lire")
    def fiche(self, pk: int) -> str:
        """Show what a model sets, service by service."""
        return self._sheet(model_of(pk))

    @expose("/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def modifier(self, pk: int) -> Any:
        """Change the name, the description and who sees a model."""
        modele = model_of(pk, write=True)
        _done, refusal = run_act(
            lambda: acts.modifier(
                db.session(),
                modele,
                nom=request.form.get("nom", "")[:300],
                description=request.form.get("description", "")[:2000],
                portee=audience_of(request.form.get("portee", "")),
                version=as_id(request.form.get("version", "")),
                acteur=actor(),
            )
        )
        if refusal is None:
            flash("Le modèle est enregistré.", "success")
            return redirect(url_for(".fiche", pk=pk))
        page = self._sheet(model_of(pk, write=True), refusal)
        return (page, 409) if isinstance(refusal, ConflictError) else page

    @expose("/<int:pk>/services/<code>", methods=["GET"])
    @has_access
    @permission_name("lire")
    def service(self, pk: int, code: str) -> str:
        """Show what a model sets of one service, ready to be changed."""
        return self._service(model_of(pk, write=True), code)

    @expose("/<int:pk>/services/<code>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def enregistrer(self, pk: int, code: str) -> Any:
        """Set what a model says of one service."""
        modele = model_of(pk, write=True)
        wanted = {
            one.cle: _typed(one)
            for one in _of_service(catalogue(db.session()), code)
            if not one.fixe and f"v:{one.cle}" in request.form
        }
        version = as_id(request.form.get("version", ""))
        count, refusal = run_act(
            lambda: acts.changer_lignes(db.session(), modele, wanted, version=version, acteur=actor())
        )
        if refusal is None:
            flash(f"{count} éléments du modèle changés." if count else "Rien n’a changé.", "success")
            return redirect(url_for(".fiche", pk=pk, _anchor=f"s-{code}"))
        page = self._service(model_of(pk, write=True), code, refusal)
        return (page, 409) if isinstance(refusal, ConflictError) else page

    @expose("/<int:pk>/dupliquer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def dupliquer(self, pk: int) -> Any:
        """Copy a model; the copy is its author's alone until they show it."""
        modele = model_of(pk)
        made, refusal = run_act(
            lambda: acts.dupliquer(db.session(), modele, portee=acts.Portee(), acteur=actor())
        )
        if refusal is not None:
            flash(refusal.message, "danger")
            return redirect(url_for(".fiche", pk=pk))
        flash("La copie est à vous seul : renommez-la, puis choisissez qui la voit.", "success")
        return redirect(url_for(".fiche", pk=made.id))

    @expose("/<int:pk>/supprimer", methods=["GET"])
    @has_access
    @permission_name("lire")
    def question(self, pk: int) -> str:
        """Say what a deletion does."""
        modele = model_of(pk, write=True)
        return self.render_template("modeles/supprimer.html", title="Supprimer", modele=modele)

    @expose("/<int:pk>/supprimer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def supprimer(self, pk: int) -> Any:
        """Delete a model."""
        modele = model_of(pk, write=True)
        message = f"Le modèle « {modele.nom} » est supprimé."
        commit_act(lambda: acts.supprimer(db.session(), modele, acteur=actor()), message=message)
        return redirect(url_for(".liste"))

    @expose("/<int:pk>/export.json")
    @has_access
    @permission_name("lire")
    def export(self, pk: int) -> Response:
        """Send a model as a file another platform reads."""
        answer = jsonify(acts.exporter(model_of(pk)))
        answer.headers["Content-Disposition"] = f'attachment; filename="modele-{pk}.json"'
        return answer

    def _form(self, refusal: UserError | None) -> str:
        asked = as_id(request.form.get("etablissement", "")) or id_arg("etablissement")
        posted = request.method == "POST"
        known = catalogue(db.session())
        return self.render_template(
            "modeles/nouveau.html",
            title="Nouveau modèle",
            refusal=refusal,
            ecole=_school(asked),
            saisie=request.form,
            genres=GENRES,
            genres_choisis=request.form.getlist("genre") if posted else USUAL,
            categories=CATEGORIES,
            services=known.values(),
            services_choisis=request.form.getlist("service") if posted else list(known),
            audiences=audiences(),
        )

    def _import_form(self, refusal: UserError | None) -> str:
        return self.render_template(
            "modeles/importer.html", title="Importer un modèle", refusal=refusal, audiences=audiences()
        )

    def _sheet(self, modele: ModeleServices, refusal: UserError | None = None) -> str:
        known = catalogue(db.session())
        read = comparaison.of_model(db.session(), known, modele.lignes)
        held = {one.cle: one.valeur for one in modele.lignes}
        return self.render_template(
            "modeles/fiche.html",
            title=modele.nom,
            modele=modele,
            lu=read,
            valeurs=held,
            groupes={code: _of_service(known, code) for code in (one.code for one in read.services)},
            ajoutables=[
                one
                for one in known.values()
                if one not in read.services and not all(aim.fixe for aim in _of_service(known, one.code))
            ],
            profils=PROFIL_LABELS,
            dit=cibles.said,
            portees=PORTEES,
            audiences=audiences(),
            audience=audience_value(modele),
            ecrit=may_write(modele),
            refusal=refusal,
            saisie=request.form if refusal else {},
        )

    def _service(self, modele: ModeleServices, code: str, refusal: UserError | None = None) -> str:
        known = catalogue(db.session())
        if code not in known:
            abort(404)
        return self.render_template(
            "modeles/service.html",
            title=known[code].nom,
            modele=modele,
            service=known[code],
            cibles=_of_service(known, code),
            valeurs={one.cle: one.valeur for one in modele.lignes},
            saisie=request.form if refusal else {},
            profils=[(profil, PROFIL_LABELS[profil]) for profil in PROFILS],
            refusal=refusal,
        )


def _school(pk: int | None) -> Etablissement | None:
    if pk is None:
        return None
    return db.session.scalars(select(Etablissement).where(Etablissement.id == pk)).first()


def _of_service(known: Catalogue, code: str) -> list[Cible]:
    return list(cibles.targets({code: known[code]})) if code in known else []


def _typed(cible: Cible) -> Any:
    """Read what was chosen for one thing: nothing, yes, no, or the text of a setting."""
    typed: Any = request.form.get(f"v:{cible.cle}", "")[:300]
    kind = (cible.champ or {}).get("type")
    if kind == "profils":
        typed = [one for one in request.form.getlist(f"v:{cible.cle}") if one]
        return typed or acts.ABSENT
    if typed == "":
        return acts.ABSENT
    if cible.genre != "reglage" or kind == "oui_non":
        return typed == "oui"
    return typed


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(
        Modeles, "Modèles de services", icon="layout-three-columns", category="Établissements"
    )
