"""Plans kept from one page to the next, by connections that tell a read from a write."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from app import plans

READ = text("SELECT count(*) FROM matiere WHERE code = :code")
WRITE = text("INSERT INTO matiere (code, libelle) VALUES ('PLANS', '?')")


@pytest.fixture
def engine(session):
    """An engine of its own on the base of the test, whose connections keep their plans."""
    address = session.get_bind().url
    plans.keep_plans()
    found = create_engine(address)
    yield found
    found.dispose()
    event.remove(Engine, "do_connect", plans._connect)


def kept(connection) -> int:
    count = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM matiere%'")
    return connection.execute(count).scalar_one()


def test_a_plan_outlives_the_pages_that_only_read(engine):
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            return  # nothing is planned by a server
        for _ in range(plans.REPEATED + 2):
            assert connection.execute(READ, {"code": "PLANS"}).scalar_one() == 0
            connection.rollback()
        assert kept(connection) == 1


def test_what_was_written_and_not_committed_is_undone(engine):
    with engine.connect() as connection:
        connection.execute(WRITE)
        connection.rollback()
        assert connection.execute(READ, {"code": "PLANS"}).scalar_one() == 0


def test_a_statement_refused_does_not_keep_what_went_before(engine):
    with engine.connect() as connection:
        connection.execute(WRITE)
        with pytest.raises(Exception, match="nulle_part"):
            connection.execute(text("SELECT * FROM nulle_part"))
        connection.rollback()
        assert connection.execute(READ, {"code": "PLANS"}).scalar_one() == 0


def test_only_what_a_server_plans_is_concerned(engine):
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        postgresql = connection.dialect.name == "postgresql"
        assert isinstance(driver, plans.Durable if postgresql else object)
        assert isinstance(driver, psycopg.Connection) is postgresql


def test_what_a_savepoint_wrote_is_undone_too(engine):
    with engine.connect() as connection:
        with connection.begin_nested():
            connection.execute(WRITE)
        inner = connection.begin_nested()
        connection.execute(READ, {"code": "PLANS"})
        inner.rollback()
        connection.rollback()
        assert connection.execute(READ, {"code": "PLANS"}).scalar_one() == 0
