"""What a set of SIECLE or STS files says of itself, and the refusals that follow from it."""

from __future__ import annotations

from datetime import datetime

from app.errors import UserError
from app.imports.academies import academie_of
from app.imports.detection import SIECLE_READ, Detected
from app.imports.text import parse_instant
from app.imports.uai import is_uai
from app.operations.alimentation.fiches import EnTete, Objet

_PRESENTS: dict[str, set[Objet]] = {
    "BEE_ELEVES": {Objet.ELEVE},
    "BEE_RESPONSABLES": {Objet.RESPONSABLE, Objet.LIEN},
    "BEE_STRUCTURES": {Objet.DIVISION, Objet.GROUPE},
    "BEE_NOMENCLATURES": {Objet.MEF, Objet.MATIERE},
}


def chosen(files: list[Detected]) -> dict[str, Detected]:
    """Return the files to read by root element; refuse doubles, strangers and lone side files."""
    found: dict[str, Detected] = {}
    for file in files:
        if file.part not in SIECLE_READ:
            continue
        if file.part in found:
            _refuse_strangers([found[file.part], file])
            raise UserError(
                f"Deux fichiers {file.label} sont donnés : « {found[file.part].name} » et « {file.name} ». "
                "Gardez le plus récent, avec adresses."
            )
        found[file.part] = file
    if not found:
        raise UserError(
            f"Ceci est un fichier {files[0].label} (« {files[0].name} ») ; il faut Élèves, Responsables ou "
            "Structures."
        )
    if set(found) == {"BEE_NOMENCLATURES"}:
        raise UserError(
            f"Ceci est un fichier Nomenclature (« {files[0].name} ») ; il faut Élèves. La "
            "nomenclature se donne "
            "avec Élèves, Responsables ou Structures."
        )
    _refuse_strangers(list(found.values()))
    return found


def _refuse_strangers(files: list[Detected]) -> None:
    for key, what in (("UAJ", "établissements"), ("ANNEE_SCOLAIRE", "années scolaires")):
        several = {file.settings[key]: file.name for file in files if file.settings.get(key)}
        if len(several) > 1:
            listed = ", ".join(f"« {name} » ({value})" for value, name in several.items())
            raise UserError(
                f"Ces fichiers concernent plusieurs {what} : {listed}. Donnez un établissement et une "
                "année à la "
                "fois."
            )


def header_of(files: dict[str, Detected]) -> EnTete:
    """Build the header of a set of SIECLE files."""
    settings: dict[str, str] = {}
    for file in files.values():
        settings |= {key: value for key, value in file.settings.items() if value and key not in settings}
    uai = settings.get("UAJ", "").upper()
    if not is_uai(uai):
        raise UserError(
            f"« {next(iter(files.values())).name} » ne dit pas de quel établissement il vient (UAJ « "
            f"{uai[:20]} »)."
            " Demandez un nouvel export à SIECLE."
        )
    year = settings.get("ANNEE_SCOLAIRE", "")[:4]
    presents: set[Objet] = set().union(*(_PRESENTS[part] for part in files))
    academie = academie_of(uai)
    return EnTete(
        source="siecle",
        espace=f"siecle:{uai}",
        date_export=_instant(list(files.values())),
        annee_scolaire=int(year) if year.isdigit() else None,
        academie=academie[0] if academie else None,
        uai=uai,
        presents=presents,
        fichiers=[{"nom": f.name, "nature": f.label, "taille": f.entry.size} for f in files.values()],
    )


def _instant(files: list[Detected]) -> datetime | None:
    """Return when the oldest file of the set was exported."""
    found = []
    for file in files:
        for key in ("HORODATAGE", "DATE_EXPORT"):
            written = file.settings.get(key, "")
            if written and (instant := parse_instant(written)):
                found.append(instant)
                break
    return min(found) if found else None
