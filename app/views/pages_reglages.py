"""«Page publique» of a school: on or off, address, look, services, editors, logos (P3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import ConflictError, UserError
from app.extensions import db
from app.models import Etablissement, PagePublique, Personne
from app.operations import editeurs, page_publique
from app.operations.page_publique import Choix
from app.queries import pages as reads
from app.queries.droits import services_of
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, ids_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import allowed_here, current_school
from app.views.pages_ecole import logos_of

MODELES = {
    "vitrine": ("Vitrine", "Un grand bandeau, des cartes : pour une page que l’on découvre."),
    "journal": ("Journal", "Une une et des colonnes : pour une page qui change souvent."),
    "essentiel": ("Essentiel", "Une colonne et les coordonnées : pour aller droit au renseignement."),
}
CHAMPS = {
    "active": "Page active",
    "adresse": "Fin de l’adresse",
    "modele": "Modèle",
    "entete": "En-tête",
    "accroche": "Phrase d’accroche",
    "services": "Services montrés",
}


@dataclass
class Reglages:
    """What the form shows: what is kept, or what was typed and why it was refused."""

    choix: Choix
    version: int
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    kept: dict[str, str] = field(default_factory=dict)


class ReglagesPagePublique(PreauBaseView):
    """The settings of the public page of a school."""

    resource = Resource.PAGE
    route_base = "/etablissements"
    default_view = "reglages"

    @expose("/<uai>/pages/publique", methods=["GET", "POST"])
    @has_access
    @permission_name("lire")
    def reglages(self, uai: str) -> str | Response | tuple[str, int]:
        """Show the settings; write them for who may."""
        school = current_school(uai)
        if request.method == "GET":
            return self._page(school, _kept(school))
        if not allowed_here(Resource.PAGE, Verb.ECRIRE):
            abort(403)
        typed = Reglages(_typed(), as_id(request.form.get("_version", "")) or 0)
        back = url_for(".reglages", uai=school.uai)
        row, refusal = run_act(
            lambda: page_publique.enregistrer(
                db.session(), school, typed.choix, version=typed.version, acteur=actor()
            )
        )
        if refusal is None:
            flash(
                "Page publique enregistrée." if row.active else "Enregistré : la page est fermée.", "success"
            )
            return redirect(back)
        return self._refused(current_school(uai), typed, refusal)

    def _refused(self, school: Etablissement, typed: Reglages, refusal: UserError) -> str | tuple[str, int]:
        if refusal.field in CHAMPS:
            typed.errors[refusal.field] = refusal.message
        else:
            typed.refusal = refusal.message
        if not isinstance(refusal, ConflictError):
            return self._page(school, typed)
        now_kept = _kept(school)
        typed.version = now_kept.version
        typed.kept = _differences(school, typed.choix, now_kept.choix)
        return self._page(school, typed), 409

    def _page(self, school: Etablissement, seen: Reglages) -> str:
        session = db.session()
        return self.render_template(
            "pages/publique_reglages.html",
            title="Page publique",
            school=school,
            seen=seen,
            champs=CHAMPS,
            modeles=MODELES,
            base=_base(),
            proposee=page_publique.proposer(session, school) if not seen.choix.adresse else "",
            ouverte=_open_address(school),
            services=services_of(session, school.id),
            editeurs=reads.editeurs(session, school.id),
            **logos_of(school, "publique"),
        )

    @expose("/<uai>/pages/publique/editeurs/<int:pk>/retirer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def retirer(self, uai: str, pk: int) -> str | Response:
        """Say what taking the page back from somebody does; only a post does it."""
        school = current_school(uai)
        person = db.session.scalars(select(Personne).where(Personne.id == checked_pk(pk))).first()
        if person is None or editeurs.editeur(db.session(), person.id, school.id) is None:
            abort(404)
        back, who, id_ = (
            url_for(".reglages", uai=school.uai),
            f"{person.prenom} {person.nom_courant}",
            school.id,
        )
        if request.method == "POST":
            commit_act(
                lambda: editeurs.retirer(db.session(), person, id_, acteur=actor()),
                message=f"{who} n’écrit plus la page publique.",
            )
            return redirect(f"{back}#editeurs")
        dialog = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "pages/_retirer_editeur.html" if dialog else "pages/retirer_editeur.html",
            title="Retirer un éditeur",
            school=school,
            who=who,
            action=url_for(".retirer", uai=school.uai, pk=pk),
            back=back,
            titre="h2" if dialog else "h1",
        )


def _typed() -> Choix:
    form = request.form
    return Choix(
        active="active" in form,
        adresse=form.get("adresse", "")[:200],
        modele=form.get("modele", "")[:12],
        entete="entete" in form,
        accroche=form.get("accroche", "")[:1000],
        services=frozenset(ids_arg("services", form)),
    )


def _kept(school: Etablissement) -> Reglages:
    """Return the settings as they are, or as a school that has none would start."""
    session = db.session()
    page = page_publique.page_of(session, school.id)
    model = page or PagePublique(active=False, modele="vitrine", entete=True, version=0)
    choix = Choix(
        active=model.active,
        adresse=page_publique.adresse_of(session, school.id),
        modele=model.modele,
        entete=model.entete,
        accroche=model.accroche or "",
        services=page_publique.services_of_page(session, school.id),
    )
    return Reglages(choix, model.version)


def _differences(school: Etablissement, typed: Choix, kept: Choix) -> dict[str, str]:
    """Return what somebody else wrote meanwhile, in words, field by field."""
    names = {one.id: one.nom for one in services_of(db.session(), school.id)}
    words = {
        "active": "active" if kept.active else "fermée",
        "adresse": kept.adresse,
        "modele": MODELES[kept.modele][0],
        "entete": "affiché" if kept.entete else "masqué",
        "accroche": kept.accroche or "aucune",
        "services": ", ".join(sorted(names[id_] for id_ in kept.services or () if id_ in names)) or "aucun",
    }
    return {name: said for name, said in words.items() if getattr(typed, name) != getattr(kept, name)}


def _base() -> str:
    """Return what comes before the end of the address, as people will type it."""
    console: str = current_app.extensions["reglages"].public_url()
    return console.partition("://")[2] + url_for("PagePubliqueView.page_publique", adresse="")


def _open_address(school: Etablissement) -> str:
    """Return the address of the page when anybody can open it, empty otherwise."""
    page = page_publique.page_of(db.session(), school.id)
    adresse = page_publique.adresse_of(db.session(), school.id)
    if page is None or not page.active or not adresse:
        return ""
    return url_for("PagePubliqueView.page_publique", adresse=adresse)


def register(appbuilder: Any) -> None:
    """Add the page; the tree of the school leads to it."""
    appbuilder.add_view_no_menu(ReglagesPagePublique)
