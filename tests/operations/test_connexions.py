"""The counters of failed logins: atomic, growing, capped, forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import EssaiConnexion
from app.operations.connexions import Frein, attempt, succeed, wait_text
from app.security.perimetres import TOUT

FREIN = Frein("login:essai", libres=3, plafond=timedelta(minutes=15), oubli=timedelta(hours=24))
DEPART = "2026-11-21T08:00:00+00:00"


@pytest.fixture
def engine(app):
    with app.app_context():
        return db.engine


def essayer(engine, *freins):
    with Session(engine) as own, own.begin():
        own.info["perimetre"] = TOUT
        return attempt(own, freins or (FREIN,))


class TestDelay:
    def test_it_doubles_after_the_free_ones_and_is_capped(self):
        seconds = [FREIN.delay(n).total_seconds() for n in range(1, 16)]
        assert seconds[:7] == [0, 0, 0, 1, 2, 4, 8]
        assert seconds[-1] == 900

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0.2, "1\u00a0seconde"), (8, "8\u00a0secondes"), (61, "2\u00a0minutes")]
    )
    def test_it_reads_in_french(self, seconds, text):
        assert wait_text(timedelta(seconds=seconds)) == text


class TestAttempt:
    def test_a_blocked_attempt_is_not_counted_and_time_reopens(self, engine, session):
        with time_machine.travel(DEPART, tick=False) as clock:
            assert [essayer(engine).total_seconds() for _ in range(5)] == [0, 0, 0, 0, 1]
            assert session.scalars(select(EssaiConnexion.echecs)).one() == 4
            session.rollback()
            clock.shift(1)
            assert essayer(engine) == timedelta(0)
            assert essayer(engine).total_seconds() == 2

    def test_one_blocked_key_leaves_the_others_alone(self, engine, session):
        other = Frein("adresse:x", libres=30, plafond=timedelta(minutes=5), oubli=timedelta(hours=1))
        with time_machine.travel(DEPART, tick=False):
            for _ in range(6):
                essayer(engine, FREIN, other)
            counts = dict(session.execute(select(EssaiConnexion.cle, EssaiConnexion.echecs)).all())
            assert counts == {"login:essai": 4, "adresse:x": 4}

    def test_old_failures_are_forgotten(self, engine):
        with time_machine.travel(DEPART, tick=False) as clock:
            for _ in range(5):
                essayer(engine)
            clock.shift(timedelta(hours=25))
            assert [essayer(engine).total_seconds() for _ in range(4)] == [0, 0, 0, 0]

    def test_success_forgets_the_login_and_gives_the_address_its_attempt_back(self, engine, session):
        other = Frein("adresse:x", libres=30, plafond=timedelta(minutes=5), oubli=timedelta(hours=1))
        essayer(engine, FREIN, other)
        essayer(engine, FREIN, other)
        with Session(engine) as own, own.begin():
            own.info["perimetre"] = TOUT
            succeed(own, effacer=["login:essai"], rendre=["adresse:x"])
        counts = dict(session.execute(select(EssaiConnexion.cle, EssaiConnexion.echecs)).all())
        assert counts == {"adresse:x": 1}

    def test_twenty_threads_at_once_get_no_more_tries_than_one(self, engine, session):
        barrier, results = threading.Barrier(20), []

        def one():
            barrier.wait()
            results.append(essayer(engine))

        threads = [threading.Thread(target=one) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 20
        assert sum(wait == timedelta(0) for wait in results) <= 5  # 4, or 5 if a second went by
        assert session.scalars(select(EssaiConnexion.echecs)).one() <= 5
