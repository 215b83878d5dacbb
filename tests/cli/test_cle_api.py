"""``flask preau cle-api`` and ``flask preau personnes``."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.models import CleApi, Personne
from tests.security.conftest import attribuer, cast, compte, session  # noqa: F401  (fixtures)


@pytest.fixture
def preau(app):
    def run(*words: str):
        return app.test_cli_runner().invoke(args=["preau", *words])

    return run


@pytest.fixture
def nadia(session, cast):  # noqa: F811
    attribuer(session, compte(session, "nadia.petit"), "correspondant", etablissement_id=cast.ecole_a)
    session.get(Personne, cast.eleve_a).login = "paul.eleve"
    session.commit()


def test_a_key_made_listed_withdrawn(preau, nadia, app, session):  # noqa: F811
    made = preau(
        "cle-api", "creer", "--nom", "Pronote", "--au-nom-de", "nadia.petit", "--role", "correspondant",
        "--etablissement", "0190001A",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    headers = {"Authorization": f"Bearer {made.output.strip()}"}
    assert app.test_client().get("/api/v1/cle/", headers=headers).get_json()["nom"] == "Pronote"
    listed = preau("cle-api", "lister").output
    assert "Pronote" in listed
    assert made.output.strip() not in listed
    pk = session.scalars(select(CleApi.id)).one()
    session.rollback()
    assert preau("cle-api", "revoquer", str(pk)).exit_code == 0
    assert app.test_client().get("/api/v1/cle/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("personne", "--role", "correspondant"), "Aucun compte"),
        (("nadia.petit", "--role", "correspondant", "--etablissement", "0180001B"), "ne tient pas"),
        (("nadia.petit", "--role", "correspondant", "--etablissement", "X"), "n’existe pas"),
        (("nadia.petit", "--role", "assistant_n2"), "ne tient pas"),
    ],
)
def test_a_key_refused(preau, nadia, more, sentence):
    refused = preau("cle-api", "creer", "--nom", "Pronote", "--au-nom-de", *more)
    assert (refused.exit_code, sentence in refused.output) == (1, True), refused.output


def test_people_listed_read_exported(preau, nadia, cast):  # noqa: F811
    lines = preau("personnes", "lister", "--etablissement", "0190001a", "--profil", "eleve").output
    assert "paul.eleve" in lines
    assert "ELEVEb" not in lines
    read = json.loads(preau("personnes", "lire", "paul.eleve").output)
    assert read["id"] == cast.eleve_a
    exported = preau("personnes", "exporter", "--json").output.splitlines()
    assert {json.loads(line)["nom"] for line in exported} >= {"ELEVEa", "ELEVEb"}
    assert preau("personnes", "exporter").output.count("\n") == len(exported) + 1
    wrong = preau("personnes", "lire", "inconnu")
    assert (wrong.exit_code, "inconnu" in wrong.output) == (1, True)
