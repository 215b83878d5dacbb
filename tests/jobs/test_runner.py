"""One run of a task, and what the sweep finds again."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.extensions import now
from app.jobs import leases, queue, runner, worker
from app.models import Journal, Tache
from app.operations import journal, taches


def asked(session: Session, type_: str, **parametres: Any) -> int:
    tache = taches.request(session, type_, libelle="Essai", parametres=parametres)
    session.commit()
    return tache.id


def acts(session: Session) -> list[str]:
    lines = list(session.scalars(select(Journal.acte).order_by(Journal.id)))
    session.commit()
    return lines


def read(session: Session, id_: int) -> Tache:
    row = session.get_one(Tache, id_, populate_existing=True)
    session.commit()  # no transaction stays open: SQLite has one writer
    return row


class TestRun:
    def test_does_the_work_and_keeps_the_result(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.compter", jusqua=2)
        runner.run(app, id_)
        tache = read(session, id_)
        assert (tache.etat, tache.resultat, tache.fait, tache.total) == ("finie", {"etapes": 2}, 2, 2)
        assert (tache.bail, tache.message, tache.essais) == (None, None, 1)
        assert acts(session) == ["etape 1", "etape 2"]

    def test_a_second_message_for_the_same_task_does_nothing(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.compter", jusqua=2)
        runner.run(app, id_)
        runner.run(app, id_)
        assert acts(session) == ["etape 1", "etape 2"]

    def test_a_refusal_is_told_and_not_tried_again(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.refuser")
        runner.run(app, id_)
        tache = read(session, id_)
        assert (tache.etat, tache.message) == ("echec", "Le fichier est vide.")
        assert acts(session) == []

    def test_a_bug_is_tried_three_times_then_told_by_reference(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.echouer")
        for attempt in (1, 2):
            runner.run(app, id_)
            tache = read(session, id_)
            assert (tache.etat, tache.essais) == ("attente", attempt)
            assert tache.bail_jusqua is not None
            assert tache.bail_jusqua > now()
            tache.bail_jusqua = now()
            session.commit()
        runner.run(app, id_)
        tache = read(session, id_)
        assert (tache.etat, tache.essais) == ("echec", 3)
        assert "référence" in (tache.message or "")
        assert "ZeroDivision" not in (tache.message or "")
        assert acts(session) == []

    def test_a_task_of_an_unknown_type_fails(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.inconnu")
        runner.run(app, id_)
        assert read(session, id_).etat == "echec"

    def test_cancel_keeps_the_steps_that_are_done(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.annuler")
        runner.run(app, id_)
        tache = read(session, id_)
        assert (tache.etat, tache.fait) == ("annulee", 2)
        assert acts(session) == ["etape 1", "etape 2"]

    def test_a_worker_that_lost_its_lease_writes_nothing_more(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.supplanter")
        runner.run(app, id_)
        tache = read(session, id_)
        assert (tache.etat, tache.bail, tache.fait) == ("cours", "autre-1-a", 1)
        assert acts(session) == []

    def test_stopping_gives_the_task_back_without_counting_a_try(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.compter", jusqua=3)
        lease = leases.claim(session, id_)
        assert lease is not None
        context = runner.Contexte(session, read(session, id_), lease, lambda: True)
        runner._close(context, 1, *runner._outcome(context, 1))
        tache = read(session, id_)
        assert (tache.etat, tache.essais, tache.curseur, tache.bail) == ("attente", 0, {"fait": 1}, None)
        runner.run(app, id_)
        assert acts(session) == ["etape 1", "etape 2", "etape 3"]


class TestQueue:
    def test_the_id_is_put_in_the_queue_by_the_commit_not_before(self, app: Flask, session: Session) -> None:
        with session.begin_nested():
            taches.request(session, "essai.compter", libelle="", parametres={})
        assert queue.is_empty(app)
        session.commit()
        assert not queue.is_empty(app)

    def test_nothing_is_put_in_the_queue_by_a_rollback(self, app: Flask, session: Session) -> None:
        taches.request(session, "essai.compter", libelle="", parametres={})
        session.rollback()
        session.commit()
        assert queue.is_empty(app)

    def test_an_unreachable_queue_does_not_fail_the_act(
        self, app: Flask, session: Session, tmp_path: Any
    ) -> None:
        app.extensions["reglages"].file_taches = "redis://127.0.0.1:1/0"
        id_ = asked(session, "essai.compter", jusqua=1)
        app.extensions["reglages"].file_taches = ""
        app.extensions.pop(queue.EXTENSION, None)
        assert worker.sweep(app) == 1
        assert read(session, id_).etat == "attente"

    @pytest.mark.redis
    def test_redis_carries_the_ids(self, app: Flask, session: Session) -> None:
        app.extensions["reglages"].file_taches = "redis://127.0.0.1:6379/9"
        huey, _ = queue.queue_of(app)
        huey.storage.flush_queue()
        asked(session, "essai.compter", jusqua=1)
        assert huey.pending_count() == 1
        assert huey.dequeue().args == (1,)

    @pytest.mark.postgresql
    def test_postgresql_carries_the_ids(self, app: Flask, session: Session, engine_name: str) -> None:
        if engine_name == "sqlite":
            return
        app.extensions["reglages"].file_taches = app.config["SQLALCHEMY_DATABASE_URI"]
        huey, _ = queue.queue_of(app)
        id_ = asked(session, "essai.compter", jusqua=1)
        assert huey.dequeue().args == (id_,)
        huey.storage.close()


class TestSweep:
    def test_finds_a_task_whose_message_was_lost(self, app: Flask, session: Session) -> None:
        asked(session, "essai.compter", jusqua=1)
        queue.queue_of(app)[0].flush()
        assert worker.sweep(app) == 1
        assert not queue.is_empty(app)

    def test_leaves_running_tasks_alone(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.compter", jusqua=1)
        queue.queue_of(app)[0].flush()
        assert leases.claim(session, id_)
        assert worker.sweep(app) == 0

    @pytest.mark.parametrize("holder", ["lapsed", "dead"])
    def test_takes_back_the_lease_of_the_dead(self, app: Flask, session: Session, holder: str) -> None:
        id_ = asked(session, "essai.compter", jusqua=1)
        queue.queue_of(app)[0].flush()
        assert leases.claim(session, id_)
        values: dict[str, Any] = {"bail_jusqua": now() - timedelta(seconds=1)}
        if holder == "dead":
            values = {"bail": f"{leases.machine()}-99999999-00000000"}
        session.execute(update(Tache).values(values))
        session.commit()
        assert worker.sweep(app) == 1
        runner.run(app, id_)
        assert read(session, id_).etat == "finie"

    def test_gives_up_after_three_interrupted_tries(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.compter", jusqua=1)
        queue.queue_of(app)[0].flush()
        assert leases.claim(session, id_)
        session.execute(update(Tache).values(bail_jusqua=now() - timedelta(seconds=1), essais=3))
        session.commit()
        assert worker.sweep(app) == 0
        assert read(session, id_).etat == "echec"

    def test_only_one_of_two_claims_gets_the_task(self, app: Flask, session: Session) -> None:
        id_ = asked(session, "essai.compter", jusqua=1)
        assert leases.claim(session, id_)
        assert leases.claim(session, id_) is None


def test_a_beat_extends_the_leases_of_this_process(app: Flask, session: Session) -> None:
    id_ = asked(session, "essai.compter", jusqua=1)
    lease = leases.claim(session, id_)
    assert lease is not None
    soon = now() + timedelta(seconds=5)
    session.execute(update(Tache).values(bail_jusqua=soon))
    session.commit()
    leases.renew(session, [lease])
    renewed = read(session, id_).bail_jusqua
    assert renewed is not None
    assert renewed > soon
    assert journal.verify(session, 0) is None
