"""What health and metrics tell: how much waits, for how long, and the workers' last sign of life.

Read on a bare connection, outside any perimeter: figures only, nothing of anybody.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from app.extensions import now
from app.models import Battement, Courriel, Tache


def figures(connection: Connection) -> dict[str, Any]:
    """Return tasks and mails by state, the age of the oldest one due, and of the last heartbeat."""
    taches, courriels, battements = (model.__table__ for model in (Tache, Courriel, Battement))
    oldest = [
        connection.execute(
            select(func.min(table.c[column])).where(table.c.etat == "attente", table.c[column] <= now())
        ).scalar()
        for table, column in ((taches, "cree_le"), (courriels, "prochain_le"))
    ]
    ages = [_age(moment) or 0 for moment in oldest]
    return {
        "battement_age_secondes": _age(connection.execute(select(func.max(battements.c.vu_le))).scalar()),
        "attente_age_secondes": max(ages),
        "taches": _by_state(connection, taches),
        "courriels": _by_state(connection, courriels),
    }


def _by_state(connection: Connection, table: Any) -> dict[str, int]:
    rows = connection.execute(select(table.c.etat, func.count()).group_by(table.c.etat))
    return {str(state): int(count) for state, count in rows}


def _age(moment: datetime | None) -> int | None:
    return None if moment is None else max(0, int((now() - moment).total_seconds()))
