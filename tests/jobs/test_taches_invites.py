"""A worker killed while it creates guests: the next one goes on, nobody is created twice nor forgotten."""

import io
import signal

import pytest
from sqlalchemy import func, select

from app.database import reading
from app.jobs import runner
from app.models import Academie, Courriel, Etablissement, ImportInvites, Journal, LigneImport, Personne, Tache
from app.operations import invites_import as acts
from app.operations import journal, uploads
from app.operations.saisies import Actor
from tests.jobs.conftest import until

LINES = 3_000
ACTEUR = Actor("Zoé")


@pytest.fixture
def fichier(app, session):
    """A file read and judged, whose application was just asked for."""
    academie = Academie(code="19", nom="A")
    session.add(academie)
    session.flush()
    school = Etablissement(uai="0190001A", nom="Collège", nom_recherche="college", academie_id=academie.id)
    session.add(school)
    session.flush()
    body = "".join(f"MARTIN;P{n:05};;p{n}@exemple.fr;12/03/1980\n" for n in range(LINES)).replace(";P", ";Pa")
    folder = app.extensions["reglages"].dossier / "depots"
    depot = uploads.store(folder, [("a.csv", io.BytesIO(body.encode()))], max_bytes=10_000_000)
    item = acts.deposer(session, school, depot, dernier_jour=None, acteur=ACTEUR)
    task = item.tache_id
    session.commit()
    runner.run(app, task)
    session.expire_all()
    item = session.scalars(select(ImportInvites)).one()
    task = acts.appliquer(session, item, tout=True, acteur=ACTEUR).id
    session.commit()
    return task


class TestKilled:
    def test_the_next_worker_goes_on_after_the_last_lot_written(self, app, session, fichier, spawn):
        process = spawn("worker")

        def done():
            return _read(session, select(Tache.fait).where(Tache.id == fichier))

        until(lambda: done() > 0 or process.poll() is not None, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        first = done()
        assert 0 < first < LINES, first
        made = _read(session, select(func.count()).select_from(Personne))
        assert made == first, "a lot is written whole or not at all"
        spawn("worker")
        until(lambda: _read(session, select(Tache.etat).where(Tache.id == fichier)) == "finie", 90)
        session.rollback()
        assert session.scalar(select(func.count()).select_from(Personne)) == LINES
        assert session.scalar(select(func.count()).select_from(Courriel)) == LINES
        assert session.scalar(select(func.count()).where(LigneImport.etat == "faite")) == LINES
        assert session.scalar(select(func.count()).where(Journal.acte == "invite.creer")) == LINES
        school = session.scalars(select(Etablissement.id)).one()
        assert journal.verify(session, school) is None


def _read(session, statement):
    """Read as a page does, without taking the lock the worker writes under."""
    with reading():
        session.rollback()
        found = session.scalar(statement)
        session.rollback()
    return found
