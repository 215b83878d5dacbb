"""Schools, nomenclatures, divisions and groups: records and base rows in one comparable shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.alimentation.champs import LARGEURS_ETABLISSEMENT, Record, couper, iso

Cle = tuple[str, str]
"""(school or empty, code)."""

TABLES = {"mef": "mef", "matiere": "matiere", "division": "division", "groupe": "groupe_enseignement"}
CHAMPS_NOMENCLATURE = {
    "mef": {"libelle": 120, "niveau": 60, "filiere": 60},
    "matiere": {"libelle": 120, "libelle_court": 40},
}
COMPOSITION = {
    "division": ("mefs", "division_mef", "division_id", "mef_id", "mef"),
    "groupe": ("divisions", "groupe_division", "groupe_id", "division_id", "division"),
}
"""Structure → its list of codes, the joining table, its two columns, the table of the codes."""


@dataclass(slots=True)
class Ligne:
    """A row of the base: its id, its comparable fields, the fields locked by hand."""

    id: int
    champs: Record
    verrous: set[str] = field(default_factory=set)


def comparable(objet: str, record: Record) -> tuple[Cle, Record]:
    """Return the key of a structure record and the fields to compare."""
    if objet == "etablissement":
        couper(record, LARGEURS_ETABLISSEMENT)
        champs = {key: record[key] or None for key in LARGEURS_ETABLISSEMENT if key in record}
        for key in ("nom", "secteur", "etat"):
            if not champs.get(key):
                champs.pop(key, None)
        if "type" in champs:
            champs["type"] = champs["type"] or ""
        if "nombre_eleves" in record:
            champs["nombre_eleves"] = record["nombre_eleves"]
        if record.get("academie_code"):
            champs["academie"] = str(record["academie_code"])[:3]
        if record.get("mere_uai") and record["mere_uai"] != record.get("uai"):
            champs["mere"] = record["mere_uai"]
        return ("", record.get("uai") or ""), champs
    if objet in CHAMPS_NOMENCLATURE:
        couper(record, CHAMPS_NOMENCLATURE[objet])
        champs = {key: record[key] for key in CHAMPS_NOMENCLATURE[objet] if record.get(key)}
        return ("", str(record["code"])), champs
    couper(record, {"libelle": 120})
    composition = COMPOSITION[objet][0]
    champs = {"active": True}
    if "libelle" in record:
        champs["libelle"] = record["libelle"] or ""
    if composition in record:
        champs[composition] = sorted({code for code in record[composition] or () if code})
    return (record.get("uai") or "", str(record["code"])[:32]), champs


def lignes(session: Session, objet: str, cles: Iterable[Cle]) -> dict[Cle, Ligne]:
    """Return the rows of the base by key."""
    wanted = set(cles)
    if not wanted:
        return {}
    codes = sorted({code for _uai, code in wanted})
    if objet == "etablissement":
        return _schools(session, codes)
    if objet in CHAMPS_NOMENCLATURE:
        columns = list(CHAMPS_NOMENCLATURE[objet])
        return {
            ("", row[1]): Ligne(row[0], dict(zip(columns, row[2:], strict=True)))
            for row in rows_of(
                session,
                f"SELECT id, code, {', '.join(columns)} FROM {TABLES[objet]} WHERE code IN :codes",
                codes=codes,
            )
        }
    return _classes(session, objet, sorted({uai for uai, _code in wanted}), codes)


def _classes(session: Session, objet: str, uais: list[str], codes: list[str]) -> dict[Cle, Ligne]:
    name, joining, own, other, table = COMPOSITION[objet]
    found: dict[Cle, Ligne] = {}
    by_id: dict[int, Ligne] = {}
    for row_id, uai, code, libelle, active in rows_of(
        session,
        f"SELECT t.id, e.uai, t.code, t.libelle, t.active FROM {TABLES[objet]} t"
        " JOIN etablissement e ON e.id = t.etablissement_id WHERE e.uai IN :uais AND t.code IN :codes",
        uais=uais,
        codes=codes,
    ):
        line = Ligne(row_id, {"libelle": libelle, "active": bool(active), name: []})
        found[uai, code] = by_id[row_id] = line
    for row_id, code in rows_of(
        session,
        f"SELECT j.{own}, t.code FROM {joining} j JOIN {table} t ON t.id = j.{other} WHERE j.{own} IN :ids",
        ids=list(by_id),
    ):
        by_id[row_id].champs[name].append(code)
    for line in by_id.values():
        line.champs[name].sort()
    return found


def _schools(session: Session, uais: list[str]) -> dict[Cle, Ligne]:
    columns = list(LARGEURS_ETABLISSEMENT)
    found: dict[Cle, Ligne] = {}
    by_id: dict[int, Ligne] = {}
    for row in rows_of(
        session,
        f"SELECT e.id, e.uai, {', '.join('e.' + column for column in columns)},"
        " e.nombre_eleves, a.code, m.uai"
        " FROM etablissement e LEFT JOIN academie a ON a.id = e.academie_id"
        " LEFT JOIN etablissement m ON m.id = e.mere_id WHERE e.uai IN :uais",
        uais=uais,
    ):
        champs: dict[str, Any] = dict(
            zip([*columns, "nombre_eleves", "academie", "mere"], row[2:], strict=True)
        )
        champs["ouvert_le"] = iso(champs["ouvert_le"])
        found["", row[1]] = by_id[row[0]] = Ligne(row[0], champs)
    locks: dict[int, set[str]] = defaultdict(set)
    for row_id, champ in rows_of(
        session,
        "SELECT etablissement_id, champ FROM verrou_etablissement WHERE etablissement_id IN :ids",
        ids=list(by_id),
    ):
        locks[row_id].add(champ)
    for row_id, line in by_id.items():
        line.verrous = locks[row_id]
    return found


def changements(line: Ligne, champs: Record) -> tuple[dict[str, list[Any]], list[str]]:
    """Return field → [before, after], and the fields kept because they were edited by hand."""
    changes: dict[str, list[Any]] = {}
    kept = []
    for key, value in champs.items():
        old = line.champs.get(key)
        if value == old:
            continue
        if key in line.verrous or f"{key}_id" in line.verrous:
            kept.append(key)
        else:
            changes[key] = [old, value]
    return changes, kept
