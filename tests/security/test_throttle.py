"""Guessing is slowed down, and never locks the owner out (L1); nothing tells a login exists (L3)."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.extensions import now
from app.models import EssaiConnexion, Journal
from app.security.throttle import address_prefix
from tests.security.conftest import compte, connecte, entrer, refus


def depuis(app, address):
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


@pytest.fixture
def claire(session, cast):
    row = compte(session, "claire.montagne")
    session.commit()
    return row


class TestProprietaire:
    def test_eleven_wrong_passwords_from_eleven_addresses(self, app, claire, session):
        home = depuis(app, "192.0.2.7")
        assert entrer(home, "claire.montagne").status_code == 302
        home.delete_cookie("preau")
        codes, waits = [], []
        for n in range(11):
            answer = entrer(depuis(app, f"203.0.{n}.9"), "claire.montagne", "deviné")
            codes.append(answer.status_code)
            waits.append(int(answer.headers.get("Retry-After", 0)))
        assert codes[:3] == [200, 200, 200]
        assert 429 in codes
        assert codes[-1] == 429
        assert entrer(depuis(app, "198.51.100.1"), "claire.montagne").status_code == 429
        assert entrer(home, "claire.montagne").status_code == 302
        assert connecte(home)
        failures = select(func.count()).where(Journal.acte == "connexion.refuser")
        assert session.scalar(failures) == codes.count(200)

    def test_the_delay_grows_and_says_how_long(self, app, claire):
        client, waits = depuis(app, "203.0.113.5"), []
        with time_machine.travel("2026-11-21T08:00:00+00:00", tick=False) as clock:
            for _ in range(40):
                answer = entrer(client, "claire.montagne", "deviné")
                if answer.status_code == 429:
                    waits.append(int(answer.headers["Retry-After"]))
                    assert "Trop d’essais" in refus(answer)
                    clock.shift(waits[-1])
                if len(waits) == 6:
                    break
        assert waits == [1, 2, 4, 8, 16, 32]

    def test_a_forged_or_stolen_device_cookie_is_no_way_in(self, app, claire):
        client = depuis(app, "203.0.113.5")
        client.set_cookie("appareil", '["x",["y"]].abcdef', path="/connexion")
        codes = [entrer(client, "claire.montagne", "deviné").status_code for _ in range(6)]
        assert codes[-1] == 429

    def test_a_device_known_to_one_login_is_a_stranger_to_another(self, app, claire, session):
        compte(session, "paul.durand")
        session.commit()
        client = depuis(app, "203.0.113.5")
        entrer(client, "paul.durand")
        client.delete_cookie("preau")
        codes = [entrer(client, "claire.montagne", "deviné").status_code for _ in range(6)]
        assert codes[-1] == 429


class TestArrosage:
    def test_one_network_trying_many_logins_is_slowed(self, app, session, cast):
        for n in range(30):  # thirty failures already counted for the network
            session.add(EssaiConnexion(cle=f"x{n}", echecs=1))
        prefix = address_prefix("203.0.113.5")
        session.add(EssaiConnexion(cle=f"adresse:{prefix}", echecs=30, modifie_le=now(), prochain_le=now()))
        session.commit()
        first = entrer(depuis(app, "203.0.113.5"), "un.premier", "x")
        second = entrer(depuis(app, "203.0.113.77"), "un.second", "x")
        elsewhere = entrer(depuis(app, "198.51.100.5"), "un.troisieme", "x")
        assert [a.status_code for a in (first, second, elsewhere)] == [200, 429, 200]

    @pytest.mark.parametrize(
        ("address", "prefix"),
        [
            ("203.0.113.5", "203.0.113.0/24"),
            ("::ffff:203.0.113.5", "203.0.113.0/24"),
            ("2001:db8:1:2ff::9", "2001:db8:1:200::/56"),
            ("", "inconnue"),
            (None, "inconnue"),
        ],
    )
    def test_what_one_attacker_commands(self, address, prefix):
        assert address_prefix(address) == prefix


class TestTemps:
    def test_unknown_known_disabled_and_a_megabyte_take_the_same_time(self, app, session, cast):
        compte(session, "est.la")
        compte(session, "est.desactive").active = False
        session.commit()
        cases = {
            "unknown": ("personne.inconnue", "faux"),
            "wrong": ("est.la", "faux"),
            "disabled": ("est.desactive", "faux"),
            "megabyte": ("est.la", "x" * 1_000_000),
        }
        client, times = depuis(app, "192.0.2.1"), {name: [] for name in cases}
        with time_machine.travel("2026-11-21T08:00:00+00:00", tick=False) as clock:
            for _ in range(12):
                for name, (login, password) in cases.items():
                    clock.shift(timedelta(hours=25))
                    data = {"identifiant": login, "mdp": password}
                    with app.test_request_context("/connexion", method="POST", data=data):
                        begin = time.process_time()
                        answer = app.view_functions["ConnexionView.login"]()
                        times[name].append(time.process_time() - begin)
                        assert answer.status_code == 200
        assert client is not None
        medians = {name: statistics.median(values) for name, values in times.items()}
        assert max(medians.values()) < min(medians.values()) * 1.35, medians
