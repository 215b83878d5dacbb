from __future__ import annotations

from pathlib import Path

import pytest

from app.exports.fictif import Options, generate
from app.exports.fictif.familles import Tirage
from app.exports.fictif.personnels import staff_of
from app.exports.fictif.personnes import Eleve, Famille, Personnel
from app.exports.fictif.plan import Plan

GRAINE = 7


class Academie:
    """Everybody of one plan, as drawn, for a test to look at."""

    def __init__(self, etablissements: int = 12, eleves: int = 2400) -> None:
        self.plan = Plan(GRAINE, etablissements, eleves)
        tirage = Tirage(self.plan, 2026)
        self.familles: list[Famille] = [f for b in self.plan.bassins for f in tirage.families(b)]
        self.eleves: list[Eleve] = [e for f in self.familles for e in f.eleves]
        self.personnels: list[Personnel] = [
            p for school in self.plan.etablissements for p in staff_of(self.plan, school)
        ]


@pytest.fixture(scope="module")
def academie() -> Academie:
    return Academie()


@pytest.fixture(scope="module")
def fichiers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small académie in every format, unpacked."""
    folders = {}
    for format_ in ("aaf", "siecle", "annuaire"):
        folder = tmp_path_factory.mktemp(format_)
        options = Options(etablissements=6, eleves=700, graine=GRAINE, format=format_, zip=False)
        generate(folder, options)
        folders[format_] = folder
    return folders
