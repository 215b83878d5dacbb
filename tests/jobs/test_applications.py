"""Models put on many schools in the background: killed, cancelled, with their author’s rights of the day."""

import subprocess
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from app.database import reading
from app.extensions import now
from app.jobs import runner
from app.models import (
    Academie,
    ApplicationModele,
    Attribution,
    Compte,
    Etablissement,
    EtablissementApplication,
    EtatService,
    Journal,
    Tache,
)
from app.operations import applications as acts
from app.operations import journal, taches
from app.operations.saisies import Actor
from tests.jobs.conftest import until
from tests.operations.modeles import make, many, prepare

Spawn = Callable[..., subprocess.Popen[bytes]]
NOMBRE = 300


@pytest.fixture
def application(session, catalogue):
    """Three hundred schools of an académie, and a model its assistant puts on them."""
    academie = Academie(code="18", nom="Orléans-Tours")
    compte = Compte(
        username="claire", first_name="Claire", last_name="M", email="c@x.fr", active=True, password=""
    )
    session.add_all([academie, compte])
    session.flush()
    ids = many(session, NOMBRE, academie_id=academie.id)
    session.add(Attribution(compte_id=compte.id, role="assistant_plateforme", academie_id=academie.id))
    who = Actor("Claire M", compte.id)
    made = prepare(session, make(session, {"etat:chat": True, "droit:blog.lecteur:eleve": False}), ids, who)
    acts.confirmer(session, made, acteur=who)
    session.commit()
    return made


def counts(session):
    """Return schools with the service on, schools done, journal lines; nobody is kept waiting."""
    session.rollback()
    with reading():
        found = session.execute(
            select(
                select(func.count()).where(EtatService.actif, EtatService.fin.is_(None)).scalar_subquery(),
                select(func.count()).where(EtablissementApplication.etat == "fait").scalar_subquery(),
                select(func.count()).where(Journal.acte == "service.activer").scalar_subquery(),
            )
        ).one()
        session.rollback()
    return tuple(found)


def task(session, application):
    with reading():
        session.rollback()
        row = session.get_one(Tache, application.tache_id, populate_existing=True)
        session.expunge(row)
        session.rollback()
    return row


def test_kill_9_in_the_middle_then_again_does_each_once(session, application, spawn: Spawn):
    first = spawn("worker")
    until(lambda: counts(session)[1] >= acts.TRANCHE, 90)
    first.kill()
    first.wait()
    on, done, lines = counts(session)
    assert on == done == lines
    spawn("worker")
    until(lambda: task(session, application).etat == "finie", 90)
    assert counts(session) == (NOMBRE, NOMBRE, NOMBRE)
    assert session.scalar(select(ApplicationModele.fini_le)) is not None
    for chaine in session.scalars(select(Journal.chaine).distinct()).all():
        assert journal.verify(session, chaine) is None


def test_cancelled_it_keeps_what_is_done_goes_on_when_asked_and_is_undone(
    app, session, application, monkeypatch
):
    slices = iter([True, *[False] * 20])
    real = acts.lot

    def cancelling(own, *more, **named):
        done = real(own, *more, **named)
        if next(slices):
            own.get_one(Tache, application.tache_id).annulation_demandee = True
        return done

    monkeypatch.setattr(acts, "lot", cancelling)
    runner.run(app, application.tache_id)
    assert (task(session, application).etat, counts(session)[1]) == ("annulee", acts.TRANCHE)
    taches.relaunch(session, session.get_one(Tache, application.tache_id), acteur=Actor())
    session.commit()
    runner.run(app, application.tache_id)
    assert (task(session, application).etat, counts(session)) == ("finie", (NOMBRE, NOMBRE, NOMBRE))
    session.expire_all()
    who = Actor("Claire M", application.compte_id)
    back = acts.defaire(session, application, acteur=who)
    acts.confirmer(session, back, acteur=who)
    session.commit()
    runner.run(app, back.tache_id)
    assert (task(session, back).etat, counts(session)[0]) == ("finie", 0)


@pytest.mark.parametrize("withdrawn", ["ecoles", "compte"])
def test_the_rights_are_those_of_the_moment(app, session, application, withdrawn):
    if withdrawn == "ecoles":
        elsewhere = Academie(code="19", nom="Ailleurs")
        session.add(elsewhere)
        session.flush()
        moved = select(Etablissement).order_by(Etablissement.id).limit(10)
        for school in session.scalars(moved):
            school.academie_id = elsewhere.id
    else:
        session.get_one(Compte, application.compte_id).supprime_le = now()
    session.commit()
    runner.run(app, application.tache_id)
    if withdrawn == "compte":
        assert (task(session, application).etat, counts(session)[0]) == ("echec", 0)
        return
    assert (task(session, application).etat, counts(session)[0]) == ("finie", NOMBRE - 10)
    reasons = select(EtablissementApplication.raison).where(EtablissementApplication.etat == "refus")
    assert set(session.scalars(reasons)) == {acts.HORS_PERIMETRE}
