"""What happens around every request: who, over which rows, and the trace of what was refused."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, current_app, g, request, session

from app.database import set_read_only
from app.extensions import db
from app.operations import journal
from app.security.acteur import current_account, read_schools_edited, use_perimetre_for
from app.security.mur import RIEN
from app.security.perimetres import KEY, set_perimetre
from app.security.permissions import METHOD_VERBS, Resource, Verb
from app.security.sessions import load_account
from app.security.transactions import own_transaction

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
PER_MINUTE = 30
PER_REQUEST = (
    "compte",
    "cle_api",
    "droits",
    "droits_nommes",
    "perimetres",
    "session_id",
    "session_attente",
    "scolarite_le",
    "_login_user",
    "preferences",
    "ecole",
    "services_ici",
    "editeur_de",
)
BARE = {"static", "page_publique", "media"}
"""Endpoints everybody reads alike: no account, no cookie looked at, so that caches may keep the answer.

They state the perimeter of what they read themselves.
"""


def init_app(app: Flask) -> None:
    """Install the hooks; they run before those of Flask-AppBuilder."""
    app.before_request(begin)
    app.after_request(forget_reader)
    app.after_request(journal_absence)
    app.teardown_request(_end)


def begin() -> None:
    """Load the account and state its perimeter for the view that is about to run."""
    set_read_only(request.method in SAFE_METHODS)
    if _is_bare():
        return
    for name in PER_REQUEST:
        g.pop(name, None)
    g.perimetre_avant = db.session().info.get(KEY)
    set_perimetre(db.session(), RIEN)
    load_account()
    resource, verb = _right_of_view()
    if resource is Resource.REDACTION:
        read_schools_edited()
    use_perimetre_for(resource, verb)


def _end(_error: BaseException | None) -> None:
    """Leave nothing of the request behind in a context that outlives it (a command, a test)."""
    set_read_only(False)
    before = g.pop("perimetre_avant", None)
    if before is not None:
        set_perimetre(db.session(), before)


def forget_reader(response: Response) -> Response:
    """Say nothing of cookies on answers everybody gets alike: they were not looked at.

    Flask-Login asks every session whether to remember; that alone would have caches keep one copy each.
    """
    if _is_bare() and not session.modified:
        session.accessed = False
    return response


def _is_bare() -> bool:
    return (request.endpoint or "").rpartition(".")[2] in BARE


def _right_of_view() -> tuple[Resource | None, Verb]:
    """Return the right the view method asks for, read off the view class that will run."""
    blueprint, _, method = (request.endpoint or "").rpartition(".")
    views: list[Any] = current_app.extensions["appbuilder"].baseviews
    view = next((view for view in views if view.endpoint == blueprint), None)
    name = getattr(view, "class_permission_name", None)
    if name not in set(Resource):
        return None, Verb.LIRE
    names = {**METHOD_VERBS, **(getattr(view, "method_permission_name", None) or {})}
    function = getattr(view, method, None)
    asked = names.get(method) or getattr(function, "_permission_name", method)
    if f"can_{asked}" in set(Verb):
        return Resource(name), Verb(f"can_{asked}")
    return Resource(name), Verb.LIRE if request.method in SAFE_METHODS else Verb.ECRIRE


def journal_absence(response: Response) -> Response:
    """Journal a 404 on an object's address: absent or out of the perimeter, nobody is told which."""
    compte = None if response.status_code != 404 else current_account()
    if compte is None or not request.view_args or _is_bare() or not _worth_a_line(compte.id):
        return response
    db.session.rollback()
    with own_transaction() as own:
        journal.write(
            own,
            acte="acces.refuser",
            acteur=str(compte),
            compte_id=compte.id,
            objet_type=request.blueprint or "",
            objet=f"{request.method} {request.url_rule if 'jeton' in request.view_args else request.path}",
        )
    return response


def _worth_a_line(compte_id: int) -> bool:
    """One line a minute per account and address, and no more than ``PER_MINUTE`` per account."""
    moment = time.monotonic()
    seen: dict[tuple[int, str], float] = current_app.extensions.setdefault("absences_vues", {})
    for key in [key for key, at in seen.items() if moment - at > 60]:
        seen.pop(key, None)
    key = (compte_id, request.path)
    if key in seen or sum(account == compte_id for account, _ in seen) >= PER_MINUTE:
        return False
    seen[key] = moment
    return True
