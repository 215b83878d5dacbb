"""What a handler holds while it does a task: parameters, progress, cursor, cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Tache

TABLE: Table = Tache.metadata.tables[Tache.__tablename__]
LEASE = timedelta(minutes=2)


class TacheAnnuleeError(Exception):
    """Somebody asked to cancel the task."""


class ArretDemandeError(Exception):
    """The worker is stopping: the task goes back to the queue with its cursor."""


class BailPerduError(Exception):
    """Another worker took the task over: this one must not write any more."""


class Contexte:
    """One run of one task. ``session`` sees everything: narrow it with ``perimetre`` if need be."""

    def __init__(
        self, session: Session, tache: Tache, bail: str, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.session = session
        self.tache_id = tache.id
        self.type = tache.type
        self.parametres: dict[str, Any] = dict(tache.parametres)
        self.compte_id = tache.compte_id
        self.etablissement_id = tache.etablissement_id
        self.cursor: dict[str, Any] | None = tache.curseur
        self.fait, self.total = tache.fait, tache.total
        self._bail = bail
        self._stopping = stopping

    def progress(
        self, fait: int | None = None, total: int | None = None, *, cursor: dict[str, Any] | None = None
    ) -> None:
        """Commit the work done so far together with the progress and the cursor.

        :raises TacheAnnuleeError: cancel was asked for; the step just committed is kept.
        :raises ArretDemandeError: the worker is stopping.
        :raises BailPerduError: another worker holds the task; the step is rolled back.
        """
        self.fait = self.fait if fait is None else fait
        self.total = self.total if total is None else total
        self.cursor = self.cursor if cursor is None else cursor
        values = {"fait": self.fait, "total": self.total, "curseur": self.cursor}
        cancelled = self._write({**values, "bail_jusqua": now() + LEASE})
        if cancelled:
            raise TacheAnnuleeError
        if self._stopping():
            raise ArretDemandeError

    def close(self, **values: Any) -> None:
        """Write how the run ended and give the lease back."""
        self._write({"bail": None, "bail_jusqua": None, **values})

    def _write(self, values: dict[str, Any]) -> bool:
        """Update the row if the lease is still ours, commit, and return whether cancel was asked for."""
        self.session.flush()
        connection = self.session.connection()
        mine = (TABLE.c.id == self.tache_id, TABLE.c.bail == self._bail)
        if not connection.execute(update(TABLE).where(*mine).values(values)).rowcount:
            self.session.rollback()
            raise BailPerduError
        cancelled = connection.execute(
            select(TABLE.c.annulation_demandee).where(TABLE.c.id == self.tache_id)
        ).scalar_one()
        self.session.commit()
        return bool(cancelled)
