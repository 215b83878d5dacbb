"""AAF deltas: what they change without naming a school, and what they end."""

from __future__ import annotations

from typing import Any

from app.models import Rattachement
from app.operations.alimentation.fiches import Operation
from tests.operations.alimentation.support import (
    A,
    B,
    alimenter,
    annuler,
    ecole,
    eleve,
    personne,
    photo,
    places,
)

NE = "2011-01-02"
FULL = {"division": "3A", "mef": "10310019110", "groupes": ["3ANG1"], "options": ["030201"]}


def classe(session, uai: str) -> tuple[str | None, str | None, bool]:
    """Division, MEF and whether the attachment is open, of the pupil in a school."""
    ines = personne(session, "PETIT", "Inès")
    row = session.query(Rattachement).filter_by(personne_id=ines.id, profil="eleve")
    place = next(one for one in row if one.etablissement.uai == uai)
    return (
        place.division.code if place.division else None,
        place.mef.code if place.mef else None,
        place.fin is None,
    )


def depart(session, *uais: str):
    """The pupil as the complete export states them, in these schools."""
    pupil = eleve("1", "PETIT", "Inès", NE, scolarites=[{"uai": uai, **FULL} for uai in uais])
    alimenter(session, [ecole(A), ecole(B), pupil])


def delta(session, scolarites: list[dict[str, Any]], **more: Any):
    record = {"identifiants": [["jointure", "18", "1"]], "scolarites": scolarites, **more}
    change = eleve("1", "PETIT", "Inès", NE)
    change.operation, change.uai = Operation.MODIFICATION, None
    change.lire = lambda: record
    return alimenter(session, [change], jour=2, mode="delta", presents=set())


class TestWithoutASchool:
    def test_a_new_mef_and_new_groups_reach_the_school_of_the_pupil(self, session):
        depart(session, A)
        feed = delta(session, [{"uai": None, "mef": "10310019111", "groupes": ["3ESP1"]}])
        assert feed.comptes["eleve"]["modifies"] == 1
        assert classe(session, A) == ("3A", "10310019111", True)
        assert [code for _login, code in photo(session)["groupes"]] == ["3ESP1"]

    def test_emptied_groups_are_emptied_in_every_school(self, session):
        depart(session, A, B)
        delta(session, [{"uai": None, "groupes": []}])
        assert photo(session)["groupes"] == []
        assert places(session, personne(session, "PETIT", "Inès")) == {(A, "eleve"): True, (B, "eleve"): True}

    def test_it_is_undone(self, session):
        depart(session, A, B)
        before = photo(session)
        feed = delta(session, [{"uai": None, "mef": "10310019111", "groupes": []}])
        assert photo(session) != before
        annuler(session, feed)
        after = photo(session)
        assert (after["rattachement"], after["groupes"]) == (before["rattachement"], before["groupes"])

    def test_a_day_of_leaving_closes_the_place(self, session):
        depart(session, A)
        feed = delta(session, [{"uai": None, "fin": "2024-10-01"}])
        assert feed.comptes["eleve"]["departs"] == 1
        assert classe(session, A)[2] is False

    def test_a_day_to_come_does_not(self, session):
        depart(session, A)
        delta(session, [{"uai": A, "fin": "2099-10-01"}])
        assert classe(session, A)[2] is True


class TestAnotherSchool:
    MOVE = ({"uai": B, "division": "4B"}, {"uai": None, "division": None})

    def test_a_class_elsewhere_leaves_the_class_but_not_the_school(self, session):
        depart(session, A)
        delta(session, [*self.MOVE])
        assert classe(session, A) == (None, "10310019110", True)
        assert classe(session, B) == ("4B", None, True)

    def test_the_main_school_restated_with_the_classes_ends_the_old_place(self, session):
        depart(session, A)
        feed = delta(session, [*self.MOVE], scolarites_entieres=True)
        assert feed.comptes["eleve"]["departs"] == 1
        assert classe(session, A)[2] is False
        assert classe(session, B) == ("4B", None, True)
        assert personne(session, "PETIT", "Inès").supprime_le is None

    def test_a_place_typed_by_hand_is_left_alone(self, session):
        depart(session, A)
        session.query(Rattachement).update({"source": "manuel"})
        session.commit()
        delta(session, [*self.MOVE], scolarites_entieres=True)
        assert classe(session, A) == ("3A", "10310019110", True)
