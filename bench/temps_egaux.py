"""What a stranger may learn with a stopwatch: signing in and asking for a new password take the same time
whether the account exists, is closed or is unknown (ATTACKS L3), with the parameters of production.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from app.extensions import db
from app.models import Compte
from app.security.passwords import hash_password
from bench.commun import ROOT, Rapport

TOURS = 120
SEUIL = 1.10
CONNEXION = {
    "inconnu": ("personne.inconnue", "faux"),
    "connu": ("est.la", "faux"),
    "fermé": ("est.fermee", "faux"),
    "mot de passe d’un mégaoctet": ("est.la", "x" * 1_000_000),
}
OUBLI = ("personne.inconnue", "est.la", "est.fermee")


def fill() -> None:
    """Write one open account and one closed."""
    session = db.session()
    for username, active in (("est.la", True), ("est.fermee", False)):
        session.add(
            Compte(
                username=username,
                first_name="Zoé",
                last_name="MESURE",
                email=f"{username}@exemple.fr",
                active=active,
                password=hash_password("mesure des temps du préau"),
            )
        )
    session.commit()
    session.close()


def ratio(app: Flask, clock: time_machine.Coordinates, view: str, cases: dict[str, dict[str, str]]) -> float:
    """Return the largest median over the smallest, the cases taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(TOURS):
        for name, data in cases.items():
            clock.shift(timedelta(hours=25))
            with app.test_request_context("/", method="POST", data=data):
                began = time.process_time()
                answer = app.view_functions[view]()
                times[name].append(time.process_time() - began)
                if answer.status_code != 200:
                    raise SystemExit(f"{view} a répondu {answer.status_code} pour « {name} ».")
    medians = [statistics.median(measured) for measured in times.values()]
    return max(medians) / min(medians)


def main() -> int:
    logging.disable(logging.WARNING)
    rapport = Rapport("Temps égaux")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(demo=True, dossier=Path(folder))
        with app.app_context():
            upgrade(directory=str(ROOT / "migrations"))
            fill()
        app.config["WTF_CSRF_ENABLED"] = False
        with time_machine.travel("2026-11-21T08:00:00+00:00", tick=False) as clock:
            entries = {name: {"identifiant": who, "mdp": word} for name, (who, word) in CONNEXION.items()}
            signing = ratio(app, clock, "ConnexionView.login", entries)
            forgot = ratio(app, clock, "OubliView.demander", {who: {"identifiant": who} for who in OUBLI})
    rapport.ajouter("connexion refusée, médianes", signing, "×", seuil=SEUIL)
    rapport.ajouter("mot de passe oublié, médianes", forgot, "×", seuil=SEUIL)
    return rapport.imprimer()


if __name__ == "__main__":
    raise SystemExit(main())
