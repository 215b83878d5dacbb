"""What a set of AAF files says of itself, and the refusals that follow from it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from app.errors import UserError
from app.imports.academies import academie_code, academie_of
from app.imports.detection import AAF_ORDER, Detected
from app.imports.text import parse_instant, school_year
from app.operations.alimentation.fiches import EnTete, Objet

DATE_IN_NAME = re.compile(r"(?<!\d)(20\d{6})(?!\d)")
_NUMBER = re.compile(r"_(\d{4})\.xml$", re.IGNORECASE)

_PRESENTS: dict[str, set[Objet]] = {
    "EtabEducNat": {Objet.ETABLISSEMENT},
    "MefEducNat": {Objet.MEF},
    "MatEducNat": {Objet.MATIERE},
    "Eleve": {Objet.ELEVE},
    "PersRelEleve": {Objet.RESPONSABLE},
    "PersEducNat": {Objet.PERSONNEL},
}


def ordered(files: list[Detected]) -> list[Detected]:
    """Sort files as they must be read, and refuse a split set with a hole in it."""
    for part in AAF_ORDER:
        _refuse_hole([file for file in files if file.part == part])
    rank = {part: index for index, part in enumerate(AAF_ORDER)}
    return sorted(files, key=lambda file: (rank.get(file.part, len(rank)), file.name))


def _refuse_hole(files: list[Detected]) -> None:
    numbers: dict[int, str] = {}
    for file in files:
        found = _NUMBER.search(file.name)
        if found is None:
            continue
        number = int(found.group(1))
        if number in numbers:
            raise UserError(
                f"Deux fichiers se disent la même partie de l’export : « {numbers[number]} » et « "
                f"{file.name} ». "
                "Ne donnez qu’un export à la fois."
            )
        numbers[number] = file.name
    if not numbers:
        return
    missing = [n for n in range(min(*numbers, 1), max(numbers)) if n not in numbers and n > 0]
    if 0 not in numbers and min(numbers) > 1:
        missing.insert(0, 0)
    if missing:
        name = _NUMBER.sub(f"_{missing[0]:04d}.xml", next(iter(numbers.values())))
        raise UserError(
            f"Il manque « {name} » : les fichiers de cet export ne se suivent pas. Donnez-les tous, "
            "sans quoi des "
            "personnes sembleraient parties."
        )


def header_of(
    files: list[Detected], structures: Mapping[str, str], said: Counter[str], *, delta: bool
) -> EnTete:
    """Build the header of a set of AAF files; ``said`` counts the académies its schools name."""
    source = files[0].source
    academie = _academie(files, structures, said)
    instant = _instant(files)
    presents: set[Objet] = set()
    if not delta:
        for file in files:
            presents |= _PRESENTS.get(file.part, set())
            if "ENTStructureClasses" in file.head:
                presents.add(Objet.DIVISION)
            if "ENTStructureGroupes" in file.head:
                presents.add(Objet.GROUPE)
    return EnTete(
        source=source,
        espace=f"{source}:{academie}",
        mode="delta" if delta else "complet",
        date_export=instant,
        annee_scolaire=school_year(instant),
        academie=academie,
        presents=presents,
        fichiers=[{"nom": f.name, "nature": f.part or "vide", "taille": f.entry.size} for f in files],
    )


def _academie(files: list[Detected], structures: Mapping[str, str], said: Counter[str]) -> str:
    stated = {code for file in files if (code := academie_code(file.settings.get("codeAcademieExport", "")))}
    if len(stated) > 1:
        raise UserError(
            f"Ces fichiers viennent de plusieurs académies (codes {', '.join(sorted(stated))}). "
            "Donnez-les une "
            "académie à la fois."
        )
    if stated:
        return stated.pop()
    if said:
        return said.most_common(1)[0][0]
    known = Counter(found[0] for uai in structures.values() if (found := academie_of(uai)))
    if known:
        return known.most_common(1)[0][0]
    if structures:
        return "00"
    raise UserError(
        "Ces fichiers ne disent pas de quelle académie ils viennent. Joignez le fichier EtabEducNat "
        "du même export."
    )


def _instant(files: list[Detected]) -> datetime | None:
    """Return when the export was made: stated inside, else in the file's name, else the archive's.

    When files disagree the oldest counts: a set is as old as its oldest part.
    """
    found = []
    for file in files:
        written = file.settings.get("dateGenerationExport", "")
        instant = parse_instant(written) if written else None
        for name in (file.name, file.entry.holder):
            if instant is None and (stamp := DATE_IN_NAME.search(name)):
                instant = parse_instant(stamp.group(1))
        if instant:
            found.append(instant)
    return min(found) if found else None
