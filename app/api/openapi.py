"""``GET /api/v1/openapi.json``: the description of the API, for programs and for its page."""

from __future__ import annotations

import functools
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, current_app, jsonify
from flask_appbuilder.api import BaseApi, expose

from app.api import schemas, schemas_modeles, schemas_pages, schemas_reglages, schemas_reservations
from app.models import PAGES, PROFILS
from app.queries.gens import ETATS
from app.queries.reservations import ETATS as RESERVATIONS

VERSION = "v1"
SECURITY = "cle"
REFUSALS, WRITING = ("400", "401", "403", "429"), ("409", "415", "422")
"""What any call may be answered, and what any call that writes may be answered besides."""
PARAMETER = {"$ref": "#/components/parameters/etablissement"}
"""A school that does not exist is a 404, as somebody who does not."""
INTRODUCTION = (
    "Lire l’annuaire, agir sur les comptes, les services et les droits, avec une clé. Envoyez-la dans"
    " l’en-tête"
    " « Authorization: Bearer preau_… ». Une clé ne voit que son périmètre : le reste n’existe pas (404)."
    " Les listes se lisent page par page, en suivant « suivante »."
)


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "required": False, "schema": schema}


PARAMETERS: dict[str, dict[str, Any]] = {
    "q": _query(
        "q",
        "Premières lettres du nom, e-mail, identifiant, INE ; toute partie du nom d’un établissement.",
        {"type": "string", "maxLength": 80},
    ),
    "profil": _query("profil", "Un seul profil.", {"type": "string", "enum": list(PROFILS)}),
    "etat": _query("etat", "État du compte.", {"type": "string", "enum": list(ETATS)}),
    "etablissement": _query("etablissement", "UAI d’un établissement.", {"type": "string", "maxLength": 8}),
    "format": _query(
        "format", "« csv » (au départ) ou « ndjson ».", {"type": "string", "enum": ["csv", "ndjson"]}
    ),
    "taille": _query(
        "taille", "Éléments par page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    ),
    "apres": _query("apres", "Position rendue par « suivante ».", {"type": "string"}),
    "avant": _query("avant", "Position rendue par « precedente ».", {"type": "string"}),
    "uai": {
        "name": "uai",
        "in": "path",
        "required": True,
        "description": "UAI de l’établissement.",
        "schema": {"type": "string"},
    },
    "code": {
        "name": "code",
        "in": "path",
        "required": True,
        "description": "Code du service, par exemple « forum ».",
        "schema": {"type": "string", "maxLength": 40},
    },
    "ressource": _query("ressource", "Numéro d’une ressource.", {"type": "integer", "minimum": 1}),
    "etat_reservation": _query(
        "etat", "État des réservations.", {"type": "string", "enum": list(RESERVATIONS)}
    ),
    "du": _query("du", "Premier jour.", {"type": "string", "format": "date"}),
    "au": _query("au", "Dernier jour.", {"type": "string", "format": "date"}),
    "pk_reservation": {
        "name": "pk",
        "in": "path",
        "required": True,
        "description": "Numéro de la réservation.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "composant": _query(
        "composant",
        "Code d’un composant du service ; vide pour le service lui-même.",
        {"type": "string", "maxLength": 40},
    ),
    "code_composant": {
        "name": "composant",
        "in": "path",
        "required": True,
        "description": "Code du composant, par exemple « pronote_2010 ».",
        "schema": {"type": "string", "maxLength": 40},
    },
    "essai": {
        "name": "pk",
        "in": "path",
        "required": True,
        "description": "Numéro de l’essai.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "page": {
        "name": "page",
        "in": "path",
        "required": True,
        "description": "Page qui porte les logos.",
        "schema": {"type": "string", "enum": list(PAGES)},
    },
    "modele": {
        "name": "pk",
        "in": "path",
        "required": True,
        "description": "Numéro du modèle.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "application": {
        "name": "pk",
        "in": "path",
        "required": True,
        "description": "Numéro de l’application.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "pk": {
        "name": "pk",
        "in": "path",
        "required": True,
        "description": "Numéro de la personne.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


class OpenApi(BaseApi):
    """The description itself: says nothing of anybody, so it asks for no key."""

    route_base = f"/api/{VERSION}"
    version = VERSION
    exclude_route_methods: set[str] = set()

    @expose("/openapi.json", methods=["GET"])
    def description(self) -> Response:
        """Give the OpenAPI description."""
        return jsonify(description_of(current_app))


def description_of(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI description of an application, built once."""
    known: dict[str, Any] = app.extensions.setdefault("openapi", {})
    if not known:
        known.update(_built(app))
    return known


def _built(app: Flask) -> dict[str, Any]:
    spec = APISpec(
        title="Préau",
        version=VERSION,
        openapi_version="3.0.3",
        info={"description": INTRODUCTION},
        plugins=[MarshmallowPlugin(schema_name_resolver=_name_of)],
        servers=[{"url": "/"}],
    )
    spec.components.security_scheme(SECURITY, {"type": "http", "scheme": "bearer"})
    for name, parameter in PARAMETERS.items():
        spec.components.parameter(name, parameter["in"], parameter)
    described_as = (schemas, schemas_reglages, schemas_reservations, schemas_pages, schemas_modeles)
    for schema in [one for module in described_as for one in module.COMPONENTS]:
        spec.components.schema(schema.__name__, schema=schema)
    resources = app.extensions["appbuilder"].baseviews
    for resource in resources:
        if isinstance(resource, BaseApi) and not isinstance(resource, OpenApi):
            resource.add_api_spec(spec)
    described: dict[str, Any] = spec.to_dict()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            operation["security"] = [{SECURITY: []}]
            named = "{" in path or PARAMETER in operation.get("parameters", ())
            refusals = {*REFUSALS, *(WRITING if method != "get" else ()), *(["404"] if named else ())}
            for code in sorted(refusals):
                operation["responses"][code] = {"$ref": f"#/components/responses/{code}"}
    return described


@functools.cache
def _name_of(schema: Any) -> str:
    return str(getattr(schema, "__name__", type(schema).__name__))
