"""A model of services on a thousand schools: compared, worked out, put on, undone, on both engines.

Every school says half of the rights by itself before; all of it is checked after, and every chain of the
journal verified. Run: ``python -m bench.modeles [--ecoles 1000]``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select
from sqlalchemy.engine import make_url

from app import create_app
from app.extensions import db
from app.jobs import runner
from app.models import (
    PROFILS,
    Academie,
    Attribution,
    BilanEtablissement,
    Compte,
    DroitService,
    Etablissement,
    EtablissementApplication,
    Journal,
)
from app.operations import applications, journal, modeles
from app.operations.catalogue import charger
from app.operations.modeles import Portee
from app.operations.saisies import Actor
from app.queries import cibles, comparaison
from app.queries.etats_services import catalogue, fill, schools
from app.security.perimetres import TOUT, perimetre
from bench.commun import Rapport, chrono
from bench.comptes_en_nombre import SERVEUR, server

APERCU, APPLICATION = 5.0, 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ecoles", type=int, default=1000)
    options = parser.parse_args()
    missed = 0
    for engine in ("sqlite", "postgresql"):
        rapport = Rapport(f"Modèle de services, {options.ecoles} établissements, {engine}")
        with tempfile.TemporaryDirectory(prefix="preau-modeles-") as folder:
            name = f"preau_modeles_{os.getpid()}"
            base = make_url(SERVEUR).set(database=name).render_as_string(hide_password=False)
            settings = {"base": base} if engine == "postgresql" else {}
            if settings:
                server(f'CREATE DATABASE "{name}"')
            try:
                measure(create_app(demo=True, dossier=Path(folder), **settings), options.ecoles, rapport)
            finally:
                if settings:
                    server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        missed |= rapport.imprimer()
    return missed


def measure(app: Flask, count: int, rapport: Rapport) -> None:
    """Fill a base, compare, work out, put on, check what is there, give all back."""
    with app.app_context(), perimetre(db.session(), TOUT):
        upgrade()
        session = db.session()
        who = _fill(count)
        known = [
            one for one in cibles.targets(catalogue(session)) if not one.fixe and one.service.offert is None
        ]
        lines = {one.cle: not one.defaut for one in known if one.genre == "droit"}
        lines |= {"etat:chat": True, "etat:notes_absences": True, "composant:notes_absences.interne": True}
        modele = modeles.creer(session, nom="Mesure", lignes=lines, portee=Portee("plateforme"), acteur=who)
        session.commit()
        with chrono() as compared:
            read = comparaison.of_model(session, catalogue(session), modele.lignes)
            ecoles = schools(session, [])
            fill(session, ecoles, read.wanted)
            gaps = sum(len(read.gaps(one)) for one in ecoles.values())
        rapport.ajouter(f"comparés, {gaps} écarts", compared.secondes, "s", APERCU)
        session.rollback()
        with chrono() as worked_out:
            made = applications.preparer(session, modele, schools(session, []), selection="Tous", acteur=who)
            session.commit()
        rapport.ajouter("aperçu de chaque changement", worked_out.secondes, "s", APERCU)
        busy = time.process_time()
        with chrono() as done:
            _run(app, made, who)
        rapport.ajouter("appliqué, journal et compte rendu compris", done.secondes, "s", APPLICATION)
        rapport.ajouter("dont travail du processus", time.process_time() - busy, "s")
        _check(count, len(lines))
        with chrono() as undone:
            back = applications.defaire(session, made, acteur=who)
            session.commit()
            _run(app, back, who)
        rapport.ajouter("défait", undone.secondes, "s", APPLICATION)
        open_ = select(func.count()).where(DroitService.fin.is_(None))
        assert session.scalar(open_) == _own(count), session.scalar(open_)
        session.rollback()
        db.session.remove()
        db.engine.dispose()


def _run(app: Flask, application: object, who: Actor) -> None:
    session = db.session()
    applications.confirmer(session, application, acteur=who)  # type: ignore[arg-type]
    session.commit()
    runner.run(app, application.tache_id or 0)  # type: ignore[attr-defined]
    session.rollback()


def _own(count: int) -> int:
    """Return how many rights schools say by themselves before."""
    return count * 20


def _fill(count: int) -> Actor:
    """Write a catalogue, schools that say some rights by themselves, and who applies."""
    session = db.session()
    charger(session)
    academie = Academie(code="18", nom="Mesure")
    admin = Compte(username="mesure", first_name="M", last_name="M", email="m@x.fr", active=True, password="")
    session.add_all([academie, admin])
    session.flush()
    session.add(Attribution(compte_id=admin.id, role="assistant_plateforme", academie_id=academie.id))
    session.add_all(
        Etablissement(
            uai=f"{n:07d}A", nom=f"Collège {n}", nom_recherche=f"college {n}", academie_id=academie.id
        )
        for n in range(1, count + 1)
    )
    session.flush()
    ids = session.scalars(select(Etablissement.id)).all()
    session.execute(
        insert(BilanEtablissement),
        [{"etablissement_id": pk, "eleves": 500, "enseignants": 40, "responsables": 900} for pk in ids],
    )
    cells = [
        (role.id, profil, defaut)
        for service in catalogue(session).values()
        for role in service.roles.values()
        for profil, (defaut, fixe) in role.cells.items()
        if not fixe and service.offert is None and profil in PROFILS
    ][:20]
    session.execute(
        insert(DroitService),
        [
            {
                "etablissement_id": pk,
                "role_id": role,
                "profil": profil,
                "accorde": defaut if pk % 2 else not defaut,
            }
            for pk in ids
            for role, profil, defaut in cells
        ],
    )
    session.commit()
    return Actor("Mesure", admin.id)


def _check(count: int, lines: int) -> None:
    """A fast act is no act unless every school is as the model says, reported and told."""
    session = db.session()
    done = select(func.count()).where(EtablissementApplication.etat == "fait")
    assert session.scalar(done) == count
    assert session.scalar(select(func.sum(EtablissementApplication.refuses))) == 0
    assert session.scalar(select(func.count()).where(Journal.acte == "service.activer")) == 2 * count
    opened = session.scalar(select(func.count()).where(DroitService.fin.is_(None))) or 0
    assert opened == (lines - 3) * count, opened
    for chaine in session.scalars(select(Journal.chaine).distinct().limit(50)).all():
        assert journal.verify(session, chaine) is None
    session.rollback()


if __name__ == "__main__":
    raise SystemExit(main())
