"""The applications tests borrow: nothing of one test reaches the next."""

import pytest
from sqlalchemy import event, func, select

from app.extensions import db
from app.jobs import queue
from app.models import Matiere
from tests.support.applications import Lender


@pytest.fixture
def own_lender():
    lender = Lender()
    yield lender
    lender.close()


class TestGivenBack:
    def test_equal_settings_are_the_same_application_others_are_not(self, own_lender, reglages):
        with own_lender.lend(reglages) as first, own_lender.lend({**reglages, "nom": "Autre"}) as other:
            assert other is not first
        with own_lender.lend(reglages) as second:
            assert second is first

    def test_what_a_test_sets_is_put_back(self, own_lender, reglages):
        with own_lender.lend(reglages) as app:
            born = dict(app.config)
            app.config["MAX_CONTENT_LENGTH"] = 1
            app.config["AJOUTE"] = True
            app.extensions["reglages"].session_heures = 72
            app.extensions["absences_vues"] = {(1, "/"): 0.0}
            queue.queue_of(app)[1](1)
            assert not queue.is_empty(app)
        with own_lender.lend(reglages) as app:
            assert dict(app.config) == born
            assert app.extensions["reglages"].session_heures == 12
            assert "absences_vues" not in app.extensions
            assert queue.EXTENSION not in app.extensions

    def test_what_a_test_adds_is_refused_and_not_lent_again(self, own_lender, reglages):
        told = r"url_map.*pytest\.mark\.application"
        with pytest.raises(AssertionError, match=told), own_lender.lend(reglages) as spoilt:
            spoilt.add_url_rule("/ajoutee", "ajoutee", lambda: "")
        with own_lender.lend(reglages) as app:
            assert app is not spoilt
            assert app.test_client().get("/ajoutee").status_code == 404

    def test_a_listener_left_on_the_engine_is_refused(self, own_lender, reglages):
        with (
            pytest.raises(AssertionError, match="engine"),
            own_lender.lend(reglages) as app,
            app.app_context(),
        ):
            event.listen(db.engine, "before_cursor_execute", lambda *_: None)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_the_base_and_the_folder_are_empty_and_numbers_start_again(app, session, turn):
    folder = app.extensions["reglages"].dossier
    assert [path.name for path in folder.iterdir() if not path.name.startswith("preau.db")] == []
    assert session.scalar(select(func.count(Matiere.id))) == 0
    row = Matiere(code="X", libelle=turn)
    session.add(row)
    session.commit()
    assert row.id == 1
    (folder / "reste").write_text("x")
