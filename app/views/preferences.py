"""Choices of look: panes, columns. Written by the browser as they are made, read once per request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import abort, g, request
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.errors import UserError
from app.extensions import db
from app.models import Compte
from app.operations.console import LONGEST_PREFERENCE, prefer
from app.queries.console import preferences
from app.security.manager import current_account
from app.security.permissions import Resource
from app.views.acts import run_act
from app.views.base import PreauBaseView


def preference(key: str, default: Any = None) -> Any:
    """Return a choice of the account that makes the request; they are read together, with its session."""
    if "preferences" not in g:
        g.preferences = _known(current_account())
    known: Mapping[str, Any] = g.preferences
    return known.get(key, default)


def _known(account: Compte | None) -> Mapping[str, Any]:
    if account is None:
        return {}
    if "preferences" in vars(account):
        return {row.cle: row.valeur for row in account.preferences}
    return preferences(db.session(), account.id)


def size(key: str, default: int, least: int, most: int, step: int = 8) -> int:
    """Return a remembered size, within its bounds and on the steps the style sheet draws."""
    value = preference(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return max(least, min(most, value // step * step))


class Preferences(PreauBaseView):
    """One choice at a time, by the scripts of the page."""

    resource = Resource.MON_ESPACE
    route_base = "/preferences"
    default_view = "garder"

    @expose("", methods=["POST"])
    @has_access
    @permission_name("lire")
    def garder(self) -> tuple[str, int]:
        """Keep one choice: ``cle`` and ``valeur``, a JSON value."""
        account = current_account()
        raw = request.form.get("valeur", "")
        try:
            value = orjson.loads(raw[: LONGEST_PREFERENCE + 1])
        except orjson.JSONDecodeError:
            abort(400)
        key = request.form.get("cle", "")
        _done, refusal = run_act(lambda: prefer(db.session(), account.id if account else 0, key, value))
        if isinstance(refusal, UserError):
            return refusal.message, 400
        return "", 204


def register(appbuilder: Any) -> None:
    """Add the address; no page shows it."""
    appbuilder.add_view_no_menu(Preferences)
