"""``/api/v1/etablissements/<uai>/…``: what a school lends, its bookings, and the acts on them (R6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from flask_appbuilder.api import expose
from sqlalchemy import select

from app.api import schemas_reservations as schemas
from app.api.base import PreauApi, act, body, paged, problem, right, size_arg
from app.errors import NotFoundError, RuleViolationError
from app.extensions import PARIS, db
from app.models import Etablissement, Personne, Ressource
from app.operations import reservations as acts
from app.operations import reservations_suivi as suivi
from app.queries import curseurs
from app.queries import reservations as reads
from app.queries.etablissements import by_uai
from app.security.permissions import Resource
from app.security.reservation import roles_in
from app.views.actors import actor, deployment
from app.views.arguments import BIGGEST_ID, choice_arg, id_arg
from app.views.cursor_pages import cursor_args
from app.views.reservation_commun import day_of

ABSENT = "Rien de tel dans le périmètre de cette clé."


class ReservationsApi(PreauApi):
    """Resources and bookings of a school."""

    resource = Resource.RESERVATION
    route_base = "/api/v1/etablissements"
    openapi_spec_tag = "Réservation de matériel"

    @expose("/<uai>/ressources/", methods=["GET"])
    @right("lire")
    def ressources(self, uai: str) -> Response:
        """List what a school lends.
        ---
        get:
          summary: Ce que l’établissement prête
          parameters: [uai]
          responses:
            200:
              description: Toutes les ressources, retirées comprises.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Ressources'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        statement = reads.resources(school.id, withdrawn=True).order_by(Ressource.nom).limit(500)
        return jsonify(elements=schemas.Ressource(many=True).dump(db.session.scalars(statement).all()))

    @expose("/<uai>/reservations/", methods=["GET"])
    @right("lire")
    def liste(self, uai: str) -> Response:
        """List bookings.
        ---
        get:
          summary: Réservations, de la plus ancienne à la plus récente
          parameters: [uai, ressource, etat_reservation, du, au, taille, apres, avant]
          responses:
            200:
              description: Une page de la liste.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PageReservation'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        etat = choice_arg("etat", reads.ETATS)
        du, au = reads.day_bounds(day_of(request.args.get("du", "")), day_of(request.args.get("au", "")))
        filtres = reads.Filtres(etats=(etat,) if etat else (), ressource_id=id_arg("ressource"), du=du, au=au)
        statement = reads.bookings(school.id, filtres)
        page = curseurs.page(db.session(), statement, reads.A_VENIR, size_arg(), *cursor_args())
        elements = schemas.Reservation(many=True).dump([row._mapping for row in page.rows])
        return paged(page, elements, ".liste", uai=school.uai)

    @expose("/<uai>/reservations/", methods=["POST"])
    @right("ecrire")
    def demander(self, uai: str) -> Response:
        """Ask for a resource in somebody's name.
        ---
        post:
          summary: Demander une ressource pour une personne qui en a le droit
          parameters: [uai]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/DemandeReservation'
          responses:
            200:
              description: La réservation, à valider ou acceptée ; la même si la clé a déjà servi.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Reservation'
        """
        return _answer(uai, lambda school: _ask(school, body(schemas.DemandeReservation())))

    @expose("/<uai>/reservations/<int:pk>/decision", methods=["PUT"])
    @right("ecrire")
    def decider(self, uai: str, pk: int) -> Response:
        """Accept or refuse a request.
        ---
        put:
          summary: Accepter ou refuser une demande ; la personne reçoit un courriel
          parameters: [uai, pk_reservation]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/DecisionReservation'
          responses:
            200:
              description: La réservation telle qu’elle est devenue.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Reservation'
        """

        def decide(school: Etablissement) -> int:
            sent = body(schemas.DecisionReservation())
            return suivi.decider(
                db.session(), school.id, _pk(pk), accepter=sent["accepter"], reponse=sent["reponse"],
                acteur=actor(), deployment=deployment(),
            ).id  # fmt: skip

        return _answer(uai, decide)

    @expose("/<uai>/reservations/<int:pk>/annulation", methods=["PUT"])
    @right("ecrire")
    def annuler(self, uai: str, pk: int) -> Response:
        """Withdraw a booking.
        ---
        put:
          summary: Annuler une réservation ; la personne reçoit un courriel
          parameters: [uai, pk_reservation]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/AnnulationReservation'
          responses:
            200:
              description: La réservation annulée.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Reservation'
        """

        def withdraw(school: Etablissement) -> int:
            reason = body(schemas.AnnulationReservation())["motif"]
            return suivi.annuler(
                db.session(), school.id, _pk(pk), titulaire_id=None, motif=reason, acteur=actor(),
                deployment=deployment(),
            ).id  # fmt: skip

        return _answer(uai, withdraw)


def _pk(pk: int) -> int:
    return pk if pk <= BIGGEST_ID else 0


def _answer(uai: str, operation: Callable[[Etablissement], int]) -> Response:
    """Run an act in a school of the key, and answer the booking it is about."""
    school = by_uai(db.session(), uai)
    if school is None:
        return problem(404, ABSENT)
    school_id = school.id
    number, refusal = act(lambda: operation(school))
    if refusal is not None:
        return refusal
    row = reads.booking(db.session(), school_id, number)
    said: Any = schemas.Reservation().dump(row._mapping if row is not None else {})
    return jsonify(said)


def _ask(school: Etablissement, sent: Mapping[str, Any]) -> int:
    item = reads.resource(db.session(), school.id, _pk(sent["ressource_id"]))
    if item is None:
        raise NotFoundError("Cette ressource n’existe pas dans l’établissement.")
    number = _pk(sent["personne_id"])
    if not roles_in(db.session(), number, school.id) & {"lecteur", "gestionnaire"}:
        raise RuleViolationError("Cette personne n’a pas le droit de réserver ici.", field="personne_id")
    person = db.session.scalars(
        select(Personne).where(Personne.id == number), execution_options={"hors_perimetre": True}
    ).one()
    start, end = (_local(sent[name], name) for name in ("debut", "fin"))
    demande = acts.Demande(
        start.date(), start.time(), end.time(), dernier=end.date(), nombre=sent["nombre"],
        motif=sent["motif"], cle=sent["cle"],
    )  # fmt: skip
    made = acts.demander(db.session(), item, person, demande, acteur=actor(), deployment=deployment())
    return made.reservations[0].id


def _local(instant: datetime, field: str) -> datetime:
    """Return an instant in Paris, to the minute."""
    try:
        found = instant.astimezone(PARIS)
    except (OverflowError, ValueError) as error:
        raise RuleViolationError("Cette date est hors de portée.", field=field) from error
    if not 2000 <= found.year <= 2199:
        raise RuleViolationError("Cette date est hors de portée.", field=field)
    return found.replace(second=0, microsecond=0)
