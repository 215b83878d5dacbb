"""What every resource of the API shares: the key, its rights, its share of calls, pages, refusals."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app, jsonify, request, url_for
from flask_appbuilder.api import BaseApi
from flask_appbuilder.security.decorators import permission_name
from marshmallow import Schema, ValidationError

from app.api import schemas
from app.errors import ConflictError, NotFoundError, UserError
from app.extensions import now
from app.operations import cles_api
from app.queries.curseurs import Page
from app.security.cles import current_key
from app.security.manager import allowed, current_account
from app.security.transactions import own_transaction
from app.views.acts import run_act
from app.views.reading import Resourced

DEFAULT_SIZE = 50
MOST = 200
RIGHT = "_right"

NO_KEY = "Envoyez une clé d’API valable : en-tête « Authorization: Bearer preau_… »."
NO_RIGHT = "Le rôle de cette clé n’ouvre pas cette ressource."
READ_ONLY = "Cette clé ne donne que la lecture. Créez-en une qui permet d’écrire."
TOO_MANY = "Cette clé a trop appelé pendant cette minute. Attendez la suivante."


def right(verb: str) -> Callable[[Callable[..., Any]], Any]:
    """Ask for a key that holds ``verb`` (``lire``, ``ecrire``) on the resource of the class."""

    def wrap(method: Callable[..., Any]) -> Any:
        @functools.wraps(method)
        def checked(self: PreauApi, *args: Any, **values: Any) -> Any:
            refused = self.refuse(verb)
            return method(self, *args, **values) if refused is None else refused

        return permission_name(verb)(checked)

    return wrap


class PreauApi(Resourced, BaseApi):
    """A resource; subclasses set ``resource``, ``resource_name`` and expose methods under ``right``."""

    version = "v1"
    responses: Mapping[str, Any] = schemas.RESPONSES

    def refuse(self, verb: str) -> Response | None:
        """Return the answer to a call without a key, a right or a call left; None when it may go on."""
        key = current_key()
        if current_account() is None or key is None:
            answer = problem(401, NO_KEY)
            answer.headers["WWW-Authenticate"] = 'Bearer realm="Préau"'.encode().decode("latin-1")
            return answer
        instant = now()
        with own_transaction() as own:
            calls = cles_api.count_call(own, key.id, instant)
        if calls > current_app.extensions["reglages"].api_appels_minute:
            answer = problem(429, TOO_MANY)
            answer.headers["Retry-After"] = str(60 - int(instant.timestamp()) % 60)
            return answer
        if not allowed(f"can_{verb}", self.resource):
            return problem(403, NO_RIGHT)
        return problem(403, READ_ONLY) if verb == "ecrire" and not key.ecriture else None


def problem(status: int, sentence: str, field: str | None = None) -> Response:
    """Answer a refusal: one French sentence, and the field it is about."""
    answer = jsonify({"erreur": sentence, **({"champ": field} if field else {})})
    answer.status_code = status
    return answer


def act(operation: Callable[[], Any]) -> tuple[Any, Response | None]:
    """Run one act and commit it.

    :returns: what it returned, or the answer that says why it was refused (404, 409 or 422).
    """
    result, refusal = run_act(operation)
    return result, None if refusal is None else refused(refusal)


def refused(error: UserError) -> Response:
    """Return the answer to a refusal."""
    if isinstance(error, NotFoundError):
        return problem(404, error.message)
    return problem(409 if isinstance(error, ConflictError) else 422, error.message, error.field)


def body(schema: Schema) -> Mapping[str, Any]:
    """Read the JSON body of a call.

    :raises UserError: it is not an object, or a field is missing, unknown or of another kind.
    """
    try:
        sent = request.get_json(silent=True)
        json.dumps(sent, ensure_ascii=False).encode()
    except RecursionError:  # lists within lists, without end
        sent = None
    except UnicodeEncodeError as error:  # half of a character, which no database keeps
        raise UserError("Ce texte contient un caractère illisible.") from error
    if not isinstance(sent, dict):
        raise UserError("Envoyez un objet JSON, avec l’en-tête « Content-Type: application/json ».")
    try:
        loaded: Mapping[str, Any] = schema.load(sent)
    except ValidationError as error:
        field, said = next(iter(error.normalized_messages().items()))
        sentence = said[0] if isinstance(said, list) else "Cette valeur n’est pas lisible."
        raise UserError(f"{field} : {sentence}", field=str(field)) from error
    return loaded


def size_arg() -> int:
    """Return how many elements a page holds: what is asked, within bounds (A3)."""
    typed = request.args.get("taille", "")
    asked = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else DEFAULT_SIZE
    return min(max(asked, 1), MOST)


def paged(page: Page, elements: list[Any], endpoint: str, **values: Any) -> Response:
    """Answer one page of a list, with the addresses of the pages on both sides."""
    kept: dict[str, Any] = {
        name: value for name, value in request.args.items() if name not in {"apres", "avant"}
    }

    def address(**cursor: Any) -> str:
        return url_for(endpoint, **values, **{**kept, **cursor})

    return jsonify(
        elements=elements,
        suivante=address(apres=page.apres) if page.apres else None,
        precedente=address(avant=page.avant) if page.avant else None,
    )
