"""The worker process: killed, stopped, started again; the tasks do not notice."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Journal, Tache
from app.operations import taches
from tests.jobs.conftest import until

Spawn = Callable[..., subprocess.Popen[bytes]]


def reading(session: Session, id_: int) -> Tache:
    row = session.get_one(Tache, id_, populate_existing=True)
    session.commit()  # no transaction stays open: SQLite has one writer
    return row


def test_a_task_goes_on_from_its_cursor_after_kill_9(
    app: Flask, session: Session, spawn: Spawn, tmp_path: Path
) -> None:
    gate = tmp_path / "bloque"
    gate.touch()
    tache = taches.request(
        session, "essai.compter", libelle="", parametres={"jusqua": 6, "bloque": str(gate)}
    )
    session.commit()
    first = spawn("worker")
    until(lambda: reading(session, tache.id).fait == 3)
    first.kill()
    first.wait()
    assert reading(session, tache.id).etat == "cours"
    gate.unlink()
    second = spawn("worker")
    until(lambda: reading(session, tache.id).etat == "finie")
    acts = list(session.scalars(select(Journal.acte).order_by(Journal.id)))
    assert acts == [f"etape {step}" for step in range(1, 7)]
    assert reading(session, tache.id).essais == 2
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0


def test_sigterm_stops_it_and_readiness_tells_its_absence(
    app: Flask, client: FlaskClient, session: Session, spawn: Spawn
) -> None:
    assert client.get("/sante/pret").get_json()["travailleur"]["etat"] == "silencieux"
    session.rollback()
    process = spawn("worker")
    until(lambda: client.get("/sante/pret").get_json()["etat"] == "pret")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert client.get("/sante/pret").get_json()["travailleur"]["etat"] == "silencieux"
