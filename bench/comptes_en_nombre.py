"""Suspending ten thousand accounts in one act: the whole of it, a line of the journal each, on both engines.

The report is read back and every chain of the journal verified; beside it, bare updates of the same rows
tell what the machine alone takes. Run: ``python -m bench.comptes_en_nombre [--personnes 10000]``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from app import create_app
from app.database import bulk_insert, bulk_update, instant
from app.extensions import db, now
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
from app.operations import actes_en_nombre, journal
from app.operations.saisies import Actor
from app.security.perimetres import TOUT, perimetre
from bench.commun import Rapport, chrono

SERVEUR = os.environ.get("PREAU_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
ECOLES = 12
SEUIL = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--personnes", type=int, default=10_000)
    options = parser.parse_args()
    missed = 0
    for engine in ("sqlite", "postgresql"):
        rapport = Rapport(f"Actes en nombre, {options.personnes} comptes, {engine}")
        with tempfile.TemporaryDirectory(prefix="preau-actes-") as folder:
            name = f"preau_actes_{os.getpid()}"
            base = make_url(SERVEUR).set(database=name).render_as_string(hide_password=False)
            settings = {"base": base} if engine == "postgresql" else {}
            if settings:
                server(f'CREATE DATABASE "{name}"')
            try:
                measure(create_app(demo=True, dossier=Path(folder), **settings), options.personnes, rapport)
            finally:
                if settings:
                    server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        missed |= rapport.imprimer()
    return missed


def measure(app: Flask, count: int, rapport: Rapport) -> None:
    """Fill a base, suspend everybody in one act, check what is there, give all back."""
    with app.app_context(), perimetre(db.session(), TOUT):
        upgrade()
        session = db.session()
        who = _fill(count)
        ids = list(session.scalars(select(Personne.id)))
        with chrono() as bare:
            rows = [(instant(session, now()), "Mesure", key) for key in ids]
            bulk_update(session, Personne.__table__, "id", ("suspendu_le", "motif_suspension"), rows)
            session.commit()
        session.execute(text("UPDATE personne SET suspendu_le = NULL, motif_suspension = NULL"))
        session.commit()
        busy = time.process_time()
        with chrono() as done:
            acte = actes_en_nombre.preparer(
                session, "suspendre", ids, selection="Tous", etablissement_id=None, acteur=who
            )
            actes_en_nombre.confirmer(session, acte, "Mesure", acteur=who)
            session.commit()
            runner.run(app, acte.tache_id or 0)
        busy = time.process_time() - busy
        _check(count)
        rapport.ajouter("suspendus, journal et compte rendu compris", done.secondes, "s", SEUIL)
        rapport.ajouter("dont travail du processus", busy, "s")
        rapport.ajouter(
            "rapport à de simples mises à jour des mêmes lignes", done.secondes / bare.secondes, "fois"
        )
        with chrono() as undone:
            back = actes_en_nombre.defaire(session, acte, acteur=who)
            actes_en_nombre.confirmer(session, back, "", acteur=who)
            session.commit()
            runner.run(app, back.tache_id or 0)
        session.rollback()
        left = session.scalar(select(func.count()).where(Personne.suspendu_le.is_not(None)))
        assert left == 0, left
        rapport.ajouter("défait", undone.secondes, "s", SEUIL)
        session.rollback()
        db.session.remove()
        db.engine.dispose()


def _fill(count: int) -> Actor:
    """Write schools, people in them, an account each, and who administers everything."""
    session = db.session()
    schools = [
        Etablissement(uai=f"{n:07d}A", nom=f"Collège {n}", nom_recherche=f"college {n}")
        for n in range(1, ECOLES + 1)
    ]
    session.add_all(schools)
    session.flush()
    moment = instant(session, now())
    people = ((n, f"NOM{n}", "Zoé", f"nom{n} zoe", f"zoe.nom{n}", "aaf", 1, moment, moment, 1)
              for n in range(1, count + 1))  # fmt: skip
    columns = ("id", "nom", "prenom", "nom_recherche", "login", "source", "code_generation", "cree_le",
               "modifie_le", "version")  # fmt: skip
    bulk_insert(session, Personne.__table__, columns, people)
    session.add_all(
        Rattachement(personne_id=n, etablissement_id=schools[n % ECOLES].id, profil="eleve")
        for n in range(1, count + 1)
    )
    bulk_insert(
        session,
        Compte.__table__,
        ("id", "first_name", "last_name", "username", "password", "active", "email", "personne_id"),
        ((n, "Zoé", f"NOM{n}", f"zoe.nom{n}", "", True, f"n{n}@x.example", n) for n in range(1, count + 1)),
    )
    admin = Compte(
        id=count + 1,
        username="mesure",
        first_name="M",
        last_name="M",
        email="m@x.example",
        active=True,
        password="",
    )
    session.add(admin)
    session.flush()
    session.add(Attribution(compte_id=admin.id, role="assistant_n2"))
    session.commit()
    return Actor("Mesure", admin.id)


def _check(count: int) -> None:
    """A fast act is no act unless everybody is suspended, told and reported."""
    session = db.session()
    session.rollback()
    for counted in (
        select(func.count()).where(Personne.suspendu_le.is_not(None)),
        select(func.count()).where(Journal.acte == "compte.suspendre"),
        select(func.count()).where(LigneActeEnNombre.etat == "fait"),
    ):
        assert session.scalar(counted) == count
    assert session.scalars(select(Tache.etat)).all() == ["finie"]
    for chaine in session.scalars(select(Journal.chaine).distinct()).all():
        assert journal.verify(session, chaine) is None
    session.rollback()


def server(statement: str) -> None:
    """Run a statement on the server of databases itself."""
    engine = create_engine(make_url(SERVEUR).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main())
