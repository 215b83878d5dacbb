"""The school to come is prepared ahead: what was written since is read again."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import delete, func, select, update

from app.models import Ecart, Personne
from app.operations import alimentation as engine
from app.operations.alimentation.avance import Avance
from tests.operations.alimentation.support import A, B, apercu, ecole, eleve, personne, places


@pytest.fixture
def feed(session):
    return apercu(
        session,
        [
            ecole(A), ecole(B),
            eleve("1", "ROUX", "Ana", "2011-01-02", A),
            eleve("2", "NOIR", "Ugo", "2011-01-03", B), eleve("3", "BLANC", "Lou", "2011-01-04", B),
        ],
    )  # fmt: skip


def apply_one_by_one(session, feed, *, between=lambda: None):
    """Apply A, then what somebody else does, then B, prepared while A was applied."""
    ahead = Avance(session, feed, [A, B])
    first, second = engine.etablissements_a_appliquer(session, feed)
    engine.appliquer_etablissement(session, feed, first, acteur="Test", avance=ahead)
    session.commit()
    between()
    session.commit()
    engine.appliquer_etablissement(session, feed, second, acteur="Test", avance=ahead)
    session.commit()


class TestAhead:
    def test_both_schools_are_applied_whole(self, session, feed):
        apply_one_by_one(session, feed)
        assert places(session, personne(session, "ROUX", "Ana")) == {(A, "eleve"): True}
        assert places(session, personne(session, "NOIR", "Ugo")) == {(B, "eleve"): True}
        assert {login for (login,) in session.execute(select(Personne.login))} == {
            "ana.roux", "ugo.noir", "lou.blanc",
        }  # fmt: skip

    def test_a_difference_written_since_is_read_again(self, session, feed):
        def mend():
            line = session.scalars(select(Ecart).where(Ecart.cle == "2", Ecart.objet == "eleve")).one()
            record = orjson.loads(line.donnees) | {"prenom": "Hugo"}
            session.execute(
                update(Ecart).where(Ecart.id == line.id).values(donnees=orjson.dumps(record)),
                execution_options={"synchronize_session": False},
            )

        apply_one_by_one(session, feed, between=mend)
        assert personne(session, "NOIR", "Hugo").login == "hugo.noir"

    def test_a_difference_removed_since_makes_nobody(self, session, feed):
        apply_one_by_one(
            session, feed,
            between=lambda: session.execute(
                delete(Ecart).where(Ecart.cle == "2", Ecart.objet == "eleve"),
                execution_options={"synchronize_session": False},
            ),
        )  # fmt: skip
        assert session.scalar(select(func.count(Personne.id))) == 2
        assert personne(session, "BLANC", "Lou").login == "lou.blanc"
