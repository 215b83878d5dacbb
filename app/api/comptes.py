"""``/api/v1/personnes/<id>/…``: the acts on an account, one person at a time (U7, U10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from flask_appbuilder.api import expose

from app.api import schemas
from app.api.base import PreauApi, act, body, problem, right
from app.api.personnes import ABSENT
from app.exports import personnes as export
from app.extensions import db
from app.models import Personne
from app.operations import liens, pouvoirs, suspensions
from app.queries import fiches, lieux
from app.security.delegation import current_pouvoirs
from app.security.permissions import Resource
from app.views.actors import actor, deployment
from app.views.arguments import BIGGEST_ID


class ComptesApi(PreauApi):
    """Accounts of people."""

    resource = Resource.PERSONNE
    route_base = "/api/v1/personnes"
    openapi_spec_tag = "Comptes"

    @expose("/<int:pk>/suspension", methods=["PUT"])
    @right("ecrire")
    def suspendre(self, pk: int) -> Response:
        """Suspend an account.
        ---
        put:
          summary: Suspendre le compte d’une personne
          parameters: [pk]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/Suspension'
          responses:
            200:
              description: Le compte est suspendu, ses sessions sont fermées.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PersonneComplete'
        """

        def suspend(person: Personne, school_id: int) -> None:
            suspensions.suspendre(
                db.session(),
                person,
                body(schemas.Suspension())["motif"],
                etablissement_id=school_id,
                detenus=current_pouvoirs(),
                acteur=actor(),
            )

        return _done(pk, suspend)

    @expose("/<int:pk>/suspension", methods=["DELETE"])
    @right("ecrire")
    def reactiver(self, pk: int) -> Response:
        """Give an account back as it was.
        ---
        delete:
          summary: Réactiver le compte d’une personne, tel qu’il était
          parameters: [pk]
          responses:
            200:
              description: Le compte est de nouveau ouvert.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PersonneComplete'
        """

        def reopen(person: Personne, school_id: int) -> None:
            suspensions.reactiver(
                db.session(), person, etablissement_id=school_id, detenus=current_pouvoirs(), acteur=actor()
            )

        return _done(pk, reopen)

    @expose("/<int:pk>/nouveau-mot-de-passe", methods=["POST"])
    @right("ecrire")
    def nouveau_mot_de_passe(self, pk: int) -> Response:
        """Send the link to choose a new password.
        ---
        post:
          summary: Envoyer à la personne le lien qui lui fait choisir un nouveau mot de passe
          parameters: [pk]
          responses:
            200:
              description: Le courriel est en partance ; le lien n’est montré à personne d’autre.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PersonneComplete'
        """

        def send(person: Personne, school_id: int) -> None:
            pouvoirs.verifier(db.session(), person.id, current_pouvoirs())
            liens.nouveau_mot_de_passe(
                db.session(), person, actor(), deployment=deployment(), etablissement_id=school_id
            )

        return _done(pk, send)


def _done(pk: int, operation: Callable[[Personne, int], None]) -> Response:
    """Run an act on somebody present in a school of the key, and answer what they are now."""
    session = db.session()
    found = fiches.person(session, pk) if pk <= BIGGEST_ID else None
    places = lieux.attachments(session, pk) if found else ()
    school_id = next((place.etablissement_id for place in places if place.fin is None), None)
    if found is None or school_id is None:
        return problem(404, ABSENT)
    person = found[0]
    _nothing, refusal = act(lambda: operation(person, school_id))
    if refusal is not None:
        return refusal
    said: Any = export.complete(session, pk)
    return jsonify(said)
