"""``/api/v1/modeles``: models of services, compared with schools, applied after a preview, undone (S3)."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_appbuilder.api import expose

from app.api import schemas_modeles as schemas
from app.api.base import PreauApi, act, body, paged, problem, right, size_arg
from app.exports import modeles as export
from app.extensions import db
from app.models import ApplicationModele, Etablissement
from app.operations import applications as acts
from app.operations.saisies import Actor
from app.queries import curseurs
from app.queries import modeles as reads
from app.queries.etats_services import schools
from app.security.cles import current_key
from app.security.manager import current_perimetre
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.arguments import BIGGEST_ID
from app.views.cursor_pages import cursor_args

ABSENT = "Aucun modèle de ce numéro dans le périmètre de cette clé."
NO_APPLICATION = "Aucune application de ce numéro dans le périmètre de cette clé."


class ModelesApi(PreauApi):
    """Models of services."""

    resource = Resource.MODELE
    route_base = "/api/v1/modeles"
    openapi_spec_tag = "Modèles de services"

    @expose("/", methods=["GET"])
    @right("lire")
    def liste(self) -> Response:
        """List models.
        ---
        get:
          summary: Modèles de services
          parameters: [taille, apres, avant]
          responses:
            200:
              description: Une page de modèles.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PageModele'
        """
        order = reads.ORDERS["nom"](False)
        found = curseurs.page(db.session(), reads.listed(), order, size_arg(), *cursor_args())
        return paged(found, export.listed(found.rows), "ModelesApi.liste")

    @expose("/<int:pk>/ecarts", methods=["GET"])
    @right("lire")
    def ecarts(self, pk: int) -> Response:
        """Compare schools with a model.
        ---
        get:
          summary: Ce que chaque établissement a autrement que le modèle
          parameters: [modele, etablissement, taille, apres, avant]
          responses:
            200:
              description: Une page d’établissements, avec leurs écarts.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PageEcartsEtablissement'
        """
        session = db.session()
        modele = reads.model(session, pk) if pk <= BIGGEST_ID else None
        if modele is None:
            return problem(404, ABSENT)
        uai = request.args.get("etablissement", "")[:8].upper()
        found = curseurs.page(session, reads.open_schools(uai), reads.BY_SCHOOL, size_arg(), *cursor_args())
        if uai and not found.rows:
            return problem(404, "Aucun établissement de cet UAI dans le périmètre de cette clé.")
        ids = [row.id for row in found.rows]
        ecoles = schools(session, [Etablissement.id.in_(ids)])
        return paged(found, list(export.gaps(session, modele, ecoles)), "ModelesApi.ecarts", pk=pk)

    @expose("/<int:pk>/applications", methods=["POST"])
    @right("ecrire")
    def preparer(self, pk: int) -> Response:
        """Work out what a model would change.
        ---
        post:
          summary: Préparer l’application d’un modèle ; rien ne change avant sa confirmation
          parameters: [modele]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/ApplicationVoulue'
          responses:
            200:
              description: L’aperçu, à confirmer.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Application'
        """
        session = db.session()
        modele = reads.model(session, pk) if pk <= BIGGEST_ID else None
        if modele is None:
            return problem(404, ABSENT)

        def prepare() -> ApplicationModele:
            wanted = body(schemas.ApplicationVoulue()).get("etablissements")
            clauses: list[Any] = [Etablissement.etat == "ouvert"]
            if wanted is not None:
                clauses.append(Etablissement.uai.in_([uai.upper() for uai in wanted]))
            ecoles = schools(session, clauses, acts.AU_PLUS + 1)
            held = current_perimetre(Resource.MODELE)
            over = next(iter(held.academies)) if len(held.academies) == 1 else None
            said = f"{len(ecoles)} établissements, par l’API"
            return acts.preparer(session, modele, ecoles, selection=said, academie_id=over, acteur=_maker())

        made, refusal = act(prepare)
        return refusal or jsonify(export.application(session, made))

    @expose("/applications/<int:pk>", methods=["GET"])
    @right("lire")
    def application(self, pk: int) -> Response:
        """Tell how an application stands.
        ---
        get:
          summary: Où en est une application
          parameters: [application]
          responses:
            200:
              description: L’application.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Application'
        """
        found = _application(pk)
        return (
            problem(404, NO_APPLICATION)
            if found is None
            else jsonify(export.application(db.session(), found))
        )

    @expose("/applications/<int:pk>/confirmation", methods=["POST"])
    @right("ecrire")
    def confirmer(self, pk: int) -> Response:
        """Do what was prepared.
        ---
        post:
          summary: Confirmer une application ; au-delà de vingt établissements elle se fait en arrière-plan
          parameters: [application]
          responses:
            200:
              description: L’application, faite ou en cours.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Application'
        """
        found = _application(pk)
        if found is None or found.compte_id != _maker().compte_id:
            return problem(404, NO_APPLICATION)

        def start() -> None:
            acts.confirmer(db.session(), found, acteur=_maker())
            while found.tache_id is None and acts.lot(db.session(), found, acteur=_maker()):
                pass

        _done, refusal = act(start)
        return refusal or jsonify(export.application(db.session(), _application(pk) or found))

    @expose("/applications/<int:pk>/retour", methods=["POST"])
    @right("ecrire")
    def defaire(self, pk: int) -> Response:
        """Prepare the way back.
        ---
        post:
          summary: Préparer le retour sur une application ; il se confirme comme elle
          parameters: [application]
          responses:
            200:
              description: L’aperçu du retour, à confirmer.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Application'
        """
        found = _application(pk)
        if found is None:
            return problem(404, NO_APPLICATION)
        made, refusal = act(lambda: acts.defaire(db.session(), found, acteur=_maker()))
        return refusal or jsonify(export.application(db.session(), made))


def _maker() -> Actor:
    """Return who acts: the key by its name, for the account of who made it."""
    key = current_key()
    return Actor(actor().nom, key.compte_id if key is not None else None)


def _application(pk: int) -> ApplicationModele | None:
    """Return an application of the perimeter, or one this key asked for."""
    if pk > BIGGEST_ID:
        return None
    session, maker = db.session(), _maker()
    seen = reads.application(session, pk)
    return seen or reads.application_of(session, pk, maker.compte_id, maker.nom)
