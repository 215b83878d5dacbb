"""``/api/v1/personnes``: the people of the key's perimeter, and the acts on their accounts."""

from __future__ import annotations

import orjson
from flask import Response, abort, jsonify, request
from flask_appbuilder.api import expose
from sqlalchemy import select

from app.api.base import PreauApi, paged, problem, right, size_arg
from app.exports import personnes as export
from app.extensions import db
from app.models import PROFILS, Etablissement
from app.queries.gens import ETATS, Criteres
from app.security.manager import current_perimetre
from app.security.permissions import Resource
from app.views.arguments import BIGGEST_ID, choice_arg, text_arg
from app.views.streams import csv_response, streamed

ABSENT = "Aucune personne de ce numéro dans le périmètre de cette clé."


class PersonnesApi(PreauApi):
    """People."""

    resource = Resource.PERSONNE
    resource_name = "personnes"
    openapi_spec_tag = "Personnes"

    @expose("/", methods=["GET"])
    @right("lire")
    def liste(self) -> Response:
        """List people by name, each once.
        ---
        get:
          summary: Personnes présentes dans le périmètre, par nom
          parameters: [q, profil, etat, etablissement, taille, apres, avant]
          responses:
            200:
              description: Une page de la liste.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PagePersonne'
        """
        args = request.args
        page, elements = export.one_page(
            db.session(), _criteres(), size_arg(), args.get("apres", ""), args.get("avant", "")
        )
        return paged(page, elements, ".liste")

    @expose("/export", methods=["GET"])
    @right("lire")
    def export(self) -> Response:
        """Send every person of the list, as it is read.
        ---
        get:
          summary: Toutes les personnes de la liste, d’un seul flux
          parameters: [q, profil, etat, etablissement, format]
          responses:
            200:
              description: Une personne par ligne, en CSV ou en JSON.
              content:
                text/csv:
                  schema: {type: string}
                application/x-ndjson:
                  schema: {type: string}
        """
        elements = export.every(db.session(), _criteres())
        if choice_arg("format", {"csv", "ndjson"}) == "ndjson":
            lines = (orjson.dumps(element).decode() + "\n" for element in elements)
            return streamed("personnes.ndjson", "application/x-ndjson", lines)
        return csv_response("personnes.csv", export.csv_rows(elements))

    @expose("/<int:pk>", methods=["GET"])
    @right("lire")
    def fiche(self, pk: int) -> Response:
        """Give one person, with their places, identifiers, guardians or children.
        ---
        get:
          summary: Une personne
          parameters: [pk]
          responses:
            200:
              description: La personne, et ce que dit sa fiche.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PersonneComplete'
        """
        found = export.complete(db.session(), pk) if pk <= BIGGEST_ID else None
        return problem(404, ABSENT) if found is None else jsonify(found)


def _criteres() -> Criteres:
    school, typed = None, text_arg("etablissement")
    if typed:
        school = db.session.scalar(select(Etablissement.id).where(Etablissement.uai == typed.upper()))
        if school is None:
            abort(404)
    return Criteres(
        school,
        choice_arg("profil", PROFILS),
        q=text_arg("q").strip(),
        etat=choice_arg("etat", ETATS),
        ecoles=current_perimetre().named_schools,
    )
