"""Managers of what a school lends: add, change, withdraw, put back, delete (R6)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response

from app.errors import ConflictError, UserError
from app.extensions import db
from app.models import Ressource
from app.operations import images
from app.operations import ressources as acts
from app.queries import reservations as reads
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.acts import STALE, run_act, show_refusal
from app.views.base import PreauBaseView, commit_act
from app.views.reservation_commun import enter, frame, resource_here
from app.views.reservation_formulaires import RessourceForm, shown_openings


class GestionRessources(PreauBaseView):
    """The resources of a school, as their managers keep them."""

    resource = Resource.RESERVATION
    route_base = "/etablissements"
    default_view = "ajouter"

    @expose("/<uai>/reservations/ressources/ajouter", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def ajouter(self, uai: str) -> str | Response | tuple[str, int]:
        """Describe a new resource."""
        school, _access = enter(uai, "gerer")
        form = RessourceForm()
        if form.validate_on_submit():
            values = _values(form)
            made, refusal = run_act(lambda: self._write(uai, None, values))
            if refusal is None:
                flash(f"{made.nom} est au catalogue.", "success")
                return redirect(url_for("Reservations.ressource", uai=school.uai, pk=made.id))
            show_refusal(refusal, form)
        return self._form(uai, form, None)

    @expose("/<uai>/reservations/ressources/<int:pk>/modifier", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def modifier(self, uai: str, pk: int) -> str | Response | tuple[str, int]:
        """Change a resource; somebody else's change meanwhile is a conflict."""
        school, access = enter(uai, "gerer")
        item = resource_here(school, pk, access)
        form = RessourceForm(obj=item)
        form.fit(item)
        if form.validate_on_submit():
            if request.form.get("_version", str(item.version)) != str(item.version):
                form.form_errors = [STALE]
                return self._form(uai, form, item, 409)
            values = _values(form)
            made, refusal = run_act(lambda: self._write(uai, pk, values))
            if refusal is None:
                flash(f"{made.nom} est à jour.", "success")
                return redirect(url_for("Reservations.ressource", uai=school.uai, pk=pk))
            show_refusal(refusal, form)
            school, access = enter(uai, "gerer")
            return self._form(
                uai,
                form,
                resource_here(school, pk, access),
                409 if isinstance(refusal, ConflictError) else 200,
            )
        return self._form(uai, form, item)

    def _write(self, uai: str, pk: int | None, values: dict[str, Any]) -> Ressource:
        school, access = enter(uai, "gerer")
        item = Ressource(etablissement_id=school.id) if pk is None else resource_here(school, pk, access)
        acts.enregistrer(db.session(), item, values, acteur=actor())
        return item

    def _form(
        self, uai: str, form: RessourceForm, item: Ressource | None, status: int = 200
    ) -> tuple[str, int]:
        school, access = enter(uai, "gerer")
        known = [*reads.categories(db.session(), school.id), *acts.CATEGORIES]
        kept = {}
        if status == 409 and item is not None:
            names = ("nom", "categorie", "lieu", "quantite", "description", "regles")
            kept = {
                name: str(getattr(item, name))
                for name in names
                if str(getattr(item, name)) != str(form[name].data or "")
            }
        page = self.render_template(
            "reservation/ressource_saisie.html",
            title=f"Modifier {item.nom}" if item else "Ajouter une ressource",
            item=item,
            form=form,
            garde=kept,
            jours=shown_openings(item),
            categories=list(dict.fromkeys(known)),
            version=item.version if item else "",
            **frame(school, access),
        )
        return page, status

    @expose("/<uai>/reservations/ressources/<int:pk>/retirer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def retirer(self, uai: str, pk: int) -> str | Response:
        """Say what withdrawing does; only a post does it."""
        school, access = enter(uai, "gerer")
        item = resource_here(school, pk, access)
        nom, back = item.nom, url_for("Reservations.ressource", uai=school.uai, pk=pk)
        if request.method == "POST":
            commit_act(
                lambda: acts.basculer(db.session(), item, active=False, acteur=actor()),
                message=f"{nom} est retirée du catalogue.",
            )
            return redirect(back)
        return self.render_template(
            "reservation/question.html",
            title=f"Retirer {nom}",
            question=f"Retirer « {nom} » du catalogue ?",
            suites=[
                "Personne ne pourra plus la demander.",
                "Les réservations déjà faites tiennent : annulez-les une à une s’il le faut.",
                "La remettre au catalogue se fait depuis sa page, à tout moment.",
            ],
            bouton="Retirer du catalogue",
            retour=back,
            motif=None,
            erreur="",
            **frame(school, access),
        )

    @expose("/<uai>/reservations/ressources/<int:pk>/remettre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def remettre(self, uai: str, pk: int) -> Response:
        """Put a resource back in the catalogue."""
        school, access = enter(uai, "gerer")
        item, address = resource_here(school, pk, access), school.uai
        commit_act(
            lambda: acts.basculer(db.session(), item, active=True, acteur=actor()),
            message="La ressource est de nouveau au catalogue.",
        )
        return redirect(url_for("Reservations.ressource", uai=address, pk=pk))

    @expose("/<uai>/reservations/ressources/<int:pk>/supprimer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def supprimer(self, uai: str, pk: int) -> str | Response:
        """Delete a resource nobody ever booked, after saying so."""
        school, access = enter(uai, "gerer")
        item = resource_here(school, pk, access)
        nom, address = item.nom, school.uai
        back = url_for("Reservations.ressource", uai=address, pk=pk)
        if request.method == "POST":
            done = commit_act(
                lambda: acts.supprimer(db.session(), item, acteur=actor()), message=f"{nom} est supprimée."
            )
            return redirect(url_for("Reservations.catalogue", uai=address) if done else back)
        return self.render_template(
            "reservation/question.html",
            title=f"Supprimer {nom}",
            question=f"Supprimer « {nom} » ?",
            suites=[
                "Sa description, ses règles et sa photo disparaissent : cela ne se défait pas.",
                "Une ressource déjà réservée ne se supprime pas : elle se retire du catalogue.",
            ],
            bouton="Supprimer la ressource",
            retour=back,
            motif=None,
            erreur="",
            **frame(school, access),
        )


def _values(form: RessourceForm) -> dict[str, Any]:
    """Return what was typed, the photo made anew before a transaction waits for it."""
    values = form.values()
    if values["photo"]:
        db.session.rollback()
        with suppress(UserError):  # what is no picture is refused in its turn by the act
            values["photo"] = images.refaire(values["photo"], field="photo")
    return values


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the catalogue."""
    appbuilder.add_view_no_menu(GestionRessources)
