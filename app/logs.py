"""Structured logs: one JSON object a line on stderr, with the reference of the request, no secret."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

from flask import Flask, Response, g, request

log = logging.getLogger("preau.requetes")
_reference: ContextVar[str] = ContextVar("reference", default="")
SECRET_KEY = re.compile(
    r"mot_?de_?passe|password|passwd|secret|jeton|token|cookie|authorization|cle_", re.IGNORECASE
)
SECRET_TEXT = re.compile(
    r"(://[^:/@\s]*:)[^@\s]+(?=@)|((?:password|passwd|mot_de_passe|token|jeton|secret)\s*[=:]\s*)[^\s&,;]+",
    re.IGNORECASE,
)


def start_request() -> str:
    """Give the request at hand a reference and return it."""
    reference = secrets.token_hex(4)
    _reference.set(reference)
    return reference


def current_reference() -> str:
    """Return the reference of the request at hand, which each of its log lines carries."""
    return _reference.get()


def init_app(app: Flask) -> None:
    """Give each request a reference and log how it ended: the route's pattern, never its values."""

    @app.before_request
    def _begin() -> None:
        start_request()
        g.debut = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "-"
        if not route.startswith(("/static", "/sante")):
            fields = {
                "route": route,
                "methode": request.method,
                "statut": response.status_code,
                "ms": round(1000 * (time.perf_counter() - g.get("debut", time.perf_counter()))),
            }
            log.info("request", extra=fields)
        return response


def configure(level: str) -> None:
    """Send every log of the process to stderr as JSON."""
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _add_reference,
        redact,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("alembic", "huey", "fontTools", "xhtml2pdf", "flask_appbuilder"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redact(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank what looks like a secret, by key and in texts (addresses with a password, ``token=…``)."""
    for key, value in entry.items():
        if SECRET_KEY.search(key):
            entry[key] = "•••"
        elif isinstance(value, str):
            entry[key] = SECRET_TEXT.sub(lambda match: f"{match[1] or match[2]}•••", value)
    return entry


def _add_reference(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if reference := _reference.get():
        entry.setdefault("reference", reference)
    return entry


def _json(entry: Any, **_options: Any) -> str:
    import orjson

    return orjson.dumps(entry, default=str).decode()
