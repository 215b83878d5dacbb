"""One run of one task: claim, call its handler, write how it ended."""

from __future__ import annotations

import logging
import secrets
import threading
from datetime import timedelta
from typing import Any

from flask import Flask

from app.errors import UserError
from app.extensions import db, now
from app.jobs import leases
from app.jobs.context import ArretDemandeError, BailPerduError, Contexte, TacheAnnuleeError
from app.models import Tache
from app.security.perimetres import TOUT, perimetre

log = logging.getLogger(__name__)
stopping = threading.Event()
running: set[str] = set()
CANCELLED = "Travail annulé. Les étapes déjà terminées sont conservées."
RETRY_DELAY = timedelta(seconds=15)


def run(app: Flask, tache_id: int) -> None:
    """Do the task if it is free. Everything is committed here, step by step."""
    if stopping.is_set():
        return
    with app.app_context(), perimetre(db.session(), TOUT):
        lease = leases.claim(db.session(), tache_id)
        if lease is None:
            return
        running.add(lease)
        try:
            tache = db.session.get_one(Tache, tache_id)
            context = Contexte(db.session(), tache, lease, stopping.is_set)
            _close(context, tache.essais, *_outcome(context, tache.essais))
        except BailPerduError:
            db.session.rollback()
            log.warning("task %s was taken over by another worker", tache_id)
        finally:
            running.discard(lease)
            db.session.remove()


def _outcome(context: Contexte, tries: int) -> tuple[str, dict[str, Any]]:
    """Run the handler; return the final state and what goes with it."""
    from app.jobs.registry import find_handler

    function = find_handler(context.type)
    if function is None:
        return "echec", {"message": f"Travail de type inconnu : {context.type}."}
    try:
        result = function(context)
    except BailPerduError:
        raise
    except TacheAnnuleeError:
        outcome: tuple[str, dict[str, Any]] = ("annulee", {"message": CANCELLED})
    except ArretDemandeError:
        outcome = ("attente", {"essais": tries - 1})
    except UserError as error:
        outcome = ("echec", {"message": error.message})
    except Exception:  # the task fails, the worker lives; the reference links the two
        reference = secrets.token_hex(4)
        log.exception("task failed", extra={"tache_id": context.tache_id, "reference": reference})
        message = f"Erreur inattendue, référence {reference}. Transmettez-la à l’assistance."
        last = tries >= leases.MAX_TRIES
        outcome = ("echec" if last else "attente", {"message": message})
        if not last:
            outcome[1]["bail_jusqua"] = now() + RETRY_DELAY * tries
    else:
        values = {"resultat": dict(result or {}), "message": None}
        return "finie", values
    context.session.rollback()
    return outcome


def _close(context: Contexte, tries: int, etat: str, values: dict[str, Any]) -> None:
    if etat != "attente":
        values["fin_le"] = now()
    context.close(etat=etat, **values)
    log.info("task %s", etat, extra={"tache_id": context.tache_id, "type": context.type, "essais": tries})
