"""Plans of statements kept from one page to the next, on PostgreSQL.

Most of what a page costs the server is planning again statements that are always read the same way.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect, Engine, event

REPEATED = 3
"""Times a connection runs a statement before it keeps its plan."""


class Durable(psycopg.Connection[Any]):
    """A connection whose plans outlive a transaction that only read: the driver drops them at each ROLLBACK.

    Whether something was written, the server says itself: it numbers a transaction when it writes.
    """

    def rollback(self) -> None:
        """Leave the transaction; one that wrote nothing ends the same either way, and so is committed."""
        if self.info.transaction_status == TransactionStatus.INTRANS and not self._writes():
            self.commit()
        else:
            super().rollback()

    def _writes(self) -> bool:
        row = self.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()
        return row is None or bool(row[0])


def keep_plans() -> None:
    """Let the connections this process opens from now on keep the plans of the statements they repeat.

    For processes that answer pages. A feed fills tables whose plans must change meanwhile; the plans kept
    here are made again when a table is analysed, as feeds do once it has grown.
    """
    if not event.contains(Engine, "do_connect", _connect):
        event.listen(Engine, "do_connect", _connect)


def _connect(dialect: Dialect, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    if dialect.driver != "psycopg":
        return None  # SQLAlchemy connects as it would
    return Durable.connect(*arguments, **{**options, "prepare_threshold": REPEATED})
