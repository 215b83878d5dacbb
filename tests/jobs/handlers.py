"""Handlers of the tests: small works whose every step leaves one line in the journal."""

import threading
from pathlib import Path
from typing import Any

from app.errors import UserError
from app.jobs import Contexte, handler
from app.operations import journal


@handler("essai.compter")
def count(context: Contexte) -> dict[str, Any]:
    """Do ``jusqua`` steps; stay on step 3 as long as the file ``bloque`` is there."""
    total = context.parametres["jusqua"]
    done = (context.cursor or {}).get("fait", 0)
    for step in range(done + 1, total + 1):
        journal.write(context.session, acte=f"etape {step}")
        context.progress(step, total, cursor={"fait": step})
        gate = context.parametres.get("bloque")
        if step == 3 and gate and Path(gate).exists():
            threading.Event().wait()
    return {"etapes": total}


@handler("essai.refuser")
def refuse(context: Contexte) -> None:
    journal.write(context.session, acte="jamais validé")
    raise UserError("Le fichier est vide.")


@handler("essai.echouer")
def fail(context: Contexte) -> None:
    journal.write(context.session, acte="jamais validé")
    raise ZeroDivisionError


@handler("essai.annuler")
def cancelled_meanwhile(context: Contexte) -> None:
    """Somebody asks to cancel during the second step."""
    from sqlalchemy import update

    from app.models import Tache

    journal.write(context.session, acte="etape 1")
    context.progress(1, 3)
    journal.write(context.session, acte="etape 2")
    context.session.execute(
        update(Tache).where(Tache.id == context.tache_id).values(annulation_demandee=True)
    )
    context.progress(2, 3)
    journal.write(context.session, acte="etape 3")


@handler("essai.supplanter")
def taken_over_meanwhile(context: Contexte) -> None:
    """Another worker takes the task over during the second step."""
    from sqlalchemy import update

    from app.models import Tache

    context.progress(1, 3)
    context.session.execute(update(Tache).where(Tache.id == context.tache_id).values(bail="autre-1-a"))
    context.session.commit()
    journal.write(context.session, acte="jamais validé")
    context.progress(2, 3)
