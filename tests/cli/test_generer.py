from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from app import create_app


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> FlaskCliRunner:
    """The command line; generating touches no database."""
    application: Flask = create_app(demo=True, dossier=tmp_path_factory.mktemp("var"))
    return application.test_cli_runner()


def run(runner: FlaskCliRunner, *words: object) -> tuple[int, str]:
    result = runner.invoke(args=["preau", "generer", *map(str, words)])
    return result.exit_code, result.output


def test_writes_one_archive_and_says_what_it_holds(runner: FlaskCliRunner, tmp_path: Path) -> None:
    code, output = run(runner, tmp_path, "--etablissements", 2, "--eleves", 60, "--graine", 3)
    assert code == 0
    assert "60  eleves" in output
    assert [path.name for path in tmp_path.iterdir()] == ["ENT2DVA.20261116.Complet.zip"]


def test_siecle_writes_a_folder_by_school_and_the_sts_files(runner: FlaskCliRunner, tmp_path: Path) -> None:
    code, _ = run(runner, tmp_path, "--etablissements", 2, "--eleves", 60, "--format", "siecle")
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "0379012V").iterdir())
    assert names == [
        "ExportXML_ElevesAvecAdresses.zip",
        "ExportXML_Nomenclature.zip",
        "ExportXML_ResponsablesAvecAdresses.zip",
        "ExportXML_Structures.zip",
    ]
    assert (tmp_path / "sts" / "sts_emp_0379012V_2026.xml").exists()


def test_date_and_variant_are_in_the_names(runner: FlaskCliRunner, tmp_path: Path) -> None:
    words = ("--etablissements", 1, "--eleves", 30, "--date", "2026-01-05", "--variante", 4, "--sans-zip")
    code, _ = run(runner, tmp_path, *words)
    assert code == 0
    assert (tmp_path / "ENT2DVA-ENT18_Complet_20260112_Eleve_0000.xml").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--etablissements", 0),
        ("--eleves", "beaucoup"),
        ("--format", "csv"),
        ("--date", "05/01/2026"),
        ("--etablissements", 50, "--eleves", 10),
    ],
)
def test_bad_usage_ends_with_2_and_writes_nothing(
    runner: FlaskCliRunner, tmp_path: Path, words: tuple[object, ...]
) -> None:
    code, output = run(runner, tmp_path / "sortie", *words)
    assert code == 2
    assert "Traceback" not in output
    assert not (tmp_path / "sortie").exists()
