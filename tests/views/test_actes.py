"""Every act the code journals has a code of one style, and words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app.views.actes import ACTES, ANCIENS, FAMILLES, changes, codes_of, said

APP = Path(__file__).resolve().parents[2] / "app"
WRITERS = {"record": 2, "_journal": 1}


def journalled() -> set[str]:
    """Return every act named in a call that writes the journal."""
    found = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = WRITERS.get(name)
            given = [word.value for word in node.keywords if word.arg == "acte"]
            given += [node.args[place]] if place is not None and len(node.args) > place else []
            found |= {
                one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def test_every_act_of_the_code_has_its_words():
    assert len(journalled()) > 10
    assert journalled() - set(ACTES) == set()


def test_one_style_of_code_and_a_family_for_each():
    assert [code for code in ACTES if not re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z_]+", code)] == []
    assert {code.partition(".")[0] for code in ACTES} == set(FAMILLES)
    assert set(ANCIENS.values()) <= set(ACTES)


@pytest.mark.parametrize(
    ("acte", "words"),
    [
        ("compte.suspendre", "Compte suspendu"),
        ("compte suspendu", "Compte suspendu"),
        ("alimentation_appliquee", "Alimentation appliquée"),
        ("matiere.creer", "Matière créée"),
        ("essai", "Essai"),
        ("chose.faire_un_tour", "Chose : faire un tour"),
    ],
)
def test_said(acte, words):
    assert said(acte) == words


def test_a_choice_reads_old_lines_too():
    assert codes_of("compte.suspendre") == ("", ("compte.suspendre", "compte suspendu"))
    start, old = codes_of("connexion")
    assert start == "connexion."
    assert set(old) == {"connexion", "connexion refusée"}
    assert codes_of("'; --") == ("", ())


def test_changes_are_told_by_field():
    told = changes({"site_web": None, "email": "a@b.fr"}, {"site_web": "https://x.fr", "email": "c@d.fr"})
    assert [(one.label, one.before, one.after) for one in told] == [
        ("Site web", "", "https://x.fr"),
        ("E-mail", "a@b.fr", "c@d.fr"),
    ]
