"""Background work: thin wrappers that call operations and commit.

A task is a row (``Tache``); the queue only carries its id, put there after the commit of the act
that asked for it. A handler is a function registered by type::

    @handler("alimentation.lire")
    def lire(context: Contexte) -> dict[str, Any]: ...

The worker process (``app.jobs.worker``) runs the tasks, sends the mail and looks after leases.
"""

from __future__ import annotations

from flask import current_app, has_app_context
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.jobs.context import Contexte
from app.jobs.registry import handler
from app.operations.taches import REQUESTED

__all__ = ["Contexte", "handler"]


@event.listens_for(Session, "after_commit")
def _enqueue_requested(session: Session) -> None:
    """Put the tasks asked for by the committed act in the queue."""
    if session.in_nested_transaction():
        return
    ids = session.info.pop(REQUESTED, ())
    if ids and has_app_context():
        from app.jobs.queue import enqueue

        enqueue(current_app, ids)


@event.listens_for(Session, "after_rollback")
def _forget_requested(session: Session) -> None:
    session.info.pop(REQUESTED, None)
