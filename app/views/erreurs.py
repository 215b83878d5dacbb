"""Error pages in the frame: one French sentence, what to do, and a reference to quote."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, jsonify, render_template, request
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.errors import ConflictError, NotFoundError, UserError
from app.extensions import db
from app.logs import current_reference
from app.security.cles import calls_api
from app.views.ecole import school_of_page

SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True)
class Words:
    """What an error page says."""

    title: str
    text: str
    icon: str = "exclamation-triangle"


PAGES: dict[int, Words] = {
    400: Words(
        "Demande illisible",
        "Préau ne comprend pas cette adresse ou ce formulaire. Revenez à la page précédente, rechargez-la et"
        " recommencez.",
    ),
    401: Words("Connexion nécessaire", "Connectez-vous pour ouvrir cette page.", "box-arrow-in-right"),
    403: Words(
        "Accès réservé",
        "Vos droits n’ouvrent pas cette page. Si vous en avez besoin, demandez-la à l’administrateur de"
        " votre établissement ou votre académie.",
        "shield-lock",
    ),
    404: Words(
        "Page introuvable",
        "Cette adresse ne mène à rien que vous puissiez consulter. Vérifiez-la, ou repartez de l’accueil.",
        "search",
    ),
    405: Words("Action impossible ainsi", "Cette adresse s’ouvre depuis une page de Préau, pas directement."),
    409: Words("Modification concurrente", "Quelqu’un a modifié cette fiche entre-temps. Rouvrez-la."),
    413: Words(
        "Envoi trop volumineux",
        "Cet envoi dépasse la taille acceptée. Réduisez le fichier, ou faites plusieurs envois.",
        "file-earmark",
    ),
    429: Words("Trop de demandes", "Patientez quelques minutes avant de recommencer.", "hourglass-split"),
    500: Words(
        "Préau a rencontré une erreur",
        "Rien n’a été enregistré. Recommencez ; si l’erreur revient, donnez la référence ci-dessous à la"
        " personne qui exploite Préau.",
        "exclamation-octagon-fill",
    ),
    503: Words("Service momentanément indisponible", "Réessayez dans quelques minutes.", "hourglass-split"),
}


def init_app(app: Flask) -> None:
    """Answer every error in French, in the frame when it can be drawn."""
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(UserError, on_user_error)
    app.register_error_handler(Exception, on_bug)
    app.before_request(refuse_unwritable)


def refuse_unwritable() -> Response | None:
    """Answer 400 to a NUL or a lone surrogate: no page reads them, no database keeps them."""
    texts = [*request.args.keys(), *(value for values in request.args.lists() for value in values[1])]
    texts += [str(value) for value in (request.view_args or {}).values()]
    if any(_unwritable(text) for text in texts):
        return error_page(400)
    return None


def _unwritable(text: str) -> bool:
    return "\x00" in text or any(ord(char) in SURROGATES for char in text)


def on_http_error(error: HTTPException) -> Response:
    """Answer an error a view or the server raised on purpose."""
    if error.code is None or error.code < 400:
        return error.get_response()
    page = error_page(error.code)
    for name in ("Retry-After", "Allow"):
        value = dict(error.get_headers()).get(name)
        if value:
            page.headers[name] = value
    return page


def on_user_error(error: UserError) -> Response:
    """Answer a refusal no form caught with its own sentence."""
    db.session.rollback()
    if isinstance(error, NotFoundError):
        return error_page(404)
    return error_page(409 if isinstance(error, ConflictError) else 400, text=error.message)


def on_bug(error: Exception) -> Response:
    """Log a bug under a reference; what was being written is undone."""
    db.session.rollback()
    reference = new_reference()
    current_app.logger.error("Unhandled error, reference %s", reference, exc_info=error)
    return error_page(500, reference=reference)


def new_reference() -> str:
    """Return what a person quotes and a log search finds."""
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(2))


def error_page(code: int, *, text: str = "", reference: str = "") -> Response:
    """Draw an error page, as JSON for a script that asked for some."""
    words = PAGES.get(code, PAGES[500 if code >= 500 else 400])
    sentence = text or words.text
    reference = reference or current_reference()
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    if best == "application/json" or calls_api(request):
        answer: Response = jsonify(erreur=sentence, reference=reference or None)
    else:
        answer = current_app.make_response(_draw(words, sentence, reference))
    answer.status_code = code
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _draw(words: Words, sentence: str, reference: str) -> str:
    context: dict[str, Any] = {"title": words.title, "text": sentence, "glyph": words.icon}
    context |= {"reference": reference, "ecole": school_of_page()}
    try:
        framed = bool(current_user and current_user.is_authenticated)
        return render_template("erreurs/erreur.html" if framed else "erreurs/nue.html", **context)
    except Exception:  # the frame itself may be what is broken: the bare page needs nothing
        current_app.logger.exception("The frame of an error page could not be drawn")
        db.session.rollback()
        return render_template("erreurs/nue.html", **context)
