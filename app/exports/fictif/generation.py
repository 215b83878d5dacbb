"""Run a generation: lay the plan, draw everybody, write the files of a format."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from app.exports.fictif import aaf
from app.exports.fictif.familles import Tirage
from app.exports.fictif.personnels import staff_of
from app.exports.fictif.plan import Plan

DATE_PAR_DEFAUT = date(2026, 11, 16)
JOURS_ENTRE_EXPORTS = 7


@dataclass(frozen=True)
class Options:
    """What to generate. ``variante`` is the percentage of changes of each later export, ``rang``
    how many exports later (1 = the next one).
    """

    etablissements: int = 12
    eleves: int = 2400
    graine: int = 1
    format: str = "aaf"
    jour: date = DATE_PAR_DEFAUT
    variante: float = 0.0
    rang: int = 1
    zip: bool = True

    @property
    def jour_export(self) -> date:
        """The day written in the files: later exports are a week apart."""
        return self.jour + timedelta(days=JOURS_ENTRE_EXPORTS * self.rang if self.variante else 0)

    @property
    def annee(self) -> int:
        """The school year, by the year it starts."""
        return self.jour.year if self.jour.month >= 8 else self.jour.year - 1


@dataclass
class Bilan:
    """What was written."""

    comptes: dict[str, int] = field(default_factory=dict)
    fichiers: list[Path] = field(default_factory=list)

    @property
    def personnes(self) -> int:
        """How many people the files hold."""
        return sum(self.comptes.get(kind, 0) for kind in ("eleves", "responsables", "personnels"))


def generate(folder: Path, options: Options, progress: Callable[[int], None] = lambda _done: None) -> Bilan:
    """Write the académie into ``folder``; ``progress`` is told the number of people so far.

    :raises app.errors.UserError: when the options cannot make an académie.
    """
    plan = Plan(options.graine, options.etablissements, options.eleves)
    folder.mkdir(parents=True, exist_ok=True)
    return _write_aaf(folder, plan, options, progress)


def _write_aaf(folder: Path, plan: Plan, options: Options, progress: Callable[[int], None]) -> Bilan:
    jour = options.jour_export
    schools = aaf.Flux(folder, "EtabEducNat", jour, ("categorieStructure", "EtabEducNat"))
    pupils = aaf.Flux(folder, "Eleve", jour, ("categoriePersonne", "Eleve"))
    adults = aaf.Flux(folder, "PersRelEleve", jour, ("categoriePersonne", "PersRelEleve"))
    staff = aaf.Flux(folder, "PersEducNat", jour, ("categoriePersonne", "PersEducNat"))
    tirage = Tirage(plan, options.annee)
    for bassin in plan.bassins:
        for school in bassin.etablissements:
            schools.write(school.jointure, aaf.etablissement(school))
            for person in staff_of(plan, school):
                staff.write(person.jointure, aaf.personnel(person))
        for famille in tirage.families(bassin):
            for eleve in famille.eleves:
                pupils.write(eleve.jointure, aaf.eleve(eleve))
            for adult in (*famille.responsables, *famille.non_cites):
                adults.write(adult.jointure, aaf.responsable(adult))
        progress(pupils.total + adults.total + staff.total)
    for flux in (schools, pupils, adults, staff):
        flux.close()
    mefs, matieres = aaf.nomenclatures(folder, jour)
    named = {
        "etablissements": schools, "mefs": mefs, "matieres": matieres,
        "eleves": pupils, "responsables": adults, "personnels": staff,
    }  # fmt: skip
    files = [path for flux in named.values() for path in flux.fichiers]
    if options.zip:
        archive = folder / f"ENT2DVA.{jour:%Y%m%d}.Complet.zip"
        pack(archive, files, jour)
        files = [archive]
    return Bilan({name: flux.total for name, flux in named.items()}, files)


def pack(archive: Path, files: list[Path], jour: date) -> None:
    """Move files into an archive whose bytes depend on their content and ``jour`` only."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for path in files:
            info = zipfile.ZipInfo(path.name, (jour.year, jour.month, jour.day, 4, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with path.open("rb") as source, target.open(info, "w", force_zip64=True) as entry:
                while chunk := source.read(1 << 20):
                    entry.write(chunk)
            path.unlink()
