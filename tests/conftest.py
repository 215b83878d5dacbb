"""Fixtures shared by every test: an application on a fresh database of each engine.

The schema is migrated once per engine and per process, then copied: a file copy on SQLite,
``CREATE DATABASE … TEMPLATE`` on PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app
from app.extensions import db
from app.security.perimetres import TOUT, perimetre
from tests.support.routes import compile_once
from tests.support.services import (
    POSTGRESQL,
    chromium_path,
    emptying,
    postgresql_available,
    redis_available,
    slapd_path,
)
from tests.support.services import psql as run_sql

compile_once()

REQUIRED = {
    "postgresql": "PREAU_EXIGER_POSTGRESQL",
    "redis": "PREAU_EXIGER_REDIS",
    "ldap": "PREAU_EXIGER_LDAP",
    "navigateur": "PREAU_EXIGER_NAVIGATEUR",
}
PRESENT: dict[str, Callable[[], bool]] = {
    "postgresql": postgresql_available,
    "redis": redis_available,
    "ldap": lambda: slapd_path() is not None,
    "navigateur": lambda: chromium_path() is not None,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, in plain words, what this machine cannot run; refuse to when it is required."""
    for service, is_present in PRESENT.items():
        marked = [item for item in items if item.get_closest_marker(service)]
        if not marked or is_present():
            continue
        if os.environ.get(REQUIRED[service]):
            raise pytest.UsageError(f"{service} est exigé ({REQUIRED[service]}) et absent.")
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"{service} absent de cette machine"))


@pytest.fixture(scope="session")
def template_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    folder = tmp_path_factory.mktemp("modele")
    upgrade(create_app(demo=True, dossier=folder))
    return folder / "preau.db"


@pytest.fixture(scope="session")
def template_postgresql() -> Iterator[str]:
    """A migrated, empty PostgreSQL database to copy."""
    name = f"preau_modele_{uuid.uuid4().hex[:12]}"
    run_sql(f'CREATE DATABASE "{name}"')
    upgrade(create_app(demo=True, base=uri_of(name)))
    yield name
    run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def database_postgresql(template_postgresql: str) -> Iterator[str]:
    """One database for this process, emptied after each test: creating one costs far more."""
    name = f"preau_{uuid.uuid4().hex[:12]}"
    run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template_postgresql}"')
    run_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    yield name
    run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def empty_postgresql(database_postgresql: str) -> Iterator[Callable[[], None]]:
    """What puts that database back as it was born."""
    with emptying(database_postgresql) as empty:
        yield empty


def uri_of(name: str) -> str:
    """Return the address of a database of the test server."""
    return POSTGRESQL.set(database=name).render_as_string(hide_password=False)


def upgrade(app: Flask) -> None:
    """Bring the application's database to the newest migration."""
    from flask_migrate import upgrade as migrate_up

    with app.app_context():
        migrate_up()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Every test that asks for ``app`` runs on both engines."""
    return str(request.param)


@pytest.fixture
def reglages(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Settings of one test: its own folder and its own copy of the migrated database."""
    if engine_name == "sqlite":
        shutil.copy(request.getfixturevalue("template_sqlite"), tmp_path / "preau.db")
        yield {"demo": True, "dossier": tmp_path}
        return
    if request.node.get_closest_marker("schema"):
        name = f"preau_{uuid.uuid4().hex[:12]}"
        run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{request.getfixturevalue("template_postgresql")}"')
        yield {"demo": True, "dossier": tmp_path, "base": uri_of(name)}
        run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        return
    empty = request.getfixturevalue("empty_postgresql")
    name = request.getfixturevalue("database_postgresql")
    yield {"demo": True, "dossier": tmp_path, "base": uri_of(name)}
    empty()


@pytest.fixture
def app(reglages: dict[str, Any]) -> Iterator[Flask]:
    """The application on a fresh database, CSRF on as in production."""
    application = create_app(**reglages)
    application.config.update(TESTING=True)
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without any cookie."""
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A database session that sees everything, for arranging and checking."""
    with app.app_context(), perimetre(db.session(), TOUT):
        yield db.session()
        db.session.rollback()
