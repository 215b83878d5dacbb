"""``flask preau modeles``: nothing is done unless it is asked for, and all of it can be undone."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.models import ApplicationModele
from tests.operations.modeles import case, make
from tests.security.conftest import cast

__all__ = ["cast"]


@pytest.fixture
def modele(session, cast, catalogue):
    made = make(session)
    session.commit()
    return made.id


@pytest.fixture
def preau(app, session):
    def run(*arguments):
        session.rollback()
        result = app.test_cli_runner().invoke(args=["preau", "modeles", *map(str, arguments)])
        session.expire_all()
        return result

    return run


def test_compared_as_json(preau, modele):
    lines = [json.loads(line) for line in preau("comparer", modele, "--tous", "--json").output.splitlines()]
    assert {one["uai"]: len(one["ecarts"]) for one in lines} == {"0180001B": 4, "0190001A": 4}


def test_shown_done_and_undone(preau, session, modele, cast):
    shown = preau("appliquer", modele, "--etablissement", "0190001A")
    assert "Rien n’est fait" in shown.output
    assert case(session, cast.ecole_a).coche is False
    assert "1 faits" in preau("appliquer", modele, "--etablissement", "0190001A", "--oui").output
    assert case(session, cast.ecole_a).coche is True
    number = session.scalars(select(ApplicationModele.id)).one()
    assert preau("annuler", number, "--oui").exit_code == 0
    assert case(session, cast.ecole_a).coche is False


def test_what_is_unknown_is_told(preau, modele):
    for arguments in (("comparer", 99, "--tous"), ("comparer", modele, "--etablissement", "0000000Z")):
        result = preau(*arguments)
        assert result.exit_code == 1
    assert preau("comparer", modele).exit_code == 2
