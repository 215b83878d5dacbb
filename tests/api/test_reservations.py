"""Bookings through the API: listed, asked for somebody who may, answered, withdrawn, journalled (R6)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from app.extensions import PARIS
from app.models import Courriel, Journal, Reservation
from app.operations.catalogue import charger
from tests.support.reservations import lundi, membre, ressource


@pytest.fixture
def secret(faire_cle, cast):
    return faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_a)[1]


@pytest.fixture
def pret(session, cast):
    charger(session)
    item = ressource(session, cast.ecole_a, "Salle info")
    who = membre(session, cast.ecole_a, "DUPONT")
    session.commit()
    return item, who.personne


def instant(hour, **more):
    return (datetime.combine(lundi(), time(hour), PARIS) + timedelta(**more)).isoformat()


@pytest.fixture
def demande(pret):
    item, who = pret
    ids = {"ressource_id": item.id, "personne_id": who.id}
    return {**ids, "debut": instant(10), "fin": instant(11), "motif": "Exposés", "cle": "k1"}


BASE = "/etablissements/0190001A"


class TestLire:
    def test_what_is_lent_and_who_has_it(self, secret, appeler, demande):
        assert [one["nom"] for one in appeler(secret, f"{BASE}/ressources/").get_json()["elements"]] == [
            "Salle info"
        ]
        assert appeler(secret, f"{BASE}/reservations/", "POST", json=demande).status_code == 200
        rows = appeler(secret, f"{BASE}/reservations/?etat=demandee&du={lundi()}").get_json()["elements"]
        assert [(row["ressource"], row["motif"]) for row in rows] == [("Salle info", "Exposés")]
        assert appeler(secret, f"{BASE}/reservations/?etat=refusee").get_json()["elements"] == []

    def test_another_school_does_not_exist(self, secret, appeler, demande, session, cast):
        there = ressource(session, cast.ecole_b, "Leur salle")
        session.commit()
        other = "/etablissements/0180001B"
        for path in (f"{other}/ressources/", f"{other}/reservations/"):
            assert appeler(secret, path).status_code == 404
        assert appeler(secret, f"{other}/reservations/", "POST", json=demande).status_code == 404
        sent = {**demande, "ressource_id": there.id}
        assert appeler(secret, f"{BASE}/reservations/", "POST", json=sent).status_code == 404


class TestDemander:
    def test_the_same_key_twice_is_one_booking(self, secret, appeler, demande, session):
        first, again = (
            appeler(secret, f"{BASE}/reservations/", "POST", json=demande).get_json() for _ in "12"
        )
        assert first["id"] == again["id"]
        assert session.scalar(select(func.count(Reservation.id))) == 1
        line = session.scalars(select(Journal).where(Journal.acte == "reservation.demander")).one()
        assert "Clé d’API Essai" in line.acteur

    def test_taken_is_refused_with_who_has_it(self, secret, appeler, demande):
        appeler(secret, f"{BASE}/reservations/", "POST", json=demande)
        answer = appeler(secret, f"{BASE}/reservations/", "POST", json={**demande, "cle": "k2"})
        assert answer.status_code == 422
        assert answer.get_json()["erreur"] == "Déjà réservé de 10:00 à 11:00 par Mme Dupont."

    @pytest.mark.parametrize(
        "wrong",
        [
            {"debut": "demain"},
            {"debut": "0001-01-01T00:00:00+01:00"},
            {"fin": "9999-12-31T23:59:59-12:00"},
            {"nombre": 0},
            {"nombre": 10**30},
            {"personne_id": 10**30},
            {"ressource_id": "1"},
            {"motif": "x" * 201},
            {"inconnu": 1},
            {"cle": "\ud800"},
            {"cle": "\0"},
        ],
    )
    def test_what_cannot_be_is_refused(self, secret, appeler, demande, session, wrong):
        answer = appeler(secret, f"{BASE}/reservations/", "POST", json={**demande, **wrong})
        assert answer.status_code in {404, 422}
        assert session.scalar(select(func.count(Reservation.id))) == 0

    def test_only_for_somebody_who_may_book_there(self, secret, appeler, demande, cast):
        for stranger in (cast.eleve_a, cast.parent_b, 987_654):
            answer = appeler(
                secret, f"{BASE}/reservations/", "POST", json={**demande, "personne_id": stranger}
            )
            assert (answer.status_code, answer.get_json()["champ"]) == (422, "personne_id")

    def test_a_key_that_only_reads_asks_nothing(self, faire_cle, appeler, demande, cast):
        reader = faire_cle("correspondant", etablissement_id=cast.ecole_a)[1]
        assert appeler(reader, f"{BASE}/reservations/", "POST", json=demande).status_code == 403


class TestDeciderEtAnnuler:
    def test_refused_needs_a_reason_then_its_author_is_written_to(self, secret, appeler, demande, session):
        pk = appeler(secret, f"{BASE}/reservations/", "POST", json=demande).get_json()["id"]
        path = f"{BASE}/reservations/{pk}/decision"
        assert appeler(secret, path, "PUT", json={"accepter": False}).status_code == 422
        assert appeler(secret, path, "PUT", json={"accepter": "oui"}).status_code == 422
        said = appeler(secret, path, "PUT", json={"accepter": False, "reponse": "Travaux"}).get_json()
        assert (said["etat"], said["reponse"]) == ("refusee", "Travaux")
        assert "Travaux" in session.scalars(select(Courriel)).one().texte
        session.rollback()
        assert appeler(secret, path, "PUT", json={"accepter": True}).status_code == 422

    def test_withdrawn_once(self, secret, appeler, demande):
        pk = appeler(secret, f"{BASE}/reservations/", "POST", json=demande).get_json()["id"]
        path = f"{BASE}/reservations/{pk}/annulation"
        assert appeler(secret, path, "PUT", json={"motif": "Panne"}).get_json()["etat"] == "annulee"
        assert appeler(secret, path, "PUT", json={"motif": "Panne"}).status_code == 422
        assert (
            appeler(secret, f"{BASE}/reservations/987654/annulation", "PUT", json={"motif": "x"}).status_code
            == 404
        )
