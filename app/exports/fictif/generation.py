"""Run a generation: lay the plan, draw everybody, write the files of a format."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from app.exports.fictif import aaf, annuaire, siecle, sts
from app.exports.fictif.evolution import Evolution
from app.exports.fictif.familles import Tirage
from app.exports.fictif.personnels import host_of
from app.exports.fictif.personnes import Personnel
from app.exports.fictif.plan import Etablissement, Plan

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
    writers = {"aaf": _write_aaf, "siecle": _write_siecle, "annuaire": _write_annuaire}
    return writers[options.format](folder, plan, options, progress)


def _source(plan: Plan, options: Options) -> Tirage | Evolution:
    """Return where people come from: the first export, or a later one."""
    if not options.variante:
        return Tirage(plan, options.annee)
    return Evolution(plan, options.annee, options.variante / 100, options.rang, options.jour_export)


def _write_aaf(folder: Path, plan: Plan, options: Options, progress: Callable[[int], None]) -> Bilan:
    jour = options.jour_export
    schools = aaf.Flux(folder, "EtabEducNat", jour, ("categorieStructure", "EtabEducNat"))
    pupils = aaf.Flux(folder, "Eleve", jour, ("categoriePersonne", "Eleve"))
    adults = aaf.Flux(folder, "PersRelEleve", jour, ("categoriePersonne", "PersRelEleve"))
    staff = aaf.Flux(folder, "PersEducNat", jour, ("categoriePersonne", "PersEducNat"))
    source = _source(plan, options)
    for bassin in plan.bassins:
        for school in bassin.etablissements:
            schools.write(school.jointure, aaf.etablissement(school))
            for person in source.staff(school):
                staff.write(person.jointure, aaf.personnel(person))
        for famille in source.families(bassin):
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


def _write_annuaire(folder: Path, plan: Plan, options: Options, _progress: Callable[[int], None]) -> Bilan:
    path = folder / "fr-en-annuaire-education.csv"
    return Bilan({"etablissements": annuaire.write(path, plan, options.jour_export)}, [path])


def _write_siecle(folder: Path, plan: Plan, options: Options, progress: Callable[[int], None]) -> Bilan:
    source = _source(plan, options)
    bilan = Bilan({"etablissements": 0, "eleves": 0, "responsables": 0, "personnels": 0})
    for bassin in plan.bassins:
        schools = {
            school.uai: siecle.Ecole(school, options.annee, options.jour_export)
            for school in bassin.etablissements
        }
        for famille in source.families(bassin):
            for eleve in famille.eleves:
                for place in eleve.scolarites:
                    schools[place.etablissement.uai].add(eleve, place)
        for ecole in schools.values():
            _save_school(folder, plan, options, source, ecole, bilan)
        progress(bilan.personnes)
    return bilan


def _save_school(
    folder: Path, plan: Plan, options: Options, source: Tirage | Evolution, ecole: siecle.Ecole, bilan: Bilan
) -> None:
    """Write the SIECLE folder of one school and its STS file (in ``sts``).

    Counts are by school: an adult or a teacher of two schools counts twice.
    """
    school = ecole.school
    place = folder / school.uai
    place.mkdir(exist_ok=True)
    files = ecole.save(place)
    if options.zip:
        packed = []
        for path in files:
            archive = place / f"ExportXML_{path.stem}.zip"
            pack(archive, [path], options.jour_export)
            packed.append(archive)
        files = packed
    staff = [*source.staff(school), *_visitors(plan, source, school)]
    sts_folder = folder / "sts"
    sts_folder.mkdir(exist_ok=True)
    name = f"sts_emp_{school.uai}_{options.annee}.xml"
    files.append(sts.write(sts_folder / name, school, staff, options.annee))
    bilan.fichiers += files
    for kind, count in (
        ("etablissements", 1), ("eleves", ecole.eleves), ("responsables", ecole.responsables),
        ("personnels", len(staff)),
    ):  # fmt: skip
        bilan.comptes[kind] += count


def _visitors(plan: Plan, source: Tirage | Evolution, school: Etablissement) -> list[Personnel]:
    """Return the teachers another school employs who also teach here."""
    host = host_of(plan, school)
    if host is None:
        return []
    return [p for p in source.staff(host) if any(place is school for place, _poste in p.postes)]


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
