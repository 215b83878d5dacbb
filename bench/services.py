"""The grid of rights: 30 services × 6 columns read by a signed-in person, 500 cells saved in one act.

A page is held to what the frame costs around it (the same account on the sheet of the school), a saving to
bare inserts of as many rows with their journal. Both engines. Run: ``python -m bench.services``.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import create_engine, event, insert, select, text
from sqlalchemy.engine import make_url

from app import create_app
from app.extensions import db, now
from app.models import (
    PROFILS,
    Attribution,
    CelluleService,
    Compte,
    DroitService,
    Etablissement,
    Personne,
    Rattachement,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.operations.droits_services import Changement, enregistrer_droits
from app.operations.saisies import Actor
from app.operations.sessions import open_session
from app.queries.droits import cases_of, services_of
from app.security.perimetres import TOUT, perimetre
from bench.commun import Rapport, chrono

SERVEUR = os.environ.get("PREAU_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
UAI = "0370001A"
SERVICES, ROLES, GENS, CELLULES = 36, 3, 1700, 500
"""36 services × 5 profiles hold the 180 rows of 30 × 6; three roles each make 540 cells to change."""
LECTURES, DEFAIRES = 60, 7
WHO = Actor("Mesure")


def main() -> int:
    missed = 0
    for engine in ("sqlite", "postgresql"):
        rapport = Rapport(f"Grille de droits, {SERVICES * ROLES * len(PROFILS)} cellules, {engine}")
        with tempfile.TemporaryDirectory(prefix="preau-services-") as folder:
            name = f"preau_services_{os.getpid()}"
            base = make_url(SERVEUR).set(database=name).render_as_string(hide_password=False)
            settings = {"base": base} if engine == "postgresql" else {}
            if settings:
                _server(f'CREATE DATABASE "{name}"')
            try:
                measure(create_app(demo=True, dossier=Path(folder), **settings), rapport)
            finally:
                if settings:
                    _server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        missed |= rapport.imprimer()
    return missed


def measure(app: Flask, rapport: Rapport) -> None:
    """Fill a base, read its grid as a browser does, save most of it, check what is there."""
    with app.app_context(), perimetre(db.session(), TOUT):
        upgrade()
        token = _fill()
        engine = db.engine
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["jeton"] = token
    grid, sheet = f"/etablissements/{UAI}/services/categorie/communication", f"/etablissements/{UAI}/"
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    page = _read(client, grid)
    assert page.count('name="c"') == SERVICES * ROLES * len(PROFILS), page.count('name="c"')
    sent.clear()
    _read(client, grid)
    said = [line for line in sent if line.startswith(("SELECT", "INSERT", "UPDATE", "WITH"))]
    rapport.ajouter("instructions de la page", len(said), "", 10)
    (here, busy), (around, _) = _median(client, grid), _median(client, sheet)
    rapport.ajouter("page de la grille, médiane", here, "ms", 60)
    rapport.ajouter("dont travail du processus", busy, "ms")
    rapport.ajouter("rapport à la fiche de l’établissement", here / around, "fois")
    with app.app_context(), perimetre(db.session(), TOUT):
        _save(rapport)
        db.session.remove()
        db.engine.dispose()


def _save(rapport: Rapport) -> None:
    session = db.session()
    school = session.scalars(select(Etablissement.id)).one()
    times, busy = [], 0.0
    for rank in range(DEFAIRES):
        cells = [case for _one, _role, case in cases_of(services_of(session, school))][:CELLULES]
        wanted = [Changement(one.role_id, one.profil, not one.coche, vu=one.coche) for one in cells]
        session.rollback()
        began = time.process_time()
        with chrono() as done:
            written = enregistrer_droits(session, school, wanted, acteur=WHO)
            session.commit()
        busy += time.process_time() - began
        assert len(written) == CELLULES
        told = {(c.role_id, c.profil): c.coche for _s, _r, c in cases_of(services_of(session, school))}
        assert all(told[one.role_id, one.profil] == one.accorde for one in wanted), rank
        session.rollback()
        times.append(done.secondes * 1000)
    rows = [
        {"etablissement_id": school, "role_id": one.role_id, "profil": one.profil, "accorde": one.accorde,
         "debut": now(), "fin": now(), "par": "Mesure"}
        for one in wanted
    ]  # fmt: skip
    with chrono() as bare:
        session.execute(insert(DroitService), rows)
        session.commit()
    middle = statistics.median(times)
    rapport.ajouter(f"{CELLULES} cellules enregistrées, journal compris, médiane", middle, "ms", 300)
    rapport.ajouter("dont travail du processus", busy * 1000 / DEFAIRES, "ms")
    rapport.ajouter("rapport à l’écriture nue d’autant de lignes", middle / (bare.secondes * 1000), "fois")


def _median(client: FlaskClient, path: str) -> tuple[float, float]:
    """Return the median milliseconds of a page, warm, and those this process worked for one."""
    times = []
    began = time.process_time()
    for _ in range(LECTURES):
        with chrono() as done:
            _read(client, path)
        times.append(done.secondes * 1000)
    return statistics.median(times), (time.process_time() - began) * 1000 / LECTURES


def _read(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def _fill() -> str:
    """Write a school of 1 700 people, a catalogue of 36 services, and who administers it; their token."""
    session = db.session()
    school = Etablissement(uai=UAI, nom="Collège", nom_recherche="college")
    session.add(school)
    session.flush()
    for rank in range(SERVICES):
        service = Service(code=f"s{rank}", nom=f"Service {rank}", categorie="communication",
                          nature="initial", forme="roles", ordre=rank)  # fmt: skip
        service.disponibilites.append(ServiceCollectivite())
        for number in range(ROLES):
            role = RoleService(code=f"r{number}", nom=f"Rôle {number}", ordre=number)
            role.cellules = [CelluleService(profil=profil) for profil in PROFILS]
            service.roles.append(role)
        session.add(service)
    people = [Personne(nom=f"NOM{n}", prenom="Zoé", nom_recherche=f"nom{n} zoe") for n in range(GENS)]
    session.add_all(people)
    session.flush()
    session.add_all(
        Rattachement(personne_id=one.id, etablissement_id=school.id, cle=one.nom_recherche,
                     profil=PROFILS[0 if rank % 3 else 3])
        for rank, one in enumerate(people)
    )  # fmt: skip
    account = Compte(username="mesure", first_name="Zoé", last_name="MESURE", email="m@exemple.fr",
                     active=True, password="")  # fmt: skip
    session.add(account)
    session.flush()
    session.add(Attribution(compte_id=account.id, role="correspondant", etablissement_id=school.id))
    token = open_session(session, account)
    session.commit()
    return token


def _server(statement: str) -> None:
    engine = create_engine(make_url(SERVEUR).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main())
