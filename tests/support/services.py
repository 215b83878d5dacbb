"""Which services this machine has: PostgreSQL, Redis, an LDAP server, a browser."""

from __future__ import annotations

import functools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import URL, make_url

POSTGRESQL: URL = make_url(
    os.environ.get("PREAU_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
)
REDIS_PORT = int(os.environ.get("PREAU_TEST_REDIS_PORT", "6379"))


def psql(statement: str) -> None:
    """Run one statement outside any transaction on the maintenance database."""
    with _connect(POSTGRESQL.database) as connection:
        connection.execute(statement.encode())


def _connect(database: str | None) -> psycopg.Connection[tuple[str]]:
    return psycopg.connect(
        host=POSTGRESQL.host,
        port=POSTGRESQL.port or 5432,
        user=POSTGRESQL.username,
        password=POSTGRESQL.password,
        dbname=database,
        autocommit=True,
    )


@contextmanager
def emptying(name: str) -> Iterator[Callable[[], None]]:
    """Yield what empties a database; its one connection knows the tables already, ten times faster."""
    with _connect(name) as connection:
        yield functools.partial(_empty, connection)


def _empty(connection: psycopg.Connection[tuple[str]]) -> None:
    """Put a test database back as its migrations left it: no row, sequences at their start.

    Whoever still holds a transaction is cut; connections that wait serve the next test.
    Deleting is much faster than truncating here: a few rows, no new file, no wait for the disk.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'"
    )
    connection.execute("SET session_replication_role = replica")
    tables = connection.execute(
        "SELECT quote_ident(tablename) FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchall()
    filled = connection.execute(
        " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for (table,) in tables
        ).encode()
    ).fetchall()
    for (table,) in filled:
        connection.execute(f"DELETE FROM {table}".encode())
    connection.execute(
        "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
        " FROM pg_sequences WHERE last_value IS NOT NULL"
    )


@functools.cache
def postgresql_available() -> bool:
    """Tell whether the test server answers."""
    try:
        psql("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@functools.cache
def redis_available() -> bool:
    """Tell whether a Redis answers on the loopback."""
    try:
        with socket.create_connection(("127.0.0.1", REDIS_PORT), timeout=2):
            return True
    except OSError:
        return False


def chromium_path() -> str | None:
    """Return the browser the tests drive, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def slapd_path() -> str | None:
    """Return the LDAP server the tests start, if any; Debian keeps it out of users' paths."""
    return shutil.which("slapd") or shutil.which(
        "slapd", path="/usr/sbin:/usr/lib/openldap:/usr/local/libexec"
    )
