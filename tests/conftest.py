"""Fixtures shared by every test: an application on a fresh database of each engine.

The schema is migrated once per engine and per process, then copied: a file copy on SQLite,
``CREATE DATABASE … TEMPLATE`` on PostgreSQL.
"""

from __future__ import annotations

import gc
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
from app.operations.catalogue import charger
from app.security.perimetres import TOUT, perimetre
from tests.support.applications import Lender, build, close
from tests.support.courrier import Mailbox, serving
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


def pytest_collection_finish() -> None:
    """Keep the collector away from what lives as long as the process: it is a sixth of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


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


@pytest.fixture(scope="session")
def lender() -> Iterator[Lender]:
    """The applications of this process; see ``tests/support/applications.py``."""
    applications = Lender()
    yield applications
    applications.close()


@pytest.fixture(scope="session")
def dossiers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The data folder of each engine: its path stays, so that an application may; its content never does."""
    return {engine: tmp_path_factory.mktemp(engine) for engine in ("sqlite", "postgresql")}


@pytest.fixture
def own_application(request: pytest.FixtureRequest) -> bool:
    """Whether the test said that it changes the schema or the application."""
    return any(map(request.node.get_closest_marker, ("schema", "application")))


@pytest.fixture
def reglages(
    engine_name: str,
    dossiers: dict[str, Path],
    tmp_path: Path,
    own_application: bool,
    request: pytest.FixtureRequest,
) -> Iterator[dict[str, Any]]:
    """Settings of one test: an empty folder and an empty, migrated database."""
    folder = tmp_path if own_application else dossiers[engine_name]
    if not own_application:
        shutil.rmtree(folder)
        folder.mkdir()
    if engine_name == "sqlite":
        shutil.copy(request.getfixturevalue("template_sqlite"), folder / "preau.db")
        yield {"demo": True, "dossier": folder}
        return
    if request.node.get_closest_marker("schema"):
        name = f"preau_{uuid.uuid4().hex[:12]}"
        run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{request.getfixturevalue("template_postgresql")}"')
        yield {"demo": True, "dossier": folder, "base": uri_of(name)}
        run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        return
    empty = request.getfixturevalue("empty_postgresql")
    name = request.getfixturevalue("database_postgresql")
    yield {"demo": True, "dossier": folder, "base": uri_of(name)}
    empty()


@pytest.fixture
def added_views() -> tuple[type, ...]:
    """Views a folder of tests adds to the application."""
    return ()


@pytest.fixture
def app(
    reglages: dict[str, Any], lender: Lender, added_views: tuple[type, ...], own_application: bool
) -> Iterator[Flask]:
    """The application on an empty database, CSRF on as in production."""
    if own_application:
        application = build(reglages, added_views)
        yield application
        close(application)
        return
    with lender.lend(reglages, added_views, connected="base" in reglages) as application:
        yield application


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


@pytest.fixture
def catalogue(session: Session) -> None:
    """The catalogue of services that comes with Préau, committed."""
    charger(session)
    session.commit()


@pytest.fixture
def mailbox(app: Flask) -> Iterator[Mailbox]:
    """A real SMTP server, and the application set to use it."""
    with serving(app) as box:
        yield box
