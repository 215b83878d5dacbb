"""Start-up: ``create_app()`` beside a bare Flask-AppBuilder, and ``make run``, first and warm."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from bench.commun import ROOT, Rapport, meilleur

OURS = """
import time; t = time.perf_counter()
import app
u = time.perf_counter()
app.create_app()
print(u - t, time.perf_counter() - u)
"""
PEER = """
import time; t = time.perf_counter()
import flask_migrate, flask_mail
from flask import Flask
from flask_appbuilder import AppBuilder
from flask_appbuilder.models.sqla.base import SQLA
app = Flask("pair"); app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI="sqlite://")
db = SQLA(app)
with app.app_context():
    AppBuilder(app, db.session)
print(time.perf_counter() - t)
"""


def python(program: str, folder: str) -> list[float]:
    """Return the seconds a program measured of itself, in a fresh interpreter."""
    environment = {**os.environ, "PREAU_DEMO": "1", "PREAU_DOSSIER": folder, "PREAU_BASE": ""}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in run.stdout.split()]


def make_run(folder: str) -> float:
    """Return the seconds between the command and its address being printed, then stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**environment, "PREAU_DOSSIER": folder, "PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seconds = next((time.perf_counter() - began for line in process.stdout if "Préau prêt" in line), None)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    if seconds is None:
        raise SystemExit("make run n’a pas démarré.")
    return seconds


def main() -> int:
    rapport = Rapport("Démarrage")
    with tempfile.TemporaryDirectory() as folder:
        ours = min((python(OURS, folder) for _ in range(5)), key=sum)
        peer = meilleur(lambda: sum(python(PEER, folder)), 5)
        rapport.ajouter("create_app()", ours[1], "s", seuil=1.5)
        rapport.ajouter("create_app(), importations comprises", sum(ours), "s")
        rapport.ajouter("Flask-AppBuilder nu, importations comprises", peer, "s")
        rapport.ajouter("rapport à Flask-AppBuilder nu", sum(ours) / peer, "×", seuil=2)
        rapport.ajouter("premier make run, académie de démonstration comprise", make_run(folder), "s")
        rapport.ajouter("make run suivant", meilleur(lambda: make_run(folder), 2), "s", seuil=10)
    return rapport.imprimer()


if __name__ == "__main__":
    raise SystemExit(main())
