"""A fixed cast: two schools in two académies, their people and accounts; and ways in from outside."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.extensions import db, now
from app.models import (
    Academie,
    Attribution,
    Collectivite,
    Compte,
    Division,
    Etablissement,
    Identifiant,
    Personne,
    Rattachement,
    Responsabilite,
)
from app.operations.deployment import Deployment
from app.security.passwords import hash_password
from app.security.perimetres import TOUT, perimetre
from tests.support.applications import Lender

MOT_DE_PASSE = "le préau sous la pluie"


@dataclass(frozen=True)
class Acteur:
    """Somebody who may log in."""

    compte_id: int
    login: str


def personne(session: Session, nom: str, prenom: str, *places: tuple[Etablissement, str]) -> Personne:
    """Write a person and their attachments."""
    row = Personne(nom=nom, prenom=prenom, nom_recherche=f"{nom} {prenom}".lower())
    session.add(row)
    session.flush()
    for school, profil in places:
        session.add(Rattachement(personne_id=row.id, etablissement_id=school.id, profil=profil))
    session.add(Identifiant(personne_id=row.id, type="uid", valeur=f"uid-{row.id}", source="manuel"))
    session.flush()
    return row


def compte(session: Session, login: str, *, personne: Personne | None = None) -> Compte:
    """Write an account that may log in with ``MOT_DE_PASSE``."""
    prenom, _, nom = login.partition(".")
    row = Compte(
        username=login,
        first_name=prenom.title(),
        last_name=nom.upper() or "X",
        email=f"{login}@exemple.fr",
        active=True,
        password=DIGEST,
        personne_id=personne.id if personne else None,
    )
    session.add(row)
    session.flush()
    return row


def attribuer(session: Session, row: Compte, role: str, **perimetre: int) -> Attribution:
    """Grant a role."""
    attribution = Attribution(compte_id=row.id, role=role, **perimetre)
    session.add(attribution)
    session.flush()
    return attribution


DIGEST = hash_password(MOT_DE_PASSE)


def jeton(client: FlaskClient, path: str = "/connexion") -> str:
    """Return the CSRF token of a page."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, f"no CSRF token on {path}"
    return found[1]


def entrer(client: FlaskClient, login: str, mdp: str = MOT_DE_PASSE, **more: str) -> TestResponse:
    """Sign in as a browser does."""
    values = {"identifiant": login, "mdp": mdp, "csrf_token": jeton(client), **more}
    return client.post("/connexion", data=values)


def refus(answer: TestResponse) -> str:
    """Return the sentence a refusal shows."""
    page = answer.get_data(as_text=True)
    found = re.search(r'role="alert".*?<p>(.*?)</p>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]) if found else ""


def connecte(client: FlaskClient) -> bool:
    """Tell whether a page that asks for a session opens."""
    return client.get("/mon-espace/mot-de-passe").status_code == 200


@pytest.fixture
def cast(session: Session) -> SimpleNamespace:
    """School A (académie 1, collectivité 1) and school B (académie 2, collectivité 2), committed."""
    n = SimpleNamespace()
    for letter, code in (("a", "19"), ("b", "18")):
        academie = Academie(code=code, nom=f"Académie {letter.upper()}")
        collectivite = Collectivite(code=f"0{code}", nom=f"Département {letter.upper()}")
        session.add_all([academie, collectivite])
        session.flush()
        school = Etablissement(
            uai=f"0{code}0001{letter.upper()}",
            nom=f"Collège {letter.upper()}",
            nom_recherche=f"college {letter}",
            academie_id=academie.id,
            collectivite_id=collectivite.id,
        )
        session.add(school)
        session.flush()
        session.add(Division(etablissement_id=school.id, code=f"6{letter.upper()}"))
        eleve = personne(session, f"ELEVE{letter}", "Paul", (school, "eleve"))
        parent = personne(session, f"PARENT{letter}", "Jeanne", (school, "responsable"))
        session.add(Responsabilite(eleve_id=eleve.id, responsable_id=parent.id))
        values = {"academie": academie, "collectivite": collectivite, "ecole": school}
        for name, value in {**values, "eleve": eleve, "parent": parent}.items():
            setattr(n, f"{name}_{letter}", value.id)
    a, b = session.get(Etablissement, n.ecole_a), session.get(Etablissement, n.ecole_b)
    assert a is not None
    assert b is not None
    n.deux = personne(session, "DEUX", "Ecoles", (a, "enseignant"), (b, "enseignant")).id
    session.commit()
    session.expunge_all()
    return n


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session that sees everything, apart from the one of requests."""
    with app.app_context():
        engine = db.engine
    with Session(engine, expire_on_commit=False) as own, perimetre(own, TOUT):
        yield own


@pytest.fixture(scope="session")
def fichiers_guichet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of outside sign-ins are written."""
    return tmp_path_factory.mktemp("guichets")


@pytest.fixture
def ouvrir_guichet(
    reglages: dict[str, Any], lender: Lender, fichiers_guichet: Path
) -> Iterator[Callable[..., Flask]]:
    """Open the console on an outside sign-in, told by its mode and the keys of its file.

    The name of the file comes from its content: equal sign-ins are the same application.
    """
    with ExitStack() as lent:

        def open_(mode: str, **values: Any) -> Flask:
            text = json.dumps(values)
            path = fichiers_guichet / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
            path.write_text(text, encoding="utf-8")
            settings = {**reglages, "authentification": mode, f"{mode}_fichier": path}
            return lent.enter_context(lender.lend(settings))

        yield open_


@pytest.fixture
def horloge() -> Iterator[time_machine.Coordinates]:
    """A clock one moves by hand: each code of a second factor belongs to its own half minute."""
    with time_machine.travel(now(), tick=False) as clock:
        yield clock


@pytest.fixture
def ici(app: Flask) -> Deployment:
    """What operations know of this console."""
    return Deployment.of(app.extensions["reglages"])
