"""Uploaded files: our names, sizes counted on the way, nothing left after a refusal."""

from __future__ import annotations

import io
import os
import time

import pytest

from app.errors import RuleViolationError
from app.operations import uploads


def put(folder, *files, max_bytes=1000):
    return uploads.store(folder, [(name, io.BytesIO(data)) for name, data in files], max_bytes=max_bytes)


class TestStore:
    def test_writes_under_our_own_names(self, tmp_path):
        depot = put(tmp_path, ("Élèves.XML", b"<a/>"), ("../../etc/passwd.zip", b"PK"))
        assert depot.fichiers == ("01-eleves.xml", "02-passwd.zip")
        assert [path.name for path in uploads.paths(tmp_path, depot.jeton)] == list(depot.fichiers)
        assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == list(depot.fichiers)

    @pytest.mark.parametrize("name", ["x.exe", "xml", "", "a.xml.html", "C:\\con.php", "\x00.svg"])
    def test_refuses_other_kinds(self, tmp_path, name):
        with pytest.raises(RuleViolationError):
            put(tmp_path, (name, b"x"))
        assert list(tmp_path.iterdir()) == []

    def test_refuses_too_big_even_when_the_first_files_were_fine(self, tmp_path):
        with pytest.raises(RuleViolationError, match="dépassent"):
            put(tmp_path, ("a.xml", b"x" * 900), ("b.xml", b"x" * 200))
        assert list(tmp_path.iterdir()) == []

    def test_refuses_nothing_and_empty(self, tmp_path):
        with pytest.raises(RuleViolationError, match="au moins un fichier"):
            put(tmp_path)
        with pytest.raises(RuleViolationError, match="vide"):
            put(tmp_path, ("a.xml", b""))

    def test_refuses_a_crowd(self, tmp_path):
        with pytest.raises(RuleViolationError, match="60 fichiers"):
            put(tmp_path, *[(f"{n}.xml", b"x") for n in range(61)])


class TestDepot:
    @pytest.mark.parametrize("jeton", ["", "..", "../../etc", "0" * 31, "Z" * 32])
    def test_a_forged_token_opens_nothing(self, tmp_path, jeton):
        (tmp_path / "x").mkdir()
        with pytest.raises(RuleViolationError):
            uploads.paths(tmp_path, jeton)
        uploads.discard(tmp_path, jeton)
        assert (tmp_path / "x").is_dir()

    def test_purge_deletes_the_old_only(self, tmp_path):
        old, new = put(tmp_path, ("a.xml", b"x")), put(tmp_path, ("a.xml", b"x"))
        past = time.time() - 3 * 86_400
        os.utime(tmp_path / old.jeton, (past, past))
        assert uploads.purge(tmp_path) == 1
        assert [path.name for path in tmp_path.iterdir()] == [new.jeton]
