"""AAF objects converted to our records, schools and nomenclatures; people are in ``aaf_people``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.imports.aaf_fields import Raw, fields, states, value
from app.imports.academies import ACADEMIES, academie_code
from app.imports.text import phone

Record = dict[str, Any]


def read_etablissement(raw: Raw, structures: Mapping[str, str]) -> Record:
    """Convert an EtabEducNat object."""
    record: Record = {}
    if uai := value(raw, "ENTStructureUAI", "ENTEtablissementUAI"):
        record["uai"] = uai.upper()
    if name := value(raw, "ENTStructureNomCourant"):
        record["nom"] = school_name(name)[:160]
    _copy(record, raw, "type", 60, "ENTStructureTypeStruct")
    _copy(record, raw, "code_nature", 4, "ENTStructureCodeTypeStruct")
    if contract := value(raw, "ENTEtablissementContrat", "ENTEcoleSecteur"):
        sector = {"PU": "public", "PR": "prive"}.get(contract.upper()[:2])
        if sector:
            record["secteur"] = sector
    _copy(record, raw, "siren", 14, "ENTStructureSIREN")
    _address(record, raw)
    _copy(record, raw, "code_postal", 10, "postalCode", "ENTStructureCodePostal")
    _copy(record, raw, "commune", 80, "l", "ENTStructureVille")
    if states(raw, "telephoneNumber", "ENTStructureTelephone"):
        record["telephone"] = phone(value(raw, "telephoneNumber", "ENTStructureTelephone") or "") or None
    _copy(record, raw, "email", 255, "ENTStructureMailSI", "ENTStructureEmail")
    _academie(record, raw)
    if states(raw, "ENTEtablissementStructRattachFctl"):
        record["mere_uai"] = structures.get(value(raw, "ENTEtablissementStructRattachFctl") or "")
    return record


def _copy(record: Record, raw: Raw, key: str, length: int, *names: str) -> None:
    if states(raw, *names):
        found = value(raw, *names)
        record[key] = found[:length] if found else None


def _address(record: Record, raw: Raw) -> None:
    if states(raw, "street", "ENTStructureAdresse", "postOfficeBox", "ENTStructureBoitePostale"):
        street = value(raw, "street", "ENTStructureAdresse")
        box = value(raw, "postOfficeBox", "ENTStructureBoitePostale")
        if box and not box.upper().startswith("BP"):
            box = f"BP {box}"
        record["adresse"] = ", ".join(line for line in (street, box) if line)[:255] or None


def _academie(record: Record, raw: Raw) -> None:
    if code := stated_academie(raw):
        record["academie_code"], record["academie_nom"] = code, ACADEMIES[code]


def stated_academie(raw: Raw) -> str | None:
    """Return the code of the académie a school says it belongs to."""
    code = academie_code(value(raw, "ENTServAcCodeAcademie") or "")
    if code is None and (name := value(raw, "ENTServAcAcademie")):
        code = next((c for c, known in ACADEMIES.items() if known.upper() == name.upper()), None)
    return code


def school_name(written: str) -> str:
    """Return a name to read from ``SIGLE$NOM$VILLE`` or, before 2018, ``CLG-NOM-ac-VILLE``."""
    if "$" in written:
        sigle, name, _town = fields(written, 3)
        return name if not sigle or name.upper().startswith(sigle.upper()) else f"{sigle} {name}".strip()
    head, mark, _academie_name = written.rpartition("-ac-")
    if not mark:
        return written
    sigle, dash, name = head.partition("-")
    return f"{sigle} {name}" if dash else head


def read_mef(key: str, raw: Raw) -> Record:
    """Convert a MefEducNat object."""
    record: Record = {"code": (value(raw, "ENTMefJointure") or key)[:11]}
    if states(raw, "ENTLibelleMef"):
        record["libelle"] = (value(raw, "ENTLibelleMef") or record["code"])[:120]
    _copy(record, raw, "niveau", 60, "ENTNivFormation")
    _copy(record, raw, "filiere", 60, "ENTFiliere")
    return record


def read_matiere(key: str, raw: Raw) -> Record:
    """Convert a MatEducNat object."""
    record: Record = {"code": (value(raw, "ENTMatJointure") or key)[:40]}
    if states(raw, "ENTLibelleMatiere"):
        record["libelle"] = (value(raw, "ENTLibelleMatiere") or record["code"])[:120]
    return record


def read_division(uai: str, written: str) -> Record:
    """Convert a value of ENTStructureClasses: ``CLASSE$libellé$MEF…``."""
    code, label, *mefs = (part.strip() for part in f"{written}$".split("$"))
    known = [mef for mef in mefs if mef and mef != "0"]
    record: Record = {"uai": uai, "code": code[:32], "libelle": class_label(label)}
    if known:
        record["mefs"] = list(dict.fromkeys(known))
    return record


def read_groupe(uai: str, written: str) -> Record:
    """Convert a value of ENTStructureGroupes: ``GROUPE$libellé$CLASSE…``."""
    code, label, *divisions = (part.strip() for part in f"{written}$".split("$"))
    return {
        "uai": uai,
        "code": code[:32],
        "libelle": class_label(label),
        "divisions": list(dict.fromkeys(part[:32] for part in divisions if part)),
    }


def class_label(label: str) -> str:
    """Return the label of a class; AAF writes «0» for none."""
    return "" if label == "0" else label[:120]
