"""Following the bookings of a school: what waits for an answer, all of them, withdrawing one (R6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.extensions import db, now
from app.models import Etablissement, Ressource
from app.operations import reservations_suivi as acts
from app.queries import curseurs
from app.queries import reservations as reads
from app.queries.curseurs import Tri
from app.queries.reservations import Filtres
from app.security.permissions import Resource
from app.security.reservation import Acces
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, choice_arg, id_arg
from app.views.base import PreauBaseView
from app.views.cursor_pages import cursor_args, pager, size_arg
from app.views.rendering import instant, plural
from app.views.reservation_commun import day_of, enter, frame
from app.views.streams import csv_response

MOST = 100
COLUMNS = (
    "Ressource", "Catégorie", "Lieu", "Début", "Fin", "Nombre", "Demandée par", "État", "Motif", "Réponse",
    "Demandée le", "Décidée le", "Décidée par",
)  # fmt: skip


class SuiviReservations(PreauBaseView):
    """What validators and managers follow."""

    resource = Resource.RESERVATION
    route_base = "/etablissements"
    default_view = "a_valider"

    @expose("/<uai>/reservations/a-valider", methods=["GET"])
    @has_access
    @permission_name("lire")
    def a_valider(self, uai: str) -> str:
        """Show the requests that wait for an answer, the soonest first."""
        school, access = enter(uai, "valider")
        return self._queue(school, access)

    @expose("/<uai>/reservations/a-valider", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def decider(self, uai: str) -> str | Response:
        """Accept or refuse the requests ticked; each that cannot be says why."""
        school, access = enter(uai, "valider")
        decision, _, alone = request.form.get("decision", "").partition(":")
        one = as_id(alone)
        typed = [as_id(raw) for raw in request.form.getlist("rowid")[: MOST + 1]]
        pks = [one] if one else [pk for pk in typed if pk]
        accept = decision == "accepter"
        reason = request.form.get("reponse", "")[:500]
        if not pks or len(pks) > MOST:
            return self._queue(school, access, error="Cochez entre 1 et 100 demandes, puis répondez.")
        before = {row.id: row for pk in pks if (row := reads.booking(db.session(), school.id, pk))}
        lines, refusal = run_act(
            lambda: acts.decider_plusieurs(
                db.session(),
                enter(uai, "valider")[0].id,
                pks,
                accepter=accept,
                reponse=reason,
                acteur=actor(),
                deployment=deployment(),
            )
        )
        if refusal is not None:
            school, access = enter(uai, "valider")
            return self._queue(school, access, error=refusal.message, reason=reason, ticked=set(pks))
        done = sum(line.faite for line in lines)
        if done == len(lines):
            verb = "acceptée" if accept else "refusée"
            flash(
                f"{done} {plural(done, f'demande {verb}', f'demandes {verb}s')}. "
                f"{plural(done, 'La personne est prévenue', 'Les personnes sont prévenues')} par courriel.",
                "success",
            )
            return redirect(url_for(".a_valider", uai=uai))
        school, access = enter(uai, "valider")
        report = [(before.get(line.reservation_id), line) for line in lines]
        return self._queue(school, access, report=report, accepted=accept)

    def _queue(
        self,
        school: Etablissement,
        access: Acces,
        *,
        error: str = "",
        reason: str = "",
        ticked: set[int] | None = None,
        report: list[tuple[Any, acts.Ligne]] | None = None,
        accepted: bool = False,
    ) -> str:
        session = db.session()
        filtres = Filtres(etats=("demandee",), finit_apres=now(), ressource_id=id_arg("ressource"))
        statement = reads.bookings(school.id, filtres)
        page = curseurs.page(session, statement, reads.A_VENIR, size_arg(), *cursor_args())
        return self.render_template(
            "reservation/a_valider.html",
            title="Demandes à valider",
            lignes=page.rows,
            pager=pager(page, reads.count(session, school.id, filtres)),
            erreur=error,
            reponse=reason,
            coches=ticked or set(),
            rapport=report,
            acceptees=accepted,
            ressources=_names(school.id),
            ressource_id=filtres.ressource_id,
            **frame(school, access, "a_valider"),
        )

    @expose("/<uai>/reservations/historique")
    @has_access
    @permission_name("lire")
    def historique(self, uai: str) -> str:
        """Show every booking of the school, past and to come."""
        school, access = _follow(uai)
        session, filtres, tri = db.session(), _filters(), _order()
        statement = reads.bookings(school.id, filtres)
        page = curseurs.page(session, statement, tri, size_arg(), *cursor_args())
        return self.render_template(
            "reservation/historique.html",
            title="Toutes les réservations",
            lignes=page.rows,
            pager=pager(page, reads.count(session, school.id, filtres)),
            filtres=filtres,
            ressources=_names(school.id),
            etat=choice_arg("etat", reads.ETATS),
            du=request.args.get("du", "")[:10],
            au=request.args.get("au", "")[:10],
            ancien=tri is reads.A_VENIR,
            maintenant=now(),
            filtre=any(request.args.get(name) for name in ("etat", "ressource", "du", "au")),
            **frame(school, access, "historique"),
        )

    @expose("/<uai>/reservations/export")
    @has_access
    @permission_name("lire")
    def export(self, uai: str) -> FlaskResponse:
        """Send the bookings of the filters as a file for a spreadsheet."""
        school, _access = _follow(uai)
        return csv_response(f"reservations-{school.uai}.csv", _csv(school.id, _filters()))

    @expose("/<uai>/reservations/<int:pk>/annuler", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def annuler(self, uai: str, pk: int) -> str | Response:
        """Withdraw a booking: one's own, or anybody's with a reason for a manager."""
        school, access = enter(uai)
        row = reads.booking(db.session(), school.id, checked_pk(pk))
        mine = row is not None and row.personne_id == access.personne_id
        if row is None or not (mine or access.gerer):
            abort(404)
        back = url_for("MesReservations.liste") if mine else url_for(".historique", uai=school.uai)
        error, typed = "", request.form.get("motif", "")[:500]
        others = reads.of_series(db.session(), row.serie, row.personne_id) if row.serie else []
        if request.method == "POST":
            whole = request.form.get("serie") == "1" and len(others) > 1
            chosen = others if whole else [row.id]
            _none, refusal = run_act(lambda: _withdraw(uai, chosen, mine=mine, reason=typed))
            if refusal is None:
                count = len(chosen)
                flash(
                    f"{count} {plural(count, 'réservation annulée', 'réservations annulées')}."
                    + ("" if mine else " La personne est prévenue par courriel."),
                    "success",
                )
                return redirect(back)
            error = refusal.message
            school, access = enter(uai)
        return self.render_template(
            "reservation/question.html",
            title="Annuler une réservation",
            question=f"Annuler {row.ressource} ?",
            quoi=row,
            suites=[
                "Le créneau est libre aussitôt pour quelqu’un d’autre.",
                "Pour revenir en arrière, il faut le redemander."
                if mine
                else f"{reads.named(row)} reçoit un courriel avec votre raison.",
            ],
            bouton="Annuler la réservation",
            retour=back,
            serie=len(others) if len(others) > 1 else 0,
            motif=None if mine else typed,
            erreur=error,
            **frame(school, access),
        )


def _withdraw(uai: str, pks: list[int], *, mine: bool, reason: str) -> None:
    school, access = enter(uai)
    if not mine and not access.gerer:
        abort(404)
    for pk in pks:
        acts.annuler(
            db.session(),
            school.id,
            pk,
            titulaire_id=access.personne_id if mine else None,
            motif=reason,
            acteur=actor(),
            deployment=deployment(),
        )


def _follow(uai: str) -> tuple[Etablissement, Acces]:
    school, access = enter(uai)
    if not (access.valider or access.gerer or access.console):
        abort(404)
    return school, access


def _names(etablissement_id: int) -> list[tuple[int, str]]:
    statement = select(Ressource.id, Ressource.nom).where(Ressource.etablissement_id == etablissement_id)
    return [(row.id, row.nom) for row in db.session.execute(statement.order_by(Ressource.nom).limit(500))]


def _order() -> Tri:
    return reads.A_VENIR if request.args.get("tri") == "ancien" else reads.PASSEES


def _filters() -> Filtres:
    etat = choice_arg("etat", reads.ETATS)
    du, au = reads.day_bounds(day_of(request.args.get("du", "")), day_of(request.args.get("au", "")))
    found = Filtres(ressource_id=id_arg("ressource"), du=du, au=au)
    return replace(found, etats=(etat,)) if etat else found


def _csv(etablissement_id: int, filtres: Filtres) -> Iterator[Any]:
    yield COLUMNS
    statement = reads.bookings(etablissement_id, filtres)
    after = ""
    while True:
        page = curseurs.page(db.session(), statement, reads.PASSEES, 500, after)
        for row in page.rows:
            yield (
                *(row.ressource, row.categorie, row.lieu, instant(row.debut), instant(row.fin), row.nombre),
                *(f"{row.prenom} {row.nom_usage or row.nom}", reads.ETATS[row.etat], row.motif, row.reponse),
                *(instant(row.demandee_le), instant(row.decidee_le) if row.decidee_le else ""),
                f"{row.first_name or ''} {row.last_name or ''}".strip(),
            )
        after = page.apres
        if not after:
            return


def register(appbuilder: Any) -> None:
    """Add the pages; they are tabs of the catalogue."""
    appbuilder.add_view_no_menu(SuiviReservations)
