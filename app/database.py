"""How the engine behaves on SQLite and PostgreSQL, and bulk writing on both.

SQLite: WAL, foreign keys on, and ``BEGIN IMMEDIATE`` unless the unit of work was declared
read-only: a deferred read that turns into a write loses under concurrency (ATTACKS, facts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from flask import Flask
from sqlalchemy import Connection, Engine, Row, Table, TextClause, bindparam, event, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import NULLTYPE

_derived: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()
ACTIVE = 1
"""``psycopg.pq.TransactionStatus.ACTIVE``: SQLite alone does not load psycopg."""
MOST_DERIVED = 64
"""Forms of one statement that are kept: its pages, its limits for the people at work at one time."""
_read_only: ContextVar[bool] = ContextVar("read_only", default=False)


def derived(statement: Any, key: Any, make: Callable[[], Any]) -> Any:
    """Return what ``make`` works out of a statement, worked out once for each key while both are kept.

    A statement made once and run with parameters costs neither its making nor its limits again.
    """
    known = _derived.setdefault(statement, {})
    found = known.get(key)
    if found is None:  # read once: another thread may forget them all at any moment
        if len(known) >= MOST_DERIVED:
            known.clear()
        found = known[key] = make()
    return found


@contextmanager
def reading() -> Iterator[None]:
    """Declare the block read-only: on SQLite its transactions do not take the write lock."""
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Undo, for the block, that the current unit of work was declared read-only."""
    token = _read_only.set(False)
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
    cursor.execute("PRAGMA wal_autocheckpoint=32000")  # a feed writes the same pages school after school
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
        # a statement prepared while a table was empty would read it whole ever after
        options.setdefault("connect_args", {"prepare_threshold": None})


def allocate_ids(session: Session, table: Table, count: int) -> Sequence[int]:
    """Reserve ``count`` primary keys of ``table``, ascending, for a bulk insert.

    On SQLite the caller holds the write lock; on PostgreSQL the sequence gives each once.
    """
    if count <= 0:
        return ()
    column = next(iter(table.primary_key.columns))
    if session.get_bind().dialect.name == "sqlite":
        start = (session.execute(select(column).order_by(column.desc()).limit(1)).scalar() or 0) + 1
        if table.dialect_options["sqlite"]["autoincrement"]:  # an id that was given is not given again
            given_last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            last = session.execute(given_last, {"name": table.name}).scalar() or 0
            start = max(start, last + 1)
        return range(start, start + count)
    given: list[int] = session.execute(
        text("SELECT array_agg(nextval(CAST(:name AS regclass))) FROM generate_series(1, :count)"),
        {"name": f"{table.name}_{column.name}_seq", "count": count},
    ).scalar_one()
    return given


def allocate_many(session: Session, counts: Sequence[tuple[Table, int]]) -> list[Sequence[int]]:
    """Reserve primary keys of several tables, as ``allocate_ids`` does of one, in one statement."""
    if session.get_bind().dialect.name == "sqlite":
        return [allocate_ids(session, table, count) for table, count in counts]
    lists = ", ".join(
        f"(SELECT array_agg(nextval('{table.name}_{next(iter(table.primary_key.columns)).name}_seq'))"
        f" FROM generate_series(1, {int(count)}))"
        for table, count in counts
    )
    return [ids or () for ids in session.execute(text(f"SELECT {lists}")).one()]


def bulk_insert(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows (tuples in the order of ``columns``): COPY on PostgreSQL, executemany on SQLite.

    Values are already what the driver takes: no type processing, no column default.
    """
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{name}"' for name in columns)
        with driver.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    driver.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)


_LIST = re.compile(r"\b(IN DATES|IN|LIST) :(\w+)")


@lru_cache(maxsize=512)
def _compiled(sql: str, dialect: str, integers: frozenset[str], empty: frozenset[str]) -> TextClause:
    arrays: list[str] = []

    def expand(match: re.Match[str]) -> str:
        keyword, name = match.groups()
        if dialect == "sqlite":
            return (
                f"json_each(:{name})" if keyword == "LIST" else f"IN (SELECT value FROM json_each(:{name}))"
            )
        if keyword == "IN" and name in empty:
            return "= ANY('{}')"  # of the type of what it is compared with
        arrays.append(name)
        kind = "date" if keyword == "IN DATES" else "bigint" if name in integers else "text"
        array = f"CAST(:{name} AS {kind}[])"
        return f"unnest({array}) AS listed(value)" if keyword == "LIST" else f"= ANY({array})"

    statement = text(_LIST.sub(expand, sql))
    # untyped, so that the server reads the array itself and plans with its length
    return statement.bindparams(*(bindparam(name, type_=NULLTYPE) for name in set(arrays)))


def rows_of(session: Session, sql: str, **values: Any) -> Sequence[Row[Any]]:
    """Run a bulk read or write outside the ORM and return its rows (none for a write).

    ``x IN :names`` takes a list of any length as one parameter (``IN DATES`` of ISO dates), and
    ``FROM LIST :names`` reads it as rows of one column ``value``. A column written ``column || ''``
    is left out of the choice of an index: without statistics SQLite takes the longest key, even
    one that reads half a table. Values come as the driver gives them: on SQLite dates are ISO
    strings and booleans integers. Jobs and operations that own their perimeter use it; pages
    never do, for the perimeter wall does not see it.
    """
    connection = session.connection()
    dialect = connection.dialect.name
    if dialect == "postgresql":
        driver: Any = connection.connection.driver_connection
        if driver.pgconn.transaction_status == ACTIVE:  # it would wait for itself
            raise RuntimeError("What is done while a statement runs asks the base nothing.")
    integers, empty = set(), set()
    for name, value in values.items():
        if isinstance(value, list):
            if value and isinstance(value[0], int):
                integers.add(name)
            if not value:
                empty.add(name)
            values[name] = orjson.dumps(value).decode() if dialect == "sqlite" else array_literal(value)
    result = connection.execute(_compiled(sql, dialect, frozenset(integers), frozenset(empty)), values)
    return result.all() if result.returns_rows else ()


def bulk_update(
    session: Session, table: Table, key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Update rows by primary key; each row holds the values of ``columns`` and then the key's.

    One prepared statement on SQLite; one UPDATE joined to arrays on PostgreSQL.
    """
    if not rows:
        return
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        assignments = ", ".join(f'"{name}"=?' for name in columns)
        driver.executemany(f'UPDATE "{table.name}" SET {assignments} WHERE "{key}"=?', rows)
        return
    names = [*columns, key]
    types = [_cast_type(table.c[name].type.compile(connection.dialect)) for name in names]
    arrays = ", ".join(f"CAST(%s AS {kind}[])" for kind in types)
    alias = ", ".join(f"c{index}" for index in range(len(names)))
    assignments = ", ".join(f'"{name}" = v.c{index}' for index, name in enumerate(columns))
    driver.execute(
        f'UPDATE "{table.name}" AS t SET {assignments} FROM unnest({arrays}) AS v({alias})'
        f' WHERE t."{key}" = v.c{len(columns)}',
        [array_literal(column) for column in zip(*rows, strict=True)],
    )


def _cast_type(written: str) -> str:
    """Return a column's type as CAST takes it: a collation belongs to the column, not to the value."""
    return written.partition(" COLLATE ")[0]


_QUOTED = str.maketrans({'"': r"\"", "\\": r"\\"})


def array_literal(values: Sequence[Any]) -> str:
    """Write an array as PostgreSQL reads it; the driver's own way costs ten times more."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + (value.translate(_QUOTED) if '"' in value or "\\" in value else value) + '"'
    if isinstance(value, bytes):
        return '"\\\\x' + value.hex() + '"'
    return str(value)


def refresh_statistics(session: Session, tables: Sequence[Table], *, soon: bool = False) -> None:
    """Analyse the tables that at least doubled (the large ones, quadrupled) since they last were.

    ``soon``: those that grew by a quarter. A bulk load outruns autovacuum: until a table is analysed
    the planner of PostgreSQL takes a thousand keys for the whole of it, and reads it from end to end
    for each batch. SQLite plans without statistics. The caller commits.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    grown = session.execute(
        text(
            "SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class c"
            " WHERE c.oid = ANY(SELECT CAST(value AS regclass) FROM unnest(CAST(:names AS text[])) value)"
            " AND pg_relation_size(c.oid) >= current_setting('block_size')::int * greatest(c.relpages, 4)"
            " * CASE WHEN :soon THEN 1.25 WHEN c.relpages > 1000 THEN 4 ELSE 2 END"
        ),
        {"names": [table.name for table in tables], "soon": soon},
    ).scalar()
    if grown:
        session.execute(text(f"ANALYZE (SKIP_LOCKED) {grown}"))


def plan_by_keys(session: Session) -> None:
    """Let the rest of the transaction reach its rows by their keys, as bulk work does.

    A thousand keys of a large table cost PostgreSQL a reading of the whole table in its own
    reckoning, which takes a page for as far away as a disk's; a statement of a moment gains nothing
    from being compiled or shared out either.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text(
                "SELECT set_config('random_page_cost', '1.1', true), set_config('jit', 'off', true),"
                " set_config('max_parallel_workers_per_gather', '0', true)"
            )
        )


def commit_without_waiting(session: Session) -> None:
    """Let this transaction's commit return before the disk has it: a server that dies may forget it whole.

    For what is read again from its files when it is lost; SQLite, in WAL, never waits.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL synchronous_commit = off"))


def instant(session: Session, value: datetime) -> str:
    """Return an instant as bulk writes take it: the text the engine's own rows hold."""
    stamp = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return stamp if session.get_bind().dialect.name == "sqlite" else stamp + "+00"


def lock(session: Session, name: str) -> None:
    """Serialise the rest of the transaction with every other that takes the same name."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


def lock_each(session: Session, names: Sequence[str]) -> None:
    """Take several locks, in the order given: everybody who takes many takes them in one order."""
    if names and session.get_bind().dialect.name == "postgresql":
        rows_of(
            session,
            "SELECT pg_advisory_xact_lock(hashtext(value)) FROM LIST :names",
            names=list(names),
        )
