"""``/api/v1/etablissements/<uai>/services``: services of a school, and who has which right in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from flask_appbuilder.api import expose

from app.api import schemas
from app.api.base import PreauApi, act, body, problem, right
from app.api.etablissements import ABSENT
from app.api.personnes import ABSENT as NOBODY
from app.extensions import db
from app.models import PROFILS
from app.operations import droits_services
from app.operations.services import basculer, service_here
from app.queries import fiches, lieux
from app.queries.droits import ServiceIci, services_of
from app.queries.droits_effectifs import rights_of_person
from app.queries.etablissements import by_uai
from app.queries.services import version_of
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.arguments import BIGGEST_ID


class ServicesApi(PreauApi):
    """Services of one school."""

    resource = Resource.SERVICE
    route_base = "/api/v1/etablissements"
    openapi_spec_tag = "Services et droits"

    @expose("/<uai>/services", methods=["GET"])
    @right("lire")
    def liste(self, uai: str) -> Response:
        """List the services offered to a school.
        ---
        get:
          summary: Services proposés à un établissement, avec leur état
          parameters: [uai]
          responses:
            200:
              description: Les services, dans l’ordre du catalogue.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Service'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        return jsonify(schemas.Service(many=True).dump(services_of(db.session(), school.id, cells=False)))

    @expose("/<uai>/services/<code>", methods=["GET"])
    @right("lire")
    def grille(self, uai: str, code: str) -> Response:
        """Give a service and its grid.
        ---
        get:
          summary: Un service, sa grille de droits et sa version
          parameters: [uai, code]
          responses:
            200:
              description: Le service ; « version » est à renvoyer avec les droits à changer.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/ServiceComplet'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        found, refusal = act(lambda: service_here(db.session(), school.id, code[:40]))
        return refusal or jsonify(_complete(school.id, found))

    @expose("/<uai>/services/<code>/droits", methods=["PATCH"])
    @right("ecrire")
    def droits(self, uai: str, code: str) -> Response:
        """Give or take rights.
        ---
        patch:
          summary: Accorder ou retirer des droits, tous ou aucun
          parameters: [uai, code]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/Droits'
          responses:
            200:
              description: La grille telle qu’elle est maintenant.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/ServiceComplet'
        """

        def save(school_id: int) -> None:
            sent = body(schemas.Droits())
            droits_services.enregistrer_grille(
                db.session(),
                school_id,
                code[:40],
                [(one["role"], one["profil"], one["accorde"]) for one in sent["droits"]],
                version=sent["version"],
                acteur=actor(),
            )

        return _done(uai, code, save)

    @expose("/<uai>/services/<code>/etat", methods=["PUT"])
    @right("ecrire")
    def etat(self, uai: str, code: str) -> Response:
        """Switch a service on or off.
        ---
        put:
          summary: Activer ou désactiver un service optionnel
          parameters: [uai, code]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/EtatService'
          responses:
            200:
              description: Le service tel qu’il est maintenant.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/ServiceComplet'
        """

        def switch(school_id: int) -> None:
            sent = body(schemas.EtatService())
            basculer(
                db.session(),
                school_id,
                code[:40],
                sent["actif"],
                sans_essai=sent["sans_essai"],
                acteur=actor(),
            )

        return _done(uai, code, switch)

    @expose("/<uai>/services/droits/personnes/<int:pk>", methods=["GET"])
    @right("lire")
    def personne(self, uai: str, pk: int) -> Response:
        """Give the effective rights of somebody.
        ---
        get:
          summary: Droits en vigueur d’une personne dans un établissement, et par quelle règle
          parameters: [uai, pk]
          responses:
            200:
              description: Chaque droit ; aucun si la personne est partie ou suspendue.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/DroitEffectif'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        session = db.session()
        places = lieux.attachments(session, pk) if pk <= BIGGEST_ID and fiches.person(session, pk) else ()
        if not any(place.etablissement_id == school.id for place in places):
            return problem(404, NOBODY)
        told = [
            {
                "service": one.service.code,
                "role": one.role.code,
                "accorde": one.accorde,
                "regle": str(one.regle),
                "profils": list(one.profils),
            }
            for one in rights_of_person(session, pk, school.id)
        ]
        return jsonify(schemas.DroitEffectif(many=True).dump(told))


def _complete(school_id: int, service: ServiceIci) -> Any:
    cells = [
        {
            "role": role.code,
            "profil": profil,
            "accorde": role.case(profil).coche,
            "fixe": role.case(profil).fixe,
            "en_vigueur": service.decision(role, profil).accorde,
        }
        for role in service.roles
        for profil in PROFILS
    ]
    said = schemas.Service().dump(service)
    return {**said, "version": version_of(db.session(), school_id, service.id), "droits": cells}


def _done(uai: str, code: str, operation: Callable[[int], None]) -> Response:
    """Run an act on a service of a school of the key, and answer what the service is now."""
    school = by_uai(db.session(), uai)
    if school is None:
        return problem(404, ABSENT)
    _nothing, refusal = act(lambda: operation(school.id))
    if refusal is not None:
        return refusal
    return jsonify(_complete(school.id, service_here(db.session(), school.id, code[:40])))
