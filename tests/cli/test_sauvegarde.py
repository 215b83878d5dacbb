"""Backup and restore: everything comes back, and nothing is replaced by mistake."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Journal
from app.operations import journal

pytestmark = pytest.mark.schema  # a restoration replaces the whole base


def acts(app: Flask) -> list[str]:
    with app.app_context():
        found = list(db.session.scalars(select(Journal.acte), execution_options={"hors_perimetre": True}))
        db.session.remove()
    return found


@pytest.fixture
def saved(app: Flask, session: Session, tmp_path: Path) -> Path:
    """A backup of a base with one line, to which another line was added since."""
    journal.write(session, acte="avant")
    session.commit()
    keys = tmp_path / "cles.json"
    keys.write_text('{"PREAU_CLE_SECRETE": "a"}')
    path = tmp_path / "copie.preau"
    answer = app.test_cli_runner().invoke(args=["preau", "sauvegarder", str(path)])
    assert answer.exit_code == 0, answer.output
    keys.write_text('{"PREAU_CLE_SECRETE": "b"}')
    journal.write(session, acte="après")
    session.commit()
    session.close()
    return path


def test_the_base_and_the_keys_come_back(app: Flask, saved: Path, tmp_path: Path) -> None:
    assert acts(app) == ["avant", "après"]
    answer = app.test_cli_runner().invoke(args=["preau", "restaurer", str(saved), "--oui"])
    assert answer.exit_code == 0, answer.output
    assert acts(app) == ["avant"]
    assert (tmp_path / "cles.json").read_text() == '{"PREAU_CLE_SECRETE": "a"}'


def test_the_file_is_readable_by_its_owner_only(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600


def test_without_a_yes_nothing_is_replaced(app: Flask, saved: Path) -> None:
    answer = app.test_cli_runner().invoke(args=["preau", "restaurer", str(saved)], input="non\n")
    assert answer.exit_code == 1
    assert acts(app) == ["avant", "après"]


def test_a_file_already_there_is_not_replaced(app: Flask, saved: Path) -> None:
    before = saved.read_bytes()
    answer = app.test_cli_runner().invoke(args=["preau", "sauvegarder", str(saved)])
    assert answer.exit_code == 1
    assert "existe déjà" in answer.output
    assert saved.read_bytes() == before


@pytest.mark.parametrize("content", [b"rien", b"PK\x05\x06" + b"\0" * 18])
def test_another_file_is_refused_kindly(app: Flask, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "autre.zip"
    path.write_bytes(content)
    answer = app.test_cli_runner().invoke(args=["preau", "restaurer", str(path), "--oui"])
    assert answer.exit_code == 1
    assert "n’est pas une sauvegarde de Préau" in answer.output
