"""SQL statements and time of every generated list page, filled with rows, as a platform assistant sees it."""

from __future__ import annotations

import logging
import re
import tempfile
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event

from app import create_app
from app.extensions import db
from app.models import (
    Academie,
    Attribution,
    Compte,
    Discipline,
    Division,
    Etablissement,
    Fonction,
    Matiere,
    Mef,
    Personne,
    Rattachement,
)
from app.operations import courriels, journal, taches
from app.queries.noms import personne_key, search_key
from app.security.passwords import hash_password
from app.security.perimetres import TOUT, perimetre
from bench.commun import ROOT, Rapport, chrono, meilleur

PASSWORD = "mesure des pages du préau"
ROWS = 40
BUDGET = 9


def fill() -> None:
    """Write ``ROWS`` rows of each kind and one account that sees everything."""
    session = db.session()
    academie = Academie(code="19", nom="Académie de mesure")
    session.add(academie)
    session.flush()
    for number in range(ROWS):
        nom = f"Collège {number}"
        school = Etablissement(
            uai=f"019{number:04}A", nom=nom, nom_recherche=search_key(nom), academie_id=academie.id
        )
        person = Personne(nom=f"NOM{number}", prenom="Zoé", nom_recherche=personne_key(f"NOM{number}", "Zoé"))
        session.add_all([school, person])
        session.flush()
        session.add(Rattachement(personne_id=person.id, etablissement_id=school.id, profil="eleve"))
        session.add(Division(etablissement_id=school.id, code="6A"))
        for model in (Matiere, Discipline, Fonction, Mef):
            session.add(model(code=f"{number:06}", libelle=f"Libellé {number}"))
        journal.write(session, acte="mesure", etablissement_id=school.id)
        courriels.queue(session, destinataire=f"a{number}@exemple.fr", objet="Mesure", texte="x")
        taches.request(session, "mesure", libelle="Mesure", parametres={}, etablissement_id=school.id)
    account = Compte(
        username="mesure",
        first_name="Zoé",
        last_name="MESURE",
        email="mesure@exemple.fr",
        active=True,
        password=hash_password(PASSWORD),
    )
    session.add(account)
    session.flush()
    session.add(Attribution(compte_id=account.id, role="assistant_n2"))
    session.commit()
    session.close()


def sign_in(client: FlaskClient) -> None:
    """Sign in as a browser does."""
    page = client.get("/connexion").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token, "pas de jeton sur la page de connexion"
    values = {"identifiant": "mesure", "mdp": PASSWORD, "csrf_token": token[1]}
    answer = client.post("/connexion", data=values)
    assert answer.status_code == 302, "connexion refusée"


def measure(app: Flask, rapport: Rapport) -> None:
    """Add one line a list page."""
    statements: list[str] = []
    with app.app_context():
        event.listen(
            db.engine,
            "before_cursor_execute",
            lambda _c, _cursor, statement, *_: statements.append(statement),
        )
    client = app.test_client()
    sign_in(client)
    rules = sorted(rule.rule for rule in app.url_map.iter_rules() if rule.rule.endswith("/list/"))
    for rule in rules:
        client.get(rule)

        def once(rule: str = rule) -> float:
            statements.clear()
            with chrono() as time:
                answer = client.get(rule)
            assert answer.status_code == 200, f"{rule} répond {answer.status_code}"
            return time.secondes

        seconds = meilleur(once, 3)
        count = sum(not statement.startswith("BEGIN") for statement in statements)
        rapport.ajouter(f"{rule} : instructions SQL", count, "", seuil=BUDGET)
        rapport.ajouter(f"{rule} : temps de calcul", seconds * 1000, "ms")


def main() -> int:
    logging.disable(logging.WARNING)
    rapport = Rapport("Pages de liste")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(demo=True, dossier=Path(folder), base="")
        with app.app_context(), perimetre(db.session(), TOUT):
            upgrade(directory=str(ROOT / "migrations"))
            fill()
        measure(app, rapport)
    return rapport.imprimer()


if __name__ == "__main__":
    raise SystemExit(main())
