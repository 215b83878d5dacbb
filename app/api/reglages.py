"""``/api/v1/etablissements/<uai>/services/<code>/reglages``: settings of a service, tries, components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request
from flask_appbuilder.api import expose
from sqlalchemy import select

from app.api import schemas_reglages as schemas
from app.api.base import PreauApi, act, body, problem, right
from app.api.etablissements import ABSENT
from app.errors import NotFoundError, RuleViolationError
from app.extensions import db
from app.models import ComposantService, EssaiService, Service
from app.operations import champs_service, essais, reglages
from app.operations.services import basculer_composant, service_here
from app.queries.droits import ServiceIci
from app.queries.etablissements import by_uai
from app.queries.reglages import ComposantIci, Reglages, components_of, settings_of
from app.security.permissions import Resource
from app.views.actors import actor, deployment
from app.views.arguments import BIGGEST_ID

NO_COMPONENT = "Ce service n’a pas ce composant."
NO_TRY = "Cet essai n’existe pas."


class ReglagesApi(PreauApi):
    """Settings of the services of one school."""

    resource = Resource.SERVICE
    route_base = "/api/v1/etablissements"
    openapi_spec_tag = "Réglages des services"

    @expose("/<uai>/services/<code>/reglages", methods=["GET"])
    @right("lire")
    def lire(self, uai: str, code: str) -> Response:
        """Give how a service and its components are set.
        ---
        get:
          summary: Réglages d’un service et de ses composants, sans les mots de passe
          parameters: [uai, code]
          responses:
            200:
              description: Le service, puis ses composants (logiciels, ressources).
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Reglage'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        found, refusal = act(lambda: _told(school.id, code))
        return refusal or jsonify(found)

    @expose("/<uai>/services/<code>/reglages", methods=["PUT"])
    @right("ecrire")
    def enregistrer(self, uai: str, code: str) -> Response:
        """Save settings.
        ---
        put:
          summary: Enregistrer les réglages d’un service ou d’un composant
          parameters: [uai, code, composant]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/ReglageVoulu'
          responses:
            200:
              description: Le service, puis ses composants, tels qu’ils sont maintenant.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Reglage'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)

        def save() -> None:
            service, part = _target(school.id, code)
            sent = body(schemas.ReglageVoulu())
            reglages.enregistrer_reglages(
                db.session(),
                school.id,
                service,
                _known(part or service, sent["valeurs"]),
                composant=part,
                version=sent["version"],
                sans_essai=sent["sans_essai"],
                deployment=deployment(),
                acteur=actor(),
            )

        _nothing, refusal = act(save)
        return refusal or jsonify(_told(school.id, code))

    @expose("/<uai>/services/<code>/reglages/essai", methods=["POST"])
    @right("ecrire")
    def tester(self, uai: str, code: str) -> Response:
        """Ask for a try.
        ---
        post:
          summary: Tester des réglages sans les enregistrer ; l’essai se lit ensuite par son numéro
          parameters: [uai, code, composant]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/EssaiVoulu'
          responses:
            202:
              description: L’essai est demandé ; « fini_le » est vide tant qu’il dure.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Essai'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)

        def ask() -> EssaiService:
            service, part = _target(school.id, code)
            typed = _known(part or service, body(schemas.EssaiVoulu())["valeurs"])
            return essais.demander_essai(
                db.session(),
                school.id,
                service,
                typed,
                composant=part,
                deployment=deployment(),
                acteur=actor(),
            )

        tried, refusal = act(ask)
        if refusal is not None:
            return refusal
        answer = jsonify(schemas.Essai().dump(tried))
        answer.status_code = 202
        return answer

    @expose("/<uai>/services/<code>/reglages/essais/<int:pk>", methods=["GET"])
    @right("lire")
    def essai(self, uai: str, code: str, pk: int) -> Response:
        """Give a try.
        ---
        get:
          summary: Un essai, en cours ou fini
          parameters: [uai, code, essai]
          responses:
            200:
              description: L’essai.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Essai'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        statement = (
            select(EssaiService)
            .join(Service, Service.id == EssaiService.service_id)
            .where(
                EssaiService.id == min(pk, BIGGEST_ID),
                EssaiService.etablissement_id == school.id,
                Service.code == code[:40],
            )
        )
        found = db.session.scalars(statement).first()
        return problem(404, NO_TRY) if found is None else jsonify(schemas.Essai().dump(found))

    @expose("/<uai>/services/<code>/composants/<composant>/etat", methods=["PUT"])
    @right("ecrire")
    def etat(self, uai: str, code: str, composant: str) -> Response:
        """Switch a software or a resource on or off.
        ---
        put:
          summary: Activer ou désactiver un logiciel ou une ressource
          parameters: [uai, code, code_composant]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/EtatComposant'
          responses:
            200:
              description: Le service, puis ses composants, tels qu’ils sont maintenant.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Reglage'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)

        def switch() -> None:
            service = service_here(db.session(), school.id, code[:40])
            part = _part(school.id, service.id, composant)
            sent = body(schemas.EtatComposant())
            basculer_composant(
                db.session(), school.id, part, sent["actif"], sans_essai=sent["sans_essai"], acteur=actor()
            )

        _nothing, refusal = act(switch)
        return refusal or jsonify(_told(school.id, code))


def _target(school_id: int, code: str) -> tuple[Service, ComposantService | None]:
    """Return the service of the address and the component asked for.

    :raises NotFoundError: not offered to the school, or no such component.
    """
    here = service_here(db.session(), school_id, code[:40])
    service = db.session.get_one(Service, here.id)
    asked = request.args.get("composant", "")
    return service, _part(school_id, service.id, asked) if asked else None


def _part(school_id: int, service_id: int, code: str) -> ComposantService:
    here = components_of(db.session(), school_id, service_id)
    found = next((one.composant for one in here if one.composant.code == code), None)
    if found is None:
        raise NotFoundError(NO_COMPONENT)
    return found


def _known(item: Service | ComposantService, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values sent when the schema knows each of them.

    :raises RuleViolationError: on the first it does not.
    """
    codes = {one["code"] for one in item.reglages}
    codes |= {f"{code}{champs_service.OUBLIER}" for code in champs_service.secret_codes(item.reglages)}
    unknown = next((name for name in values if name not in codes), None)
    if unknown is not None:
        raise RuleViolationError("Ce champ n’est pas un réglage de ce service.", field=unknown[:40])
    return values


def _told(school_id: int, code: str) -> list[dict[str, Any]]:
    """Return how a service and its components are set, without any secret."""
    service = service_here(db.session(), school_id, code[:40])
    found = settings_of(db.session(), school_id, service.id, service.reglages)
    told = [_one(service, found, None), *(_one(service, found, one) for one in found.composants)]
    dumped: list[dict[str, Any]] = schemas.Reglage(many=True).dump(told)
    return dumped


def _one(service: ServiceIci, found: Reglages, part: ComposantIci | None) -> dict[str, Any]:
    item: Any = part.composant if part else service
    own = item.id if part else None
    row, tries = found.rows.get(own), found.essais.get(own, [])
    return {
        "composant": part.composant.code if part else None,
        "nom": item.nom,
        "place": part.composant.place if part else None,
        "actif": part.actif if part else service.actif,
        "abonne": part.ouvert if part else True,
        "version": row.version if row else None,
        "champs": item.reglages,
        "valeurs": row.valeurs if row else {},
        "secrets": sorted(reglages.secrets_of(row, deployment())) if row else [],
        "teste": row is not None and found.proven(own, row.valeurs),
        "essai": tries[0] if tries else None,
    }
