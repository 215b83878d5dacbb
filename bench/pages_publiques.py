"""The public page of a school, drawn each time, beside the list of its pupils; and what caches are told.

Both are asked of one process, in turn and in the same run: what the machine does meanwhile weighs on both.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import select

from app import create_app
from app.extensions import db
from app.models import Etablissement, Personne, Rattachement
from app.operations import blocs, logos, page_publique
from app.operations.page_publique import Choix
from app.operations.saisies import SYSTEME
from app.queries.noms import personne_key
from app.security.perimetres import TOUT, perimetre
from bench.commun import ROOT, Rapport, chrono
from bench.pages import fill, sign_in

PUPILS, BLOCKS, LOGOS = 300, 12, 8
ROUNDS = 60
TIMES = 3.0
"""How many times faster than the list the page must be."""
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40"><rect width="{}" height="9"/></svg>'
TEXT = "Le collège accueille **tout le monde**.\n\n- un\n- deux\n\n| a | b |\n|---|---|\n| c | d |\n" * 4


def furnish() -> str:
    """Write a full public page and the pupils of a school; return its UAI."""
    session = db.session()
    school = session.scalars(select(Etablissement).order_by(Etablissement.id)).first()
    assert school is not None
    for rank in range(PUPILS):
        person = Personne(nom=f"ELEVE{rank}", prenom="Ada", nom_recherche=personne_key(f"ELEVE{rank}", "Ada"))
        session.add(person)
        session.flush()
        session.add(Rattachement(personne_id=person.id, etablissement_id=school.id, profil="eleve"))
    choix = Choix(active=True, adresse="mesure", modele="vitrine", entete=True, accroche="Bienvenue")
    page_publique.enregistrer(session, school, choix, version=0, acteur=SYSTEME)
    for rank in range(BLOCKS):
        blocs.creer(session, school.id, titre=f"Bloc {rank}", texte=TEXT, visible=True, acteur=SYSTEME)
    for rank in range(LOGOS):
        drawing = DRAWING.format(rank + 1).encode()
        more = {"texte": f"Logo {rank}", "url": "https://exemple.fr", "visible": True}
        logos.ajouter(session, school.id, "publique", drawing, **more, acteur=SYSTEME)  # type: ignore[arg-type]
    session.commit()
    return str(school.uai)


def seconds(client: FlaskClient, path: str, holds: tuple[str, ...]) -> float:
    """Ask one page and check what it holds; return the time of the answer alone."""
    with chrono() as time:
        answer = client.get(path)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200, f"{path} répond {answer.status_code}"
    assert all(word in text for word in holds), f"{path} ne contient pas ce qu’il doit"
    return time.secondes


def measure(app: Flask, uai: str, rapport: Rapport) -> None:
    """Add the figures of the page, of the list, and of a reader who has the page already."""
    agent, anybody = app.test_client(), app.test_client()
    sign_in(agent)
    page = ("/p/mesure", (f"Bloc {BLOCKS - 1}", f"Logo {LOGOS - 1}", "<table>"))
    people = (f"/etablissements/{uai}/utilisateurs/eleves/", ("ELEVE0", "ELEVE10"))
    for client, (path, holds) in ((anybody, page), (agent, people)):
        seconds(client, path, holds)
    times: dict[str, list[float]] = {"page": [], "liste": []}
    for _ in range(ROUNDS):
        times["page"].append(seconds(anybody, *page))
        times["liste"].append(seconds(agent, *people))
    shown, listed = (statistics.median(times[name]) for name in ("page", "liste"))
    rapport.ajouter("page publique, rendue à chaque fois, médiane", shown * 1000, "ms")
    rapport.ajouter("liste d’élèves, médiane", listed * 1000, "ms")
    rapport.ajouter("débit de la page sur celui de la liste", listed / shown, "fois", seuil=TIMES, sens=">=")
    answer = anybody.get("/p/mesure")
    told = answer.headers
    assert "public" in told["Cache-Control"], "un cache ne peut pas garder la page"
    assert "Set-Cookie" not in told, "la page pose un cookie"
    assert "Cookie" not in told.get("Vary", ""), "la page dépend du lecteur"
    known = {"If-None-Match": told["ETag"]}
    with chrono() as time:
        for _ in range(ROUNDS):
            again = anybody.get("/p/mesure", headers=known)
            assert (again.status_code, again.data) == (304, b""), "la page est renvoyée à qui l’a déjà"
    rapport.ajouter("réponse à qui a déjà la page", time.secondes / ROUNDS * 1000, "ms")


def main() -> int:
    logging.disable(logging.WARNING)
    rapport = Rapport("Page publique")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(demo=True, dossier=Path(folder), base="")
        with app.app_context(), perimetre(db.session(), TOUT):
            upgrade(directory=str(ROOT / "migrations"))
            fill()
            uai = furnish()
            db.session.remove()
        measure(app, uai, rapport)
    return rapport.imprimer()


if __name__ == "__main__":
    raise SystemExit(main())
