"""The files of one school name people by numbers anybody can guess: nothing of others comes out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import Ecart
from tests.operations.alimentation.support import (
    A,
    B,
    alimenter,
    apercu,
    appliquer,
    codes,
    ecole,
    eleve,
    entete,
    personne,
    places,
    responsable,
)

INE = "0123456789A"
SIECLE_A = {"source": "siecle", "espace": f"siecle:{A}", "uai": A}
VRAI = ("MARTIN", "Léa", "2012-03-04")


@pytest.fixture
def ailleurs(session):
    """A pupil of school B, with a family, whose numbers somebody of A types in a file."""
    record = eleve("1", *VRAI, B, ine=INE, eleve_id="42", adresse="7 rue Cachée", responsables={"P1": 1})
    alimenter(
        session, [ecole(A), ecole(B), record, responsable("P1", "MARTIN", "Jeanne", adresse="7 rue Cachée")]
    )
    return personne(session, "MARTIN", "Léa")


class TestGuessedNumbers:
    @pytest.mark.parametrize(
        "guess",
        [
            ("X", "Y", "2000-01-01"),
            ("X", "Y", VRAI[2]),
            (VRAI[0], VRAI[1], "2000-01-01"),
        ],
    )
    def test_show_nothing_and_take_nobody(self, session, ailleurs, guess):
        forged = eleve("S1", *guess, A, ine=INE, eleve_id="42", adresse="1 rue Neuve")
        feed = apercu(session, [ecole(A), forged], entete(2, **SIECLE_A))
        rows = session.scalars(
            select(Ecart).where(Ecart.alimentation_id == feed.id, Ecart.objet == "eleve")
        ).all()
        assert "identifiant_deja_pris" in codes(session, feed)
        assert all("Cachée" not in str(row.avant) + str(row.apres) for row in rows)
        assert {row.nature for row in rows} == {"cree", "anomalie"}
        appliquer(session, feed)
        session.refresh(ailleurs)
        assert (ailleurs.nom, ailleurs.adresse) == ("MARTIN", "7 rue Cachée")
        assert set(places(session, ailleurs)) == {(B, "eleve")}

    def test_of_a_relative_show_nothing(self, session, ailleurs):
        forged = [
            eleve("S1", "NEUF", "Élève", "2013-01-01", A, eleve_id="43", responsables={"P1": 1}),
            responsable("P1", "X", "Y", adresse="1 rue Neuve"),
        ]
        feed = apercu(session, [ecole(A), *forged], entete(2, **SIECLE_A))
        rows = session.scalars(select(Ecart).where(Ecart.alimentation_id == feed.id)).all()
        assert all("Cachée" not in str(row.avant) for row in rows)
        appliquer(session, feed)
        assert personne(session, "MARTIN", "Jeanne").adresse == "7 rue Cachée"

    def test_a_pupil_who_really_moves_is_still_found(self, session, ailleurs):
        moved = eleve("S1", *VRAI, A, ine=INE, eleve_id="42")
        feed = apercu(session, [ecole(A), moved], entete(2, **SIECLE_A))
        assert codes(session, feed) == []
        appliquer(session, feed)
        assert set(places(session, ailleurs)) == {(A, "eleve"), (B, "eleve")}
