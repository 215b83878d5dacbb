"""Logins: unique on the platform, numbered, never over one already given."""

from __future__ import annotations

from sqlalchemy import select

from app.models import Personne, RacineLogin
from app.operations import logins


def add(session, login: str) -> None:
    session.add(Personne(nom="X", prenom="Y", nom_recherche="x y", login=login))
    session.flush()


class TestAllocate:
    def test_homonyms_are_numbered_from_two(self, session):
        given = logins.allocate(session, [("Léa", "Martin"), ("LEA", "MARTIN"), ("Tom", "Roux")])
        assert given == ["lea.martin", "lea.martin2", "tom.roux"]

    def test_numbers_go_on_from_one_call_to_the_next(self, session):
        logins.allocate(session, [("Léa", "Martin"), ("Léa", "Martin")])
        assert logins.allocate(session, [("Léa", "Martin")]) == ["lea.martin3"]
        assert session.get(RacineLogin, "lea.martin").dernier == 3

    def test_a_login_typed_by_hand_is_passed_over(self, session):
        add(session, "lea.martin2")
        assert logins.allocate(session, [("Léa", "Martin"), ("Léa", "Martin")]) == [
            "lea.martin",
            "lea.martin3",
        ]

    def test_a_number_that_ends_a_name_is_no_collision(self, session):
        given = logins.allocate(session, [("Léa", "Martin2"), ("Léa", "Martin"), ("Léa", "Martin")])
        assert len(set(given)) == 3
        for login in given:
            add(session, login)
        assert len(session.scalars(select(Personne)).all()) == 3

    def test_nobody_asks_for_nothing(self, session):
        assert logins.allocate(session, []) == []
