"""Background tasks: asked for in the act's transaction, launched after its commit (X4).

The row is the truth. ``request`` leaves the new ids in ``session.info``; ``app.jobs`` puts them in
the queue after commit, and its sweep finds any id that was lost on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Tache
from app.operations.saisies import SYSTEME, Actor, record

REQUESTED = "taches_demandees"
FINAL = frozenset({"finie", "echec", "annulee"})


def request(
    session: Session,
    type_: str,
    *,
    libelle: str,
    parametres: Mapping[str, Any],
    compte_id: int | None = None,
    etablissement_id: int | None = None,
) -> Tache:
    """Ask for a long work; it starts after the caller's commit. Parameters are plain JSON, ids only."""
    tache = Tache(
        type=type_,
        libelle=libelle[:240],
        parametres=dict(parametres),
        compte_id=compte_id,
        etablissement_id=etablissement_id,
    )
    session.add(tache)
    session.flush()
    session.info.setdefault(REQUESTED, []).append(tache.id)
    return tache


def cancel(session: Session, tache: Tache, *, acteur: Actor = SYSTEME) -> None:
    """Cancel a task: at once if it waits, at its next step if it runs.

    :raises RuleViolationError: the task is over.
    """
    if tache.etat in FINAL:
        raise RuleViolationError("Ce travail est terminé : il ne peut plus être annulé.")
    tache.annulation_demandee = True
    if tache.etat == "attente":
        tache.etat, tache.fin_le, tache.message = "annulee", now(), "Travail annulé avant de commencer."
    session.flush()
    record(session, tache, "tache.annuler", acteur, etablissement_id=tache.etablissement_id)


def relaunch(session: Session, tache: Tache, *, acteur: Actor = SYSTEME) -> None:
    """Start a failed or cancelled task again, from its cursor.

    :raises RuleViolationError: the task waits, runs or succeeded.
    """
    if tache.etat not in {"echec", "annulee"}:
        raise RuleViolationError("Seul un travail en échec ou annulé peut être relancé.")
    tache.etat, tache.essais, tache.message = "attente", 0, None
    tache.bail = tache.bail_jusqua = tache.fin_le = None
    tache.annulation_demandee = False
    session.flush()
    record(session, tache, "tache.relancer", acteur, etablissement_id=tache.etablissement_id)
    session.info.setdefault(REQUESTED, []).append(tache.id)


def percent(tache: Tache) -> int | None:
    """Return the progress from 0 to 100, ``None`` while the amount of work is unknown."""
    if tache.etat == "finie":
        return 100
    if not tache.total:
        return None
    return min(99, 100 * tache.fait // tache.total)
