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
    def test_keeps_the_name_its_owner_knows_in_a_folder_of_ours(self, tmp_path):
        depot = put(tmp_path, ("Élèves de l’école.XML", b"<a/>"), ("../../etc/passwd.zip", b"PK"))
        assert depot.fichiers == ("Élèves de l’école.xml", "passwd.zip")
        assert [path.name for path in uploads.paths(tmp_path, depot.jeton)] == list(depot.fichiers)
        assert [path.parent.parent for path in uploads.paths(tmp_path, depot.jeton)] == [
            tmp_path / depot.jeton
        ] * 2

    def test_twice_the_same_name_is_two_files_in_the_order_given(self, tmp_path):
        depot = put(tmp_path, ("a.xml", b"un"), ("a.xml", b"deux"))
        assert [path.read_bytes() for path in uploads.paths(tmp_path, depot.jeton)] == [b"un", b"deux"]

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("<img src=x onerror=alert(1)>.xml", "-img src-x onerror-alert(1)-.xml"),
            ("=cmd|'/c calc'!A1.csv", "c calc'-A1.csv"),
            ("fac\u202elmx.zip", "fac-lmx.zip"),
            ("a\nb\x00c.xml", "a-b-c.xml"),
            ("....xml", "fichier.xml"),
            ("\ud800.zip", "-.zip"),
            ("E\u0301le\u0300ves.xml", "Élèves.xml"),
            ("𝔸" * 90 + ".xml", "𝔸" * 40 + ".xml"),
        ],
    )
    def test_a_hostile_name_leaves_quiet_signs_only(self, tmp_path, given, kept):
        assert put(tmp_path, (given, b"x")).fichiers == (kept,)

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
        with pytest.raises(RuleViolationError, match=r"« a\.xml » est vide"):
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
