"""The session on the server: the cookie carries a random token, a row says whether it is open."""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from sqlalchemy.orm.attributes import set_committed_value

from app.extensions import now
from app.models import Compte, SessionCompte
from app.operations import sessions as operations
from app.security import cles
from app.security.transactions import own_reading, own_transaction

JETON = "jeton"


class _Cookie(SecureCookieSession):
    """Flask's signed cookie, without the browsing history Flask-AppBuilder writes on every page."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "page_history":
            super().__setitem__(key, value)


class PreauSessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookie, read into our own mapping."""

    session_class = _Cookie


def init_app(app: Flask) -> None:
    """Install the cookie."""
    app.session_interface = PreauSessionInterface()


def load_account(_request: Request | None = None) -> Compte | None:
    """Return the account of the request, detached and complete.

    That of its cookie if its session is open; under ``/api/``, that of its key, whatever the cookie.
    """
    if "compte" not in g:
        g.compte = cles.load_account(request) if cles.calls_api(request) else _load()
    account: Compte | None = g.compte
    return account


def _load() -> Compte | None:
    token = session.get(JETON)
    if not isinstance(token, str) or not token:
        return None
    with own_reading() as own:
        row = operations.find_open(own, token, heures=current_app.extensions["reglages"].session_heures)
        if row is not None:
            own.expunge_all()
    g.pop("session_attente", None)
    if row is None:
        session.clear()
        return None
    if row.etape:  # the password was right, something is left to do: nobody is signed in yet
        g.session_attente = row
        return None
    g.session_id = row.id
    g.scolarite_le = row.scolarite_le
    if now() - row.vue_le > operations.RAFRAICHISSEMENT:
        with own_transaction() as own:
            operations.touch(own, row.id, row.vue_le)
    compte = row.compte
    for name in ("roles", "groups"):  # Flask-AppBuilder's own tables are never read
        set_committed_value(compte, name, [])
    return compte


def waiting() -> SessionCompte | None:
    """Return the session of the request that waits for its second factor, with its account."""
    load_account()
    row: SessionCompte | None = g.get("session_attente")
    return row


def remember(token: str) -> None:
    """Put a new token in an empty cookie: nothing of before the login survives it (L5)."""
    session.clear()
    session[JETON] = token
    for name in ("compte", "session_attente"):
        g.pop(name, None)


def current_token() -> str | None:
    """Return the token of the request's cookie."""
    token = session.get(JETON)
    return token if isinstance(token, str) else None


def forget() -> None:
    """End the request's session, on the server and in the browser."""
    token = current_token()
    if token:
        with own_transaction() as own:
            operations.end(own, token)
    session.clear()
    g.compte = None
