"""What the command line says of a wrong call is French, whatever the machine's language, and exits 2."""

from __future__ import annotations

import re

import pytest
from click import Command, Context
from flask import Flask
from flask.testing import FlaskCliRunner

from app import create_app
from app.cli import preau

ENGLISH = re.compile(
    r"\b(usage|try|error|missing|invalid|such|does not|option requires|unexpected|show this|commands)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> FlaskCliRunner:
    application: Flask = create_app(demo=True, dossier=tmp_path_factory.mktemp("var"))
    return application.test_cli_runner()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["alimenter"], "Il manque l’argument 'CHEMINS...'."),
        (["alimenter", "/nulle/part.xml"], "«\u00a0/nulle/part.xml\u00a0» n’existe pas."),
        (["alimenter", "--graine"], "L’option «\u00a0--graine\u00a0» n’existe pas."),
        (["alimenter", "/", "--json=3"], "L’option «\u00a0--json\u00a0» n’attend pas de valeur."),
        (["alimenter", "/", "--etablissement"], "L’option «\u00a0--etablissement\u00a0» attend une valeur."),
        (["alimenter", "/", "--apercu", "--appliquer"], "Choisissez --apercu ou --appliquer."),
        (["generer", "d", "--eleves", "peu"], "«\u00a0peu\u00a0» n’est pas un nombre accepté ici."),
        (["generer", "d", "--eleves", "0"], "0 sort des bornes\u00a0: x>=1."),
        (["generer", "d", "--format", "ldif"], "«\u00a0ldif\u00a0» n’est pas l’un de ces choix"),
        (["generer", "d", "--date", "hier"], "«\u00a0hier\u00a0» n’est pas une date de la forme AAAA-MM-JJ."),
        (["generer", "d", "e"], "Argument en trop\u00a0: e"),
        (["generer", "/etc/hostname"], "«\u00a0/etc/hostname\u00a0» est un fichier."),
        (["preparer", "--vite"], "L’option «\u00a0--vite\u00a0» n’existe pas."),
        (["alimentr"], "La commande «\u00a0alimentr\u00a0» n’existe pas."),
    ],
)
def test_a_wrong_call_is_told_in_french(runner: FlaskCliRunner, words: list[str], sentence: str) -> None:
    answer = runner.invoke(args=["preau", *words])
    assert answer.exit_code == 2
    assert sentence in answer.output
    assert "Erreur\u00a0: " in answer.output
    assert not ENGLISH.search(answer.output)


def test_a_wrong_call_points_at_the_help(runner: FlaskCliRunner) -> None:
    answer = runner.invoke(args=["preau", "alimenter"])
    assert answer.output.startswith("Emploi\u00a0: ")
    assert "alimenter --help\u00a0» pour lire l’aide." in answer.output


@pytest.mark.usefixtures("runner")
def test_the_help_of_every_command_is_french() -> None:
    commands: list[Command] = [preau, *preau.commands.values()]
    texts = {one.name: one.get_help(Context(one, info_name=one.name)) for one in commands}
    assert len(texts) > 7
    types = re.compile(r"\b(INTEGER|FLOAT|TEXT|PATH|FILE)\b")
    assert {name for name, text in texts.items() if ENGLISH.search(text) or types.search(text)} == set()
