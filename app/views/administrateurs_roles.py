"""Acts of «Administrateurs»: name somebody, change a term, withdraw, one role or those ticked (M1, M2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.errors import UserError
from app.extensions import db
from app.models import Attribution
from app.operations import attributions as acts
from app.operations.administrateurs import ROLE, seul
from app.queries import administrateurs as reads
from app.queries import fiche_etablissement as schools
from app.security.delegation import current_pouvoirs
from app.security.manager import current_account
from app.security.permissions import Resource
from app.views import administrateurs_liste as page
from app.views.actors import actor
from app.views.acts import run_act
from app.views.administrateurs import day_typed
from app.views.arguments import as_id, checked_pk, ids_arg
from app.views.base import PreauBaseView
from app.views.rendering import number, plural

MOST = 100
PROLONGER, RETIRER, EXPORT = "prolonger", "retirer", "export"
FAITS = {
    PROLONGER: ("échéance changée", "échéances changées"),
    RETIRER: ("rôle retiré", "rôles retirés"),
}


@dataclass(frozen=True)
class Ligne:
    """One role of an act on several: who, what, over what, and how it ended."""

    id: int
    nom: str
    role: str
    portee: str
    refus: str = ""


class RolesDonnes(PreauBaseView):
    """What is done to roles held over others."""

    resource = Resource.ADMINISTRATEUR
    route_base = "/administrateurs/roles"
    default_view = "retirer"

    @expose("/<int:pk>/retirer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def retirer(self, pk: int) -> Any:
        """Say what withdrawing does, and who comes after the last one; only a post does it."""
        held = _held(pk)
        account, session = current_account(), db.session()
        mine = account is not None and held.compte_id == account.id
        who, back = _name(held), url_for("Administrateurs.fiche", pk=held.compte_id)
        refusal: UserError | None = None
        if request.method == "POST":
            _done, refusal = run_act(lambda: self._withdraw(pk))
            if refusal is None:
                flash(f"{who} n’a plus ce rôle.", "success")
                return redirect("/" if mine else url_for("Administrateurs.liste"))
            held = _held(pk)
        last = held.role == ROLE and seul(session, held)
        school = held.etablissement_id or 0
        return self.render_template(
            "administrateurs/retirer.html",
            title="Retirer un rôle",
            qui=who,
            role=page.ROLES[held.role],
            portee=_over(held),
            moi=mine,
            dernier=last,
            candidats=[one for one in schools.candidates(session, school, "") if _ready(one)] if last else [],
            choisi=as_id(request.form.get("remplacant", "")),
            refus=refusal,
            retour=back,
        )

    def _withdraw(self, pk: int) -> None:
        chosen = as_id(request.form.get("remplacant", ""))
        acts.retirer(
            db.session(),
            _held(pk),
            remplacant=schools.person(db.session(), chosen) if chosen else None,
            soi_confirme=request.form.get("soi") == "1",
            detenus=current_pouvoirs(),
            acteur=actor(),
        )

    @expose("/<int:pk>/echeance", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def echeance(self, pk: int) -> Any:
        """Say until which day a role is held."""
        held = _held(pk)
        who, back = _name(held), url_for("Administrateurs.fiche", pk=held.compte_id)
        until = acts.last_day(held.jusqua)
        typed, refusal = until.isoformat() if until else "", None
        if request.method == "POST":
            typed = request.form.get("dernier_jour", "")[:10]
            changed, refusal = run_act(lambda: _set_term(_held(pk), day_typed()))
            if refusal is None:
                flash(f"Échéance du rôle de {who} changée." if changed else "Rien n’a changé.", "success")
                return redirect(back)
            held = _held(pk)
        return self.render_template(
            "administrateurs/echeance.html",
            title="Échéance d’un rôle",
            qui=who,
            role=page.ROLES[held.role],
            portee=_over(held),
            saisi=typed,
            refus=refusal,
            retour=back,
        )

    @expose("/en-nombre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def en_nombre(self) -> Any:
        """Ask before an act on the lines ticked, do it when the answer comes, say how each one ended."""
        act, ids = request.form.get("acte", ""), ids_arg("rowid", request.form, limit=MOST)
        if act == EXPORT:
            return redirect(url_for("Administrateurs.export", rowid=ids))
        if act not in FAITS:
            abort(404)
        if not ids:
            flash("Cochez au moins une ligne, puis choisissez l’action.", "warning")
            return redirect(url_for("Administrateurs.liste"))
        held = reads.chosen(db.session(), ids)
        lines = [_line(one) for one in held]
        context = {"title": "Administrateurs", "acte": act, "retour": url_for("Administrateurs.liste")}
        if request.form.get("confirme") != "1":
            return self.render_template("administrateurs/en_nombre.html", lignes=lines, refus=None, **context)
        done, refusal = run_act(
            lambda: acts.chacun(db.session(), reads.chosen(db.session(), ids), _act_of(act))
        )
        if refusal is not None:
            return self.render_template(
                "administrateurs/en_nombre.html", lignes=lines, refus=refusal, **context
            )
        count = len(done.faits)
        return self.render_template(
            "administrateurs/resultat.html",
            faits=[one for one in lines if one.id in done.faits],
            refuses=[(one, done.refus[one.id]) for one in lines if one.id in done.refus],
            phrase=f"{number(count)} {plural(count, *FAITS[act])}",
            **context,
        )


def _act_of(act: str) -> Callable[[Attribution], object]:
    """Return what is done to each line ticked.

    :raises UserError: a day that is none, or past.
    """
    held, who = current_pouvoirs(), actor()
    if act == RETIRER:
        return lambda one: acts.retirer(db.session(), one, detenus=held, acteur=who)
    until = day_typed()
    return lambda one: acts.fixer_echeance(db.session(), one, until, detenus=held, acteur=who)


def _set_term(held: Attribution, until: date | None) -> bool:
    return acts.fixer_echeance(db.session(), held, until, detenus=current_pouvoirs(), acteur=actor())


def _held(pk: int) -> Attribution:
    return reads.held(db.session(), checked_pk(pk)) or abort(404)


def _line(held: Attribution) -> Ligne:
    return Ligne(held.id, str(held.compte), page.ROLES[held.role], _over(held))


def _name(held: Attribution) -> str:
    return f"{held.compte.first_name} {held.compte.last_name}"


def _over(held: Attribution) -> str:
    where = held.etablissement or held.academie or held.collectivite
    return where.nom if where is not None else page.TOUTE


def _ready(one: schools.Candidat) -> bool:
    return one.compte and not one.suspendu and not one.deja


def register(appbuilder: Any) -> None:
    """Add the acts; they are reached from the list and from a sheet."""
    appbuilder.add_view_no_menu(RolesDonnes)
