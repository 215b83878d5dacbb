"""Health and metrics, for machines: no session, no cookie, no personal data, no version.

``/sante`` the process answers; ``/sante/pret`` it can serve: 503 without a database at the right
migration, ``degrade`` when no worker lives or work waits for too long; ``/metriques`` the same in
Prometheus' format, from this machine or with the token of ``PREAU_METRIQUES_JETON``.
"""

from __future__ import annotations

import functools
import hmac
import ipaddress
from typing import Any

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, abort, current_app, jsonify, request
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.config import ROOT, Reglages
from app.database import reading
from app.extensions import db
from app.queries import sante as reads

blueprint = Blueprint("sante", __name__)
WORKER_SILENT_SECONDS = 90
QUEUE_OLD_SECONDS = 900
PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


@blueprint.get("/sante")
def vivant() -> Response:
    """Answer as long as the process lives."""
    return _answer({"etat": "vivant"})


@blueprint.get("/sante/pret")
def pret() -> Response:
    """Say whether requests can be served, and whether work in the background goes on."""
    try:
        figures = _figures()
    except SQLAlchemyError:
        current_app.logger.exception("database unreachable")
        return _answer({"etat": "indisponible", "base": "injoignable"}, 503)
    if figures is None:
        return _answer({"etat": "indisponible", "base": "joignable", "migrations": "à appliquer"}, 503)
    beat, waiting = figures["battement_age_secondes"], figures["attente_age_secondes"]
    alive = beat is not None and beat <= WORKER_SILENT_SECONDS
    late = waiting > QUEUE_OLD_SECONDS
    return _answer(
        {
            "etat": "pret" if alive and not late else "degrade",
            "base": "joignable",
            "migrations": "à jour",
            "travailleur": {"etat": "vivant" if alive else "silencieux", "age_secondes": beat},
            "file": {"etat": "en retard" if late else "à jour", "age_secondes": waiting},
        }
    )


@blueprint.get("/metriques")
def metriques() -> Response:
    """Return the gauges, read from the database at each call."""
    if not _may_read_metrics():
        abort(404)
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    figures = _figures()
    Gauge("preau_pret", "1 si la base est joignable et à jour", registry=registry).set(figures is not None)
    for name, value in (figures or {}).items():
        if isinstance(value, dict):
            gauge = Gauge(f"preau_{name}", "Lignes par état", ["etat"], registry=registry)
            for state, count in value.items():
                gauge.labels(state).set(count)
        elif value is not None:
            Gauge(f"preau_{name}", "Âge en secondes", registry=registry).set(value)
    response = Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _figures() -> dict[str, Any] | None:
    """Count what waits and how long; ``None`` when the schema is not at the newest migration."""
    with reading(), db.engine.connect() as connection:
        if not _migrated(connection):
            return None
        return reads.figures(connection)


def _migrated(connection: Connection) -> bool:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return set(found) == set(_heads())


@functools.cache
def _heads() -> tuple[str, ...]:
    return tuple(ScriptDirectory(str(ROOT / "migrations")).get_heads())


def _may_read_metrics() -> bool:
    """Accept this machine when no proxy stands between, or the token."""
    settings: Reglages = current_app.extensions["reglages"]
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.metriques_jeton and kind == "Bearer":
        return hmac.compare_digest(token.encode(), settings.metriques_jeton.encode())
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
