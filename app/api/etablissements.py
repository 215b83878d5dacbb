"""``/api/v1/etablissements``: the schools of the key's perimeter."""

from __future__ import annotations

from flask import Response, jsonify, request
from flask_appbuilder.api import expose
from sqlalchemy import select

from app.api import schemas
from app.api.base import PreauApi, paged, problem, right, size_arg
from app.extensions import db
from app.models import Etablissement
from app.queries import curseurs
from app.queries.etablissements import by_uai
from app.queries.noms import search_key
from app.security.permissions import Resource
from app.views.arguments import text_arg

ABSENT = "Aucun établissement de cet UAI dans le périmètre de cette clé."


class EtablissementsApi(PreauApi):
    """Schools."""

    resource = Resource.ETABLISSEMENT
    resource_name = "etablissements"
    openapi_spec_tag = "Établissements"

    @expose("/", methods=["GET"])
    @right("lire")
    def liste(self) -> Response:
        """List schools by name.
        ---
        get:
          summary: Établissements du périmètre, par nom
          parameters: [q, taille, apres, avant]
          responses:
            200:
              description: Une page de la liste.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PageEtablissement'
        """
        words = search_key(text_arg("q"))[:100].split()[:8]
        statement = select(
            Etablissement.uai, Etablissement.nom, Etablissement.type, Etablissement.commune,
            Etablissement.code_postal, Etablissement.etat, Etablissement.email, Etablissement.telephone,
        ).where(*[Etablissement.recherche.contains(word, autoescape=True) for word in words])  # fmt: skip
        tri = curseurs.Tri((Etablissement.nom_recherche, Etablissement.id))
        args = request.args
        page = curseurs.page(
            db.session(), statement, tri, size_arg(), args.get("apres", ""), args.get("avant", "")
        )
        elements = schemas.Etablissement(many=True).dump([row._mapping for row in page.rows])
        return paged(page, elements, ".liste")

    @expose("/<uai>", methods=["GET"])
    @right("lire")
    def fiche(self, uai: str) -> Response:
        """Give one school.
        ---
        get:
          summary: Un établissement
          parameters: [uai]
          responses:
            200:
              description: L’établissement.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Etablissement'
        """
        found = by_uai(db.session(), uai)
        if found is None:
            return problem(404, ABSENT)
        return jsonify(schemas.Etablissement().dump(found))
