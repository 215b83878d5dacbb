"""``flask preau alimenter``: exit codes, JSON, and a real kill in the middle (X6)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.config import ROOT
from app.database import reading
from app.exports.fictif import Options, generate
from app.extensions import db
from app.security.perimetres import TOUT, perimetre
from tests.operations.alimentation.support import photo
from tests.support.applications import build, close


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fictional académie of twelve schools."""
    folder = tmp_path_factory.mktemp("aaf")
    return generate(folder, Options(12, 480, 11)).fichiers[0]


@pytest.fixture(scope="module")
def whole(export: Path, template_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the base says when the same files feed an empty SQLite in one go."""
    folder = tmp_path_factory.mktemp("entier")
    shutil.copy(template_sqlite, folder / "preau.db")
    app = build({"demo": True, "dossier": folder})
    arguments = ["preau", "alimenter", str(export), "--appliquer"]
    assert app.test_cli_runner().invoke(args=arguments).exit_code == 0
    with app.app_context(), perimetre(db.session(), TOUT):
        found = photo(db.session())
    close(app)
    return found


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=["preau", "alimenter", *map(str, arguments)])


class TestCommand:
    def test_a_preview_is_the_default_and_writes_nobody(self, run, export, session):
        result = run(export)
        assert result.exit_code == 0
        assert "Aperçu seulement" in result.stdout
        assert session.connection().execute(text("SELECT COUNT(*) FROM personne")).scalar() == 0

    def test_json_is_one_object_of_counts_by_kind(self, run, export):
        result = run(export, "--appliquer", "--json")
        assert result.exit_code == 0
        counts = json.loads(result.stdout)
        assert counts["eleve"]["crees"] == 480
        assert set(counts["eleve"]) == {
            "crees", "modifies", "reconnus", "inchanges", "departs", "retours", "anomalies",
        }  # fmt: skip
        again = json.loads(run(export, "--appliquer", "--json").stdout)
        assert again["eleve"]["inchanges"] == 480
        assert sum(kind["crees"] + kind["modifies"] + kind["departs"] for kind in again.values()) == 0

    def test_nothing_to_do_is_said(self, run, export):
        run(export, "--appliquer")
        assert "Rien à faire" in run(export, "--appliquer").stdout

    def test_one_school(self, run, export, session):
        counts = json.loads(run(export, "--json").stdout)
        uai = (
            session.connection()
            .execute(text("SELECT uai FROM alimentation_etablissement ORDER BY uai LIMIT 1"))
            .scalar()
        )
        result = run(export, "--appliquer", "--etablissement", uai, "--json")
        assert result.exit_code == 0
        assert 0 < json.loads(result.stdout)["eleve"]["crees"] < counts["eleve"]["crees"]
        assert session.connection().execute(text("SELECT COUNT(*) FROM etablissement")).scalar() == 1

    def test_an_unknown_school_is_refused(self, run, export):
        result = run(export, "--etablissement", "0000000Z")
        assert result.exit_code == 1
        assert "0000000Z" in result.stderr

    def test_bad_usage_is_two(self, run, export):
        assert run().exit_code == 2
        assert run("/nulle/part.zip").exit_code == 2
        assert run(export, "--apercu", "--appliquer").exit_code == 2

    def test_a_file_of_nothing_known_is_refused_in_french(self, run, tmp_path):
        odd = tmp_path / "notes.xml"
        odd.write_text("<notes/>")
        result = run(odd, "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["refus"]


def start(settings: dict, export: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PREAU_DEMO": "1", "PREAU_DOSSIER": str(settings["dossier"])}
    environment |= {"PREAU_BASE": settings["base"]} if "base" in settings else {}
    command = [sys.executable, "-m", "flask", "--app", "app:create_app", "preau", "alimenter", str(export)]
    return subprocess.Popen(
        [*command, "--appliquer"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def wait_for(uri: str, statement: str, process: subprocess.Popen[bytes]) -> int:
    """Poll the base until the count is reached; return it."""
    engine = create_engine(uri)
    try:
        while process.poll() is None:
            with reading(), engine.connect() as connection:
                count = connection.execute(text(statement)).scalar() or 0
            if count:
                return int(count)
            time.sleep(0.002)
        return 0
    finally:
        engine.dispose()


class TestKill:
    @pytest.mark.parametrize(
        "moment",
        [
            "SELECT COUNT(*) FROM ecart WHERE objet = 'eleve'",
            "SELECT COUNT(*) FROM alimentation_etablissement WHERE applique_le IS NOT NULL",
        ],
        ids=["lecture", "application"],
    )
    def test_killed_in_the_middle_then_run_again_gives_the_same_base(
        self, app, reglages, export, session, run, whole, moment
    ):
        process = start(reglages, export)
        reached = wait_for(app.config["SQLALCHEMY_DATABASE_URI"], moment, process)
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=30)
        assert reached, output.decode()
        assert process.returncode == -signal.SIGKILL
        done = (
            session.connection()
            .execute(text("SELECT COUNT(*) FROM alimentation_etablissement WHERE applique_le IS NOT NULL"))
            .scalar()
        )
        assert done < 12, "killed too late to prove anything"
        session.rollback()
        assert run(export, "--appliquer").exit_code == 0
        killed = photo(session)
        session.rollback()
        assert killed == whole
