"""20 000 guests from a file: read, judged, created with login, journal line and mail; then taken back."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from app import create_app
from app.extensions import db
from app.jobs.registry import load_handlers
from app.jobs.runner import run
from app.models import (
    Academie,
    Courriel,
    Etablissement,
    ImportInvites,
    Journal,
    Personne,
    Rattachement,
    Tache,
)
from app.operations import invites_import as acts
from app.operations import journal, uploads
from app.operations.saisies import Actor
from app.security.perimetres import TOUT, perimetre
from bench.commun import Rapport, chrono, memoire_max_mio

LIGNES = 20_000
ACTEUR = Actor("Mesure")


def content() -> bytes:
    """Return a file of guests with homonyms, accents and double names."""
    lines = ["Nom;Prénom;Titre;Mail;Date de naissance;Adresse;Code Postal;Commune;;Téléphone Portable"]
    for number in range(LIGNES):
        nom = ("MARTIN", "de La Tour", "LEFÈVRE-DUBOIS", "NGUYỄN")[number % 4]
        day, month, year = 1 + number % 28, 1 + number // 28 % 12, 1940 + number // 336 % 60
        lines.append(
            f"{nom};Prénom{number % 5000};M.;g{number}@exemple.fr;{day:02}/{month:02}/{year};{number} rue;"
            f"37000;TOURS;;06{number:08}"
        )
    return "\r\n".join(lines).encode("cp1252", "ignore")


def do_last(app: Flask) -> float:
    """Run the last task asked for; return its seconds."""
    with app.app_context(), perimetre(db.session(), TOUT):
        id_ = db.session.scalars(select(Tache.id).order_by(Tache.id.desc())).first()
        db.session.rollback()
    with chrono() as taken:
        run(app, int(id_ or 0))
    with app.app_context(), perimetre(db.session(), TOUT):
        task = db.session.get_one(Tache, id_)
        assert task.etat == "finie", task.message
    return taken.secondes


def ask(app: Flask, act: object) -> None:
    """Ask for a step, in a transaction of its own."""
    with app.app_context(), perimetre(db.session(), TOUT):
        item = db.session.scalars(select(ImportInvites)).one()
        act(db.session(), item)  # type: ignore[operator]
        db.session.commit()


def main() -> int:
    rapport = Rapport(f"Import de {LIGNES} invités (SQLite)")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(demo=True, dossier=Path(folder))
        load_handlers()
        with app.app_context(), perimetre(db.session(), TOUT):
            upgrade()
            academie = Academie(code="19", nom="Mesure")
            db.session.add(academie)
            db.session.flush()
            school = Etablissement(
                uai="0190001A", nom="Lycée", nom_recherche="lycee", academie_id=academie.id
            )
            db.session.add(school)
            db.session.flush()
            depot = uploads.store(
                Path(folder) / "depots", [("invites.csv", io.BytesIO(content()))], max_bytes=50_000_000
            )
            acts.deposer(db.session(), school, depot, dernier_jour=None, acteur=ACTEUR)
            db.session.commit()
        reading = do_last(app)
        ask(app, lambda session, item: acts.appliquer(session, item, tout=True, acteur=ACTEUR))
        applying = do_last(app)
        check(app, LIGNES)
        peak = memoire_max_mio()
        ask(app, lambda session, item: acts.annuler(session, item, acteur=ACTEUR))
        undoing = do_last(app)
        check(app, 0)
    rapport.ajouter("lire et vérifier", reading, "s")
    rapport.ajouter("créer", applying, "s")
    rapport.ajouter("lire, vérifier et créer", reading + applying, "s", seuil=60)
    rapport.ajouter("annuler", undoing, "s", seuil=60)
    rapport.ajouter("mémoire la plus haute", peak, "Mio", seuil=400)
    return rapport.imprimer()


def check(app: Flask, expected: int) -> None:
    """Count what the base holds: people, logins, places, mails that wait, a sound journal."""
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        people, logins = session.execute(
            select(func.count(), func.count(Personne.login.distinct())).select_from(Personne)
        ).one()
        places = session.scalar(select(func.count()).select_from(Rattachement))
        waiting = session.scalar(
            select(func.count())
            .select_from(Courriel)
            .where(Courriel.etat == "attente", Courriel.secret.is_not(None))
        )
        lines = session.scalar(
            select(func.count()).select_from(Journal).where(Journal.acte == "invite.creer")
        )
        assert (people, logins, places, waiting) == (expected,) * 4, (people, logins, places, waiting)
        assert lines == LIGNES, lines
        school = session.scalars(select(Etablissement.id)).one()
        assert journal.verify(session, school) is None, "la chaîne du journal est rompue"


if __name__ == "__main__":
    raise SystemExit(main())
