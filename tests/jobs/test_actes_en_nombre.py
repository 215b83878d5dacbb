"""Acts on many accounts in the background: killed, cancelled, with the rights their author has meanwhile."""

import subprocess
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from app.database import reading
from app.extensions import now
from app.jobs import runner
from app.models import (
    Attribution,
    Compte,
    Etablissement,
    Journal,
    LigneActeEnNombre,
    Personne,
    Rattachement,
    Tache,
)
from app.operations import actes_en_nombre as acts
from app.operations import journal, taches
from app.operations.saisies import Actor
from tests.jobs.conftest import until

Spawn = Callable[..., subprocess.Popen[bytes]]
NOMBRE = 1200


@pytest.fixture
def acte(session):
    """Twelve hundred pupils of two schools, and an act asked for by the correspondent of both."""
    schools = [Etablissement(uai=f"037000{n}A", nom=f"C{n}", nom_recherche=f"c{n}") for n in (0, 1)]
    compte = Compte(
        username="claire", first_name="Claire", last_name="M", email="c@x.fr", active=True, password=""
    )
    session.add_all([*schools, compte])
    session.flush()
    session.add_all(
        Attribution(compte_id=compte.id, role="correspondant", etablissement_id=school.id)
        for school in schools
    )
    people = [Personne(nom=f"N{n}", prenom="Zoé", nom_recherche=f"n{n}") for n in range(NOMBRE)]
    session.add_all(people)
    session.flush()
    session.add_all(
        Rattachement(personne_id=row.id, etablissement_id=schools[n % 2].id, profil="eleve")
        for n, row in enumerate(people)
    )
    who = Actor("Claire M", compte.id)
    ids = [row.id for row in people]
    made = acts.preparer(session, "suspendre", ids, selection="Élèves", etablissement_id=None, acteur=who)
    acts.confirmer(session, made, "Fermeture", acteur=who)
    session.commit()
    return made


def counts(session):
    """Return people suspended, rows done, lines of the journal, without keeping the worker from writing."""
    session.rollback()
    with reading():
        found = session.execute(
            select(
                select(func.count()).where(Personne.suspendu_le.is_not(None)).scalar_subquery(),
                select(func.count()).where(LigneActeEnNombre.etat == "fait").scalar_subquery(),
                select(func.count()).where(Journal.acte == "compte.suspendre").scalar_subquery(),
            )
        ).one()
        session.rollback()
    return tuple(found)


def task(session, acte):
    with reading():
        session.rollback()
        row = session.get_one(Tache, acte.tache_id, populate_existing=True)
        session.expunge(row)
        session.rollback()
    return row


def test_kill_9_in_the_middle_then_again_does_each_once(session, acte, spawn: Spawn):
    first = spawn("worker")
    until(lambda: counts(session)[1] >= acts.TRANCHE, 90)
    first.kill()
    first.wait()
    suspended, done, lines = counts(session)
    assert suspended == done == lines
    spawn("worker")
    until(lambda: task(session, acte).etat == "finie", 90)
    assert counts(session) == (NOMBRE, NOMBRE, NOMBRE)
    assert task(session, acte).resultat == {"acte_en_nombre_id": acte.id, "faits": NOMBRE, "refus": 0}
    for chaine in session.scalars(select(Journal.chaine).distinct()).all():
        assert journal.verify(session, chaine) is None


def test_cancelled_it_keeps_what_is_done_and_goes_on_when_asked(app, session, acte, monkeypatch):
    slices = iter([True, False, False, False, False])
    real = acts.lot

    def cancelling(own, *more, **named):
        done = real(own, *more, **named)
        if next(slices):
            own.get_one(Tache, acte.tache_id).annulation_demandee = True
        return done

    monkeypatch.setattr(acts, "lot", cancelling)
    runner.run(app, acte.tache_id)
    assert (task(session, acte).etat, counts(session)[1]) == ("annulee", acts.TRANCHE)
    taches.relaunch(session, session.get_one(Tache, acte.tache_id), acteur=Actor())
    session.commit()
    runner.run(app, acte.tache_id)
    assert (task(session, acte).etat, counts(session)) == ("finie", (NOMBRE, NOMBRE, NOMBRE))


@pytest.mark.parametrize("withdrawn", ["ecole", "compte"])
def test_the_rights_are_those_of_the_moment(app, session, acte, withdrawn):
    account = session.get_one(Compte, acte.compte_id)
    if withdrawn == "ecole":
        session.delete(session.scalars(select(Attribution).order_by(Attribution.id)).first())
    else:
        account.supprime_le = now()
    session.commit()
    runner.run(app, acte.tache_id)
    if withdrawn == "compte":
        assert (task(session, acte).etat, counts(session)[0]) == ("echec", 0)
        assert "ne s’ouvre plus" in task(session, acte).message
        return
    assert (task(session, acte).etat, counts(session)[0]) == ("finie", NOMBRE // 2)
    reasons = select(LigneActeEnNombre.raison).where(LigneActeEnNombre.etat == "refus").distinct()
    assert session.scalars(reasons).all() == [acts.HORS_PERIMETRE]


def test_two_workers_on_two_acts_over_the_same_people(app, session, acte):
    who = Actor("Claire M", acte.compte_id)
    ids = session.scalars(select(Personne.id)).all()
    other = acts.preparer(session, "suspendre", ids, selection="Encore", etablissement_id=None, acteur=who)
    acts.confirmer(session, other, "Fermeture", acteur=who)
    session.commit()
    together = threading.Barrier(2)

    def work(number):
        together.wait()
        runner.run(app, number)

    threads = [threading.Thread(target=work, args=[one.tache_id]) for one in (acte, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(session) == (NOMBRE, NOMBRE, NOMBRE)
    assert {task(session, one).etat for one in (acte, other)} == {"finie"}
