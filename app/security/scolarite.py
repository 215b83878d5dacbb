"""The door of school-life services: open for half an hour in a session that gave the second password (U11).

A service puts ``@scolarite_required`` under ``@has_access``; whoever is asked for no second password
(pupils, families) goes straight through.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from app.extensions import now
from app.models import Compte
from app.operations import mots_de_passe_scolarite as scolarite
from app.operations.deployment import Deployment
from app.security.acteur import current_account
from app.security.passwords import verify_password
from app.security.transactions import own_reading, own_transaction

DUREE = timedelta(minutes=30)
P = ParamSpec("P")
R = TypeVar("R")


def scolarite_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Ask for the second password before a page of a school-life service."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if is_open():
            return view(*args, **kwargs)
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("VieScolaireView.ouvrir", next=here))

    return guarded


def is_open() -> bool:
    """Tell whether this session may open school-life services now."""
    opened = g.get("scolarite_le")
    if opened is not None and now() - opened < DUREE:
        return True
    me = current_account()
    with own_reading() as own:
        return me is not None and not scolarite.asked_of(own, me.personne_id)


def try_digits(compte: Compte, typed: str, deployment: Deployment) -> tuple[bool, int]:
    """Compare what was typed; return whether it opens, and how many tries are left. None left: locked."""
    digits = "".join(typed.split())[: scolarite.MAX * 2]
    with own_transaction() as own:
        row = scolarite.count_try(own, compte.id)
        digest = row.empreinte if row is not None else None
    right = verify_password(digest, scolarite.peppered(compte.id, digits, deployment))
    if digest is None:
        return False, 0
    with own_transaction() as own:
        if right:
            scolarite.succeed(own, compte.id, int(g.session_id))
            return True, scolarite.ESSAIS
        return False, scolarite.fail(own, own.get_one(Compte, compte.id), deployment)
