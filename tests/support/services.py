"""Which services this machine has: PostgreSQL, Redis, a browser."""

from __future__ import annotations

import functools
import os
import shutil
import socket

import psycopg
from sqlalchemy.engine import URL, make_url

POSTGRESQL: URL = make_url(
    os.environ.get("PREAU_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
)
REDIS_PORT = int(os.environ.get("PREAU_TEST_REDIS_PORT", "6379"))


def psql(statement: str) -> None:
    """Run one statement outside any transaction on the maintenance database."""
    with psycopg.connect(
        host=POSTGRESQL.host,
        port=POSTGRESQL.port or 5432,
        user=POSTGRESQL.username,
        password=POSTGRESQL.password,
        dbname=POSTGRESQL.database,
        autocommit=True,
    ) as connection:
        connection.execute(statement.encode())


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
