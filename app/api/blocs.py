"""``/api/v1/etablissements/<uai>/blocs``: the blocks of the public page of a school (P4)."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_appbuilder.api import expose
from sqlalchemy import select

from app.api import schemas_pages as schemas
from app.api.base import PreauApi, act, body, problem, right
from app.api.etablissements import ABSENT
from app.errors import NotFoundError
from app.extensions import db
from app.models import Bloc
from app.operations import blocs
from app.queries import pages as reads
from app.queries.etablissements import by_uai
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.arguments import BIGGEST_ID

NO_BLOC = "Aucun bloc de ce numéro dans cet établissement."


class BlocsApi(PreauApi):
    """Blocks of one school."""

    resource = Resource.REDACTION
    route_base = "/api/v1/etablissements"
    openapi_spec_tag = "Contenus de la page publique"

    @expose("/<uai>/blocs", methods=["GET"])
    @right("lire")
    def liste(self, uai: str) -> Response:
        """List the blocks.
        ---
        get:
          summary: Blocs de la page publique, dans l’ordre
          parameters: [uai]
          responses:
            200:
              description: Les blocs.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Bloc'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        return jsonify(schemas.Bloc(many=True).dump(reads.blocs(db.session(), school.id)))

    @expose("/<uai>/blocs", methods=["POST"])
    @right("ecrire")
    def creer(self, uai: str) -> Response:
        """Write a new block.
        ---
        post:
          summary: Ajouter un bloc à la fin de la page
          parameters: [uai]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/BlocVoulu'
          responses:
            200:
              description: Le bloc.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Bloc'
        """

        def add() -> Bloc:
            school, sent = _known(uai), body(schemas.BlocVoulu())
            return blocs.creer(
                db.session(),
                school.id,
                titre=sent["titre"],
                texte=sent["texte"],
                visible=sent["visible"],
                acteur=actor(),
            )

        return _answer(*act(add))

    @expose("/<uai>/blocs/<int:pk>", methods=["PUT"])
    @right("ecrire")
    def modifier(self, uai: str, pk: int) -> Response:
        """Change a block.
        ---
        put:
          summary: Modifier un bloc ; la version lue est à renvoyer
          parameters: [uai, pk]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/BlocVoulu'
          responses:
            200:
              description: Le bloc tel qu’il est maintenant.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Bloc'
        """

        def change() -> Bloc:
            row, sent = _mine(uai, pk), body(schemas.BlocVoulu())
            blocs.modifier(
                db.session(),
                row,
                titre=sent["titre"],
                texte=sent["texte"],
                visible=sent["visible"],
                version=sent["version"],
                acteur=actor(),
            )
            return row

        return _answer(*act(change))

    @expose("/<uai>/blocs/<int:pk>", methods=["DELETE"])
    @right("ecrire")
    def supprimer(self, uai: str, pk: int) -> Response:
        """Take a block off.
        ---
        delete:
          summary: Retirer un bloc de la page ; la console le garde un mois, avec ses versions
          parameters: [uai, pk]
          responses:
            204: {description: Le bloc est retiré.}
        """
        _done, refusal = act(lambda: blocs.supprimer(db.session(), _mine(uai, pk), acteur=actor()))
        return refusal or Response(status=204)

    @expose("/<uai>/blocs/ordre", methods=["PUT"])
    @right("ecrire")
    def ordonner(self, uai: str) -> Response:
        """Put the blocks in order.
        ---
        put:
          summary: Ranger les blocs
          parameters: [uai]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/Ordre'
          responses:
            204: {description: L’ordre est gardé.}
        """

        def order() -> None:
            school = _known(uai)
            blocs.ordonner(db.session(), school.id, body(schemas.Ordre())["ids"], acteur=actor())

        _done, refusal = act(order)
        return refusal or Response(status=204)


def _known(uai: str) -> Any:
    found = by_uai(db.session(), uai)
    if found is None:
        raise NotFoundError(ABSENT)
    return found


def _mine(uai: str, pk: int) -> Bloc:
    wanted = select(Bloc).where(
        Bloc.id == min(pk, BIGGEST_ID), Bloc.etablissement_id == _known(uai).id, Bloc.supprime_le.is_(None)
    )
    row = db.session.scalars(wanted).first()
    if row is None:
        raise NotFoundError(NO_BLOC)
    return row


def _answer(row: Bloc | None, refusal: Response | None) -> Response:
    return refusal or jsonify(schemas.Bloc().dump(row))
