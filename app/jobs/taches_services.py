"""«Tester» done by the worker: one connection, then what it found. Killed, it is simply tried again."""

from __future__ import annotations

from typing import Any

from flask import current_app

from app.errors import NotFoundError
from app.jobs.context import Contexte
from app.jobs.registry import handler
from app.models import EssaiService
from app.operations import essais, sondes
from app.operations.deployment import Deployment
from app.operations.sondes import Resultat

GONE = Resultat(False, "Ces réglages n’existent plus au catalogue.", 0.0)


@handler(essais.TESTER)
def tester(context: Contexte) -> dict[str, Any]:
    """Try one connection, outside of any transaction, and write what it found."""
    settings = current_app.extensions["reglages"]
    essai_id = context.parametres["essai_id"]
    tried = context.session.get(EssaiService, essai_id)
    if tried is None:
        raise NotFoundError("Cet essai n’existe plus.")
    cible = essais.cible_of(tried, Deployment.of(settings))
    context.progress(0, 1)
    found = sondes.essayer(cible, permitted=settings.permitted_networks()) if cible else GONE
    tried = context.session.get_one(EssaiService, essai_id)
    if tried.fini_le is None:
        essais.conclure(context.session, tried, found)
    context.progress(1, 1)
    return {"reussi": found.reussi}
