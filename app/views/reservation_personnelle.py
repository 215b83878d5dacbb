"""One's own bookings in every school, and calendars: files, secret addresses, what programs read (R6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, current_app, flash, make_response, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.exports.calendrier import TYPE, calendar
from app.extensions import db, now
from app.models import AdresseCalendrier, Etablissement, Personne, Ressource
from app.operations import adresses_calendrier as addresses
from app.queries import curseurs
from app.queries import reservations as reads
from app.queries.reservations import Filtres
from app.security.manager import current_account
from app.security.permissions import Resource
from app.security.reservation import roles_in
from app.security.transactions import own_reading
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.base import PreauBaseView
from app.views.cursor_pages import cursor_args, pager, size_arg
from app.views.reservation_commun import TONES, enter, frame, resource_here, when

PAST = timedelta(days=90)
MOST = 2000


class MesReservations(PreauBaseView):
    """What I asked for, wherever."""

    resource = Resource.RESERVATION
    route_base = "/mon-espace/reservations"
    default_view = "liste"

    @expose("/")
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """Show what is to come, or what is past."""
        person, session = _person(), db.session()
        past = request.args.get("quand") == "passees"
        filtres = Filtres(
            personne_id=person.id,
            finit_avant=now() if past else None,
            finit_apres=None if past else now(),
        )
        statement, tri = reads.bookings(None, filtres), reads.PASSEES if past else reads.A_VENIR
        page = curseurs.page(session, statement, tri, size_arg(), *cursor_args())
        return self.render_template(
            "reservation/miennes.html",
            title="Mes réservations",
            passees=past,
            lignes=page.rows,
            pager=pager(page, reads.count(session, None, filtres)),
            ecoles=my_schools(session, person.id),
            adresse=addresses.of_person(session, person.id, None),
            etats=reads.ETATS,
            tons=TONES,
            quand=when,
            tenues=reads.TENUES,
        )

    @expose("/agenda.ics")
    @has_access
    @permission_name("lire")
    def agenda(self) -> FlaskResponse:
        """Send my bookings as a calendar file."""
        person = _person()
        rows = _mine(db.session(), person.id, [one.id for one in my_schools(db.session(), person.id)])
        return _download("mes-reservations.ics", calendar("Mes réservations", rows, _host(), personal=True))

    @expose("/adresse", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def adresse(self) -> Response:
        """Make the secret address of my bookings, shown once, or end it."""
        return self._address(None, url_for(".liste"))

    @expose("/adresse/<uai>/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def adresse_ressource(self, uai: str, pk: int) -> Response:
        """Make my secret address of the bookings of a resource, or end it."""
        school, access = enter(uai)
        item = resource_here(school, pk, access)
        if access.personne_id is None:
            abort(404)
        return self._address(item.id, url_for(".calendrier", uai=school.uai, pk=item.id))

    def _address(self, ressource_id: int | None, back: str) -> Response:
        person = _person()
        if request.form.get("acte") == "fermer":
            run_act(lambda: addresses.revoquer(db.session(), person, ressource_id, acteur=actor()))
            flash("L’adresse ne répond plus : les agendas qui la lisaient cessent d’être à jour.", "success")
            return redirect(back)
        secret, refusal = run_act(lambda: addresses.creer(db.session(), person, ressource_id, acteur=actor()))
        if refusal is not None:
            abort(409)
        page = self.render_template(
            "reservation/adresse.html",
            title="Adresse d’agenda",
            adresse=f"{deployment().adresse}{url_for('Calendriers.lire', jeton=secret)}",
            retour=back,
        )
        answer = make_response(page)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/calendrier/<uai>/<int:pk>")
    @has_access
    @permission_name("lire")
    def calendrier(self, uai: str, pk: int) -> str:
        """Say how to read the bookings of a resource in a calendar program."""
        school, access = enter(uai)
        item = resource_here(school, pk, access)
        held = access.personne_id and addresses.of_person(db.session(), access.personne_id, item.id)
        return self.render_template(
            "reservation/calendrier.html",
            title=f"Agenda : {item.nom}",
            item=item,
            adresse=held,
            **frame(school, access),
        )

    @expose("/calendrier/<uai>/<int:pk>.ics")
    @has_access
    @permission_name("lire")
    def calendrier_fichier(self, uai: str, pk: int) -> FlaskResponse:
        """Send the bookings of a resource as a calendar file."""
        school, access = enter(uai)
        item = resource_here(school, pk, access)
        rows = _of_resource(db.session(), school.id, item.id)
        return _download(f"ressource-{item.id}.ics", calendar(item.nom, rows, _host(), personal=False))


class Calendriers(BaseView):
    """What calendar programs read with a secret address, without a session."""

    route_base = "/calendriers"
    default_view = "lire"

    @expose("/<jeton>.ics")
    def lire(self, jeton: str) -> FlaskResponse:
        """Send the calendar of an address while its holder may still read it; 404 otherwise."""
        with own_reading() as own:
            held = addresses.find(own, jeton)
            content = None if held is None else _of_address(own, held)
        if content is None:
            abort(404)
        answer = FlaskResponse(content, content_type=TYPE)
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.headers["X-Robots-Tag"] = "noindex"
        answer.add_etag()
        return answer.make_conditional(request)  # type: ignore[return-value]


def _of_address(session: Session, held: AdresseCalendrier) -> bytes | None:
    if held.ressource_id is None:
        schools = [one.id for one in my_schools(session, held.personne_id)]
        if not schools:
            return None
        rows = _mine(session, held.personne_id, schools)
        return calendar("Mes réservations", rows, _host(), personal=True)
    item = session.get(Ressource, held.ressource_id)
    if item is None or not roles_in(session, held.personne_id, item.etablissement_id):
        return None
    return calendar(item.nom, _of_resource(session, item.etablissement_id, item.id), _host(), personal=False)


def my_schools(session: Session, personne_id: int) -> list[Any]:
    """Return the schools where somebody has a role in the service of bookings."""
    return [one for one in reads.schools_of(session, personne_id) if roles_in(session, personne_id, one.id)]


def _mine(session: Session, personne_id: int, schools: list[int]) -> Any:
    filtres = Filtres(etats=reads.TENUES, personne_id=personne_id, finit_apres=now() - PAST)
    statement = reads.bookings(None, filtres).where(Etablissement.id.in_(schools))
    return session.execute(statement.order_by(reads.Reservation.debut).limit(MOST)).all()


def _of_resource(session: Session, school_id: int, pk: int) -> Any:
    filtres = Filtres(etats=reads.TENUES, ressource_id=pk, finit_apres=now() - PAST)
    statement = reads.bookings(school_id, filtres).order_by(reads.Reservation.debut)
    return session.execute(statement.limit(MOST)).all()


def _download(name: str, content: bytes) -> FlaskResponse:
    answer = FlaskResponse(content, content_type=TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _host() -> str:
    return deployment().adresse.partition("://")[2].partition("/")[0].partition(":")[0] or "preau"


def _person() -> Personne:
    account = current_account()
    number = account.personne_id if account else None
    found = db.session.scalars(select(Personne).where(Personne.id == number)).first() if number else None
    return found or abort(404)


def schools_for_space() -> list[Any]:
    """Return the schools «Mon espace» leads to the bookings of."""
    account = current_account()
    if account is None or account.personne_id is None:
        return []
    return my_schools(db.session(), account.personne_id)


def register(appbuilder: Any) -> None:
    """Add the pages, reached from «Mon espace»."""
    appbuilder.add_view_no_menu(MesReservations)
    appbuilder.add_view_no_menu(Calendriers)
    current_app.jinja_env.globals["ecoles_reservation"] = schools_for_space
