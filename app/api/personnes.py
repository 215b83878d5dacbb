"""``/api/v1/personnes``: the people of the key's perimeter, and the acts on their accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from flask import Response, abort, jsonify, request
from flask_appbuilder.api import expose
from sqlalchemy import Row, Select, select

from app.api import schemas
from app.api.base import PreauApi, paged, problem, right, size_arg
from app.extensions import db
from app.models import PROFILS, Etablissement
from app.queries import curseurs, fiches
from app.queries import gens as reads
from app.queries.gens import Criteres
from app.queries.recherche import matching
from app.security.manager import current_perimetre
from app.security.permissions import Resource
from app.views.arguments import BIGGEST_ID, choice_arg, text_arg
from app.views.streams import csv_response, streamed

SLICE = 500
ABSENT = "Aucune personne de ce numéro dans le périmètre de cette clé."
CSV_COLUMNS = ("id", "nom", "nom_usage", "prenom", "date_naissance", "login", "email", "etat", "cree_le")


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
            400: {$ref: '#/components/responses/400'}
            401: {$ref: '#/components/responses/401'}
            403: {$ref: '#/components/responses/403'}
            404: {$ref: '#/components/responses/404'}
            429: {$ref: '#/components/responses/429'}
        """
        session, criteres = db.session(), _criteres()
        tri = reads.tri_of(criteres)
        args = request.args
        page = curseurs.page(
            session, _statement(criteres), tri, size_arg(), args.get("apres", ""), args.get("avant", "")
        )
        return paged(page, list(_elements(page.rows)), ".liste")

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
            400: {$ref: '#/components/responses/400'}
            401: {$ref: '#/components/responses/401'}
            403: {$ref: '#/components/responses/403'}
            404: {$ref: '#/components/responses/404'}
            429: {$ref: '#/components/responses/429'}
        """
        elements = _every(_criteres())
        if choice_arg("format", {"csv", "ndjson"}) == "ndjson":
            lines = (orjson.dumps(element).decode() + "\n" for element in elements)
            return streamed("personnes.ndjson", "application/x-ndjson", lines)
        return csv_response("personnes.csv", _csv(elements))

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
            400: {$ref: '#/components/responses/400'}
            401: {$ref: '#/components/responses/401'}
            403: {$ref: '#/components/responses/403'}
            404: {$ref: '#/components/responses/404'}
            429: {$ref: '#/components/responses/429'}
        """
        found = _complete(pk)
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
        etat=choice_arg("etat", reads.ETATS),
        ecoles=current_perimetre().named_schools,
    )


def _statement(criteres: Criteres) -> Select[Any]:
    match = matching(db.session(), criteres.q) if criteres.q else None
    return reads.perimeter_list(criteres, match)


def _elements(rows: Sequence[Row[Any]]) -> Iterator[dict[str, Any]]:
    """Yield people as the API gives them, their places and accounts read for all at once."""
    ids = [row.id for row in rows]
    places, accounts = reads.places(db.session(), ids), reads.accounts(db.session(), ids)
    for row in rows:
        yield schemas.Personne().dump(
            {
                **row._mapping,
                "etat": _state(accounts.get(row.id)),
                "rattachements": [_place(place) for place in places.get(row.id, ())],
            }
        )


def _every(criteres: Criteres) -> Iterator[dict[str, Any]]:
    """Yield every person of a list, by slices; runs after the request has ended."""
    tri, statement = reads.tri_of(criteres), _statement(criteres)

    def slices() -> Iterator[dict[str, Any]]:
        after = ""
        while True:
            page = curseurs.page(db.session(), statement, tri, SLICE, after)
            yield from _elements(page.rows)
            after = page.apres
            if not after:
                return

    return slices()


def _csv(elements: Iterator[dict[str, Any]]) -> Iterator[Sequence[Any]]:
    yield [*CSV_COLUMNS, "rattachements"]
    for element in elements:
        places = " ; ".join(
            " ".join(filter(None, (place["etablissement"], place["profil"], place["classe"])))
            for place in element["rattachements"]
        )
        yield [*("" if element[name] is None else element[name] for name in CSV_COLUMNS), places]


def _complete(pk: int) -> dict[str, Any] | None:
    """Return a person as their sheet tells them, None when they are not in the perimeter."""
    session = db.session()
    found = fiches.person(session, pk) if 0 < pk <= BIGGEST_ID else None
    if found is None:
        return None
    person, account = found
    facts = fiches.facts(session, pk, None)
    dumped: dict[str, Any] = schemas.PersonneComplete().dump(person)
    return dumped | {
        "etat": _state(account),
        "rattachements": [_place(place) for place in fiches.attachments(session, pk) if place.fin is None],
        "identifiants": [
            {"type": fact.a, "portee": fact.b, "valeur": fact.c}
            for fact in sorted(facts.identifiant, key=lambda fact: (fact.a, fact.b, fact.c))
        ],
        "proches": [
            schemas.Proche().dump({**row._mapping, "lien": "responsable" if row.sens else "enfant"})
            for row in fiches.relatives(session, pk, None)
        ],
    }


def _place(place: Row[Any]) -> dict[str, Any]:
    return {
        "etablissement": place.uai,
        "etablissement_nom": place.etablissement,
        "profil": place.profil,
        "classe": place.classe or None,
    }


def _state(account: Any) -> str:
    if account is None:
        return "jamais"
    return "suspendu" if account.suspendu_le else "actif"
