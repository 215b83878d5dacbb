"""How the engine behaves on SQLite and PostgreSQL, and bulk writing on both.

SQLite: WAL, foreign keys on, and ``BEGIN IMMEDIATE`` unless the unit of work was declared
read-only: a deferred read that turns into a write loses under concurrency (ATTACKS, facts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, Table, event, select, text
from sqlalchemy.orm import Session

_read_only: ContextVar[bool] = ContextVar("read_only", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Declare the block read-only: on SQLite its transactions do not take the write lock."""
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


def set_read_only(value: bool) -> None:
    """Declare the current request read-only (or not any more)."""
    _read_only.set(value)


@event.listens_for(Engine, "connect")
def _configure_sqlite(dbapi_connection: Any, _record: Any) -> None:
    if "sqlite3" not in type(dbapi_connection).__module__:
        return
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.execute("PRAGMA cache_size=-65536")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if _read_only.get() else "BEGIN IMMEDIATE")


def configure(app: Flask) -> None:
    """Complete the configuration of the engine for its dialect."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    options = app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {})
    if uri.startswith("sqlite"):
        options.setdefault("connect_args", {"timeout": 15})
        app.extensions["reglages"].dossier.mkdir(parents=True, exist_ok=True)
    else:
        options.setdefault("pool_pre_ping", True)


def allocate_ids(session: Session, table: Table, count: int) -> range:
    """Reserve ``count`` consecutive primary keys of ``table`` for a bulk insert.

    On SQLite the caller holds the write lock; on PostgreSQL the sequence is moved under an
    advisory lock, so two workers never share a range.
    """
    if count <= 0:
        return range(0)
    column = next(iter(table.primary_key.columns))
    if session.get_bind().dialect.name == "sqlite":
        start = (session.execute(select(column).order_by(column.desc()).limit(1)).scalar() or 0) + 1
        return range(start, start + count)
    sequence = f"{table.name}_{column.name}_seq"
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": sequence})
    last = session.execute(
        text("SELECT setval(CAST(:name AS regclass), nextval(CAST(:name AS regclass)) + :more)"),
        {"name": sequence, "more": count - 1},
    ).scalar_one()
    return range(last - count + 1, last + 1)


def bulk_insert(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows (tuples in the order of ``columns``): COPY on PostgreSQL, executemany on SQLite.

    Values are already what the driver takes: no type processing, no column default.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{name}"' for name in columns)
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)
