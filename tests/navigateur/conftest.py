"""A real server with a small académie, and Chromium driven over it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app import create_app
from app.extensions import db, now
from app.models import (
    Academie,
    Alimentation,
    Attribution,
    Collectivite,
    Compte,
    Courriel,
    Division,
    Etablissement,
    Journal,
    Matiere,
    Mef,
    Personne,
    Rattachement,
    Tache,
)
from app.operations import journal
from app.operations.catalogue import charger
from app.queries.noms import ecole_key, search_key
from app.security.passwords import hash_password
from app.security.perimetres import TOUT, perimetre
from app.security.roles import ROLE_PORTEES, Portee, Role
from tests.conftest import upgrade
from tests.support.services import chromium_path

PASSWORD = "le préau sous la pluie"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONG = (
    "Établissement régional d’enseignement adapté Anne-Sophie-de-la-Rochefoucauld-Montbazon et Saint-Exupéry"
)
FOREIGN = {
    "List",
    "Show",
    "Add",
    "Edit",
    "Delete",
    "Search",
    "Record",
    "Save",
    "Back",
    "Login",
    "Logout",
    "True",
    "False",
    "None",
    "null",
    "Yes",
    "No",
    "Home",
}
TOWNS = ("Montreuil-les-Ormes", "Saint-Benoît-du-Bocage", "Vierzac", "La Chapelle-aux-Saules", "Blésois")


def _schools(session: Session) -> list[Etablissement]:
    academie = Academie(code="18", nom="Touraine-Berry")
    collectivite = Collectivite(code="37", nom="Département du Val-d’Indrois")
    session.add_all([academie, collectivite, Academie(code="19", nom="Basse-Loire")])
    session.flush()
    schools = []
    for n in range(60):
        name = LONG if n == 3 else f"Collège {('Honoré-de-Balzac', 'George-Sand', 'Ronsard')[n % 3]} {n}"
        school = Etablissement(
            uai=f"037{n:04}A", nom=name, nom_recherche=search_key(name), type="Collège",
            recherche=ecole_key(name, TOWNS[n % 5], f"037{n:04}A"),
            commune=TOWNS[n % 5], code_postal="37190", academie_id=academie.id,
            collectivite_id=collectivite.id, nombre_eleves=400 + n, telephone="02 61 91 00 12",
            adresse="12, rue du Lys-dans-la-Vallée", email=f"ce.037{n:04}a@exemple.fr",
        )  # fmt: skip
        session.add(school)
        schools.append(school)
    session.flush()
    return schools


def _people(session: Session, school: Etablissement) -> None:
    session.add(Mef(code="10010012110", libelle="3EME"))
    session.add_all([Matiere(code=f"{n:06}", libelle=f"Matière {n}") for n in range(5)])
    division = Division(etablissement_id=school.id, code="3B", libelle="3e B")
    session.add(division)
    session.flush()
    for n in range(40):
        nom = "LE GOFF-KERVELLA-DE-SAINT-HILAIRE" if n == 2 else f"BALLANDIER{n}"
        person = Personne(nom=nom, prenom="Anne-Sophie", nom_recherche=f"{nom.lower()} anne sophie")
        session.add(person)
        session.flush()
        link = {"personne_id": person.id, "etablissement_id": school.id, "division_id": division.id}
        session.add(Rattachement(profil="eleve", **link))
    session.flush()


def _follow_up(session: Session, school: Etablissement) -> None:
    feed = {"source": "siecle", "etablissement_id": school.id, "demandee_par": "Claire Montagné"}
    for etat in ("apercu", "appliquee"):
        session.add(Alimentation(cle_portee=f"siecle:{school.uai}", etat=etat, date_export=now(), **feed))
    work = {"type": "alimentation.lire", "etablissement_id": school.id}
    session.add(Tache(libelle="Lecture de ExportXML_ElevesSansAdresses.zip", etat="cours", fait=1240,
                      total=3104, bail="essai", bail_jusqua=now() + timedelta(days=1), **work))  # fmt: skip
    session.add(Tache(libelle="Application de l’alimentation 12", etat="echec", fin_le=now(),
                      message="Le fichier ne s’ouvre plus. Déposez-le de nouveau.", **work))  # fmt: skip
    session.add(Courriel(destinataire="ce@exemple.fr", objet="Avis", texte="…", cle="a", etat="echec"))
    for n in range(30):
        what = {"objet_type": "etablissement", "objet_id": school.id, "objet": school.nom}
        changes = {"avant": {"commune": "Avant"}, "apres": {"commune": str(n)}}
        act = {"acte": "établissement modifié", "acteur": "Claire Montagné"}
        journal.write(session, etablissement_id=school.id, **act, **what, **changes)


def _accounts(session: Session, school: Etablissement) -> None:
    digest = hash_password(PASSWORD)
    columns = {
        Portee.ACADEMIE: {"academie_id": school.academie_id},
        Portee.COLLECTIVITE: {"collectivite_id": school.collectivite_id},
        Portee.ETABLISSEMENT: {"etablissement_id": school.id},
    }
    for role in Role:
        person = Personne(nom="Montagné", prenom="Claire", nom_recherche="montagne claire")
        session.add(person)
        session.flush()
        row = Compte(username=str(role), first_name="Claire", last_name="Montagné", active=True,
                     email=f"{role}@exemple.fr", password=digest, personne_id=person.id)  # fmt: skip
        session.add(row)
        session.flush()
        perimeter: dict[str, Any] = columns.get(ROLE_PORTEES[role], {})
        session.add(Attribution(compte_id=row.id, role=str(role), **perimeter))


def seed(app: Flask) -> None:
    """Fill the base: 60 schools, a school with people, feeds, work, journal, one account per role."""
    with app.app_context(), perimetre(db.session(), TOUT):
        session = db.session()
        school = _schools(session)[0]
        charger(session)
        _people(session, school)
        _follow_up(session, school)
        _accounts(session, school)
        session.commit()
        assert session.query(Journal).count() >= 30


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a fresh, filled Préau on the loopback."""
    app = create_app(demo=True, dossier=folder)
    upgrade(app)
    seed(app)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server of this session answers."""
    with serving(tmp_path_factory.mktemp("navigateur")) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all the tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), headless=True, args=FLAGS)
        yield chromium
        chromium.close()


class Visitor:
    """Somebody at a browser, and everything that went wrong meanwhile."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.wrong: list[str] = []
        page.on("console", lambda message: message.type in {"error", "warning"} and self.note(message.text))
        page.on("pageerror", lambda error: self.note(str(error)))
        page.on(
            "response", lambda answer: answer.status >= 500 and self.note(f"{answer.status} {answer.url}")
        )

    def note(self, text: str) -> None:
        self.wrong.append(f"{self.page.url}: {text}")

    def sign_in(self, role: Role | str) -> None:
        self.page.goto(f"{self.address}/connexion")
        self.page.fill("[name=identifiant]", str(role))
        self.page.fill("[name=mdp]", PASSWORD)
        self.page.press("[name=mdp]", "Enter")
        self.page.wait_for_url(f"{self.address}/")

    def open(self, path: str) -> int:
        answer = self.page.goto(path if path.startswith("http") else self.address + path)
        return int(answer.status)

    def menu(self) -> list[str]:
        """Return the address of every page of the menus."""
        found: dict[str, None] = {}
        links = "a => a.filter(l => l.origin === location.origin).map(l => l.href)"
        for module in self.page.eval_on_selector_all(".pr-modules a", links) or [self.address + "/"]:
            self.open(module)
            found.update(dict.fromkeys(self.page.eval_on_selector_all(".pr-tree a", links)))
        return list(found)

    def axe(self) -> list[str]:
        """Return what axe finds against accessibility on this page."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]})["violations"]
        return [f"{self.page.url}: {v['id']} {v['nodes'][0]['target']} ×{len(v['nodes'])}" for v in found]

    def english(self) -> list[str]:
        """Return the words on the page that nobody wrote for its reader."""
        words = set(re.findall(r"[\w’']+", self.page.inner_text("body")))
        return [f"{self.page.url}: {word}" for word in sorted(words & FOREIGN)]

    def overflow(self) -> str:
        """Return the widest thing when the page scrolls sideways."""
        return str(
            self.page.evaluate(
                """() => {
                  const width = document.documentElement.clientWidth;
                  if (document.documentElement.scrollWidth <= width) return "";
                  const clipped = (e) => e.closest(".pr-table-wrap, .pr-tabs, .pr-modules");
                  const wide = [...document.querySelectorAll("body *")]
                    .filter(e => e.getBoundingClientRect().right > width + 1 && !clipped(e));
                  const shown = wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80));
                  return location.pathname + " " + shown.join(" | ");
                }"""
            )
        )


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Visitor]]:
    """Open a browser window of a width, as nobody yet."""
    contexts = []

    def make(width: int = 1440, height: int = 900, **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR", **options)
        contexts.append(context)
        return Visitor(context.new_page(), address)

    yield make
    for context in contexts:
        context.close()
