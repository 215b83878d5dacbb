"""The key a school is searched by follows its name and its town, whoever writes them."""

from __future__ import annotations

from sqlalchemy import select

from app.models import Etablissement
from app.operations import etablissements as acts
from app.operations.saisies import Actor
from tests.operations.alimentation.support import A, alimenter, annuler, ecole


def keys(session):
    row = session.scalars(select(Etablissement)).one()
    return row.nom_recherche, row.recherche


class TestSchoolKeys:
    def test_a_feed_its_change_and_its_undoing(self, session):
        alimenter(session, [ecole(A, commune="Été-sur-Mer")])
        first = ("college jean moulin", "college jean moulin ete sur mer 0370001a")
        assert keys(session) == first
        second = alimenter(session, [ecole(A, "Collège Simone Veil", commune="Blésois")], jour=2)
        assert keys(session) == ("college simone veil", "college simone veil blesois 0370001a")
        annuler(session, second)
        assert keys(session) == first

    def test_a_hand_edit(self, session):
        alimenter(session, [ecole(A)])
        row = session.scalars(select(Etablissement)).one()
        row.commune = "Œuilly"
        changes = acts.edit(session, row, champs={"commune"}, acteur=Actor("Claire"))
        assert keys(session)[1] == "college jean moulin oeuilly 0370001a"
        assert list(changes) == ["commune"]
