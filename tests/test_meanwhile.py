"""Work done while the server answers: it fills the wait, and never harms the statement."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.database import rows_of
from app.meanwhile import meanwhile

LONG = text("SELECT count(*) FROM generate_series(1, 300000)")


def driver(session):
    return session.connection().connection.driver_connection


@pytest.mark.postgresql
class TestMeanwhile:
    @pytest.fixture
    def engine_name(self):
        return "postgresql"

    def test_the_wait_is_filled_until_the_answer_comes_or_nothing_is_left(self, session):
        left = list(range(5))

        def work():
            if left:
                left.pop()
            return bool(left)

        with meanwhile(session, work):
            assert session.execute(LONG).scalar_one() == 300_000
        assert left == []

    def test_what_stops_the_work_is_said_and_the_statement_still_ends(self, session):
        def broken():
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), meanwhile(session, broken):
            session.execute(LONG)
        assert session.execute(text("SELECT 1")).scalar_one() == 1

    def test_work_that_asks_the_base_is_refused_rather_than_waiting_for_itself(self, session):
        with (
            pytest.raises(RuntimeError, match="asks the base nothing"),
            meanwhile(session, lambda: bool(rows_of(session, "SELECT 1"))),
        ):
            session.execute(LONG)
        assert session.execute(text("SELECT 1")).scalar_one() == 1

    def test_the_connection_waits_as_before_after_the_block(self, session):
        with meanwhile(session, lambda: False):
            assert "wait" in vars(driver(session))
        assert "wait" not in vars(driver(session))


def test_sqlite_works_for_itself(app, session):
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("said of SQLite")
    with meanwhile(session, lambda: pytest.fail("nothing waits")):
        assert session.execute(text("SELECT 1")).scalar_one() == 1
