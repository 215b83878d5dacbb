"""AAF staff converted to our records: schools, functions, disciplines, services taught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.imports.aaf_fields import Raw, fields, states, value, values
from app.imports.aaf_people import identity
from app.imports.text import truth

Record = dict[str, Any]
Structures = Mapping[str, str]

_TAUGHT = (
    ("division", "ENTAuxEnsClassesMatieres", "ENTAuxEnsClasses"),
    ("groupe", "ENTAuxEnsGroupesMatieres", "ENTAuxEnsGroupes"),
)


def read_personnel(key: str, raw: Raw, academie: str, structures: Structures) -> Record:
    """Convert a PersEducNat object."""
    record = identity(key, raw, academie)
    functions = _functions(raw, structures)
    services = _services(raw, structures)
    if (profil := _profil(raw, functions)) is not None:
        record["profil"] = profil
    if states(raw, "ENTPersonFonctions", "ENTEnsFonctionDir"):
        record["fonctions"] = functions
    if (disciplines := _disciplines(raw)) is not None:
        record["disciplines"] = disciplines
    if services is not None:
        record["services"] = services
    principal = values(raw, "ENTAuxEnsClassesPrincipal")
    if principal is not None:
        record["principal_de"] = [
            {"uai": structures[structure], "division": code[:32]}
            for structure, code in (fields(written, 2) for written in principal)
            if structure in structures and code
        ]
    schools = _schools(raw, structures, [*functions, *(services or []), *record.get("principal_de", [])])
    if schools:
        record["etablissements"] = schools
    return record


def _profil(raw: Raw, functions: list[Record]) -> str | None:
    for name in ("ENTPersonCategorieEnseignant", "PersEducNatPresenceDevantEleves"):
        if written := value(raw, name):
            return "enseignant" if truth(written) else "personnel"
    if not states(raw, "ENTPersonFonctions", "ENTPersonJointure"):
        return None
    teaches = any(function["code"] == "ENS" for function in functions)
    return "enseignant" if teaches else "personnel"


def _functions(raw: Raw, structures: Structures) -> list[Record]:
    found = []
    for written in values(raw, "ENTPersonFonctions") or []:
        structure, code, label, discipline, discipline_label = fields(written, 5)
        if structure in structures and code:
            found.append(
                {
                    "uai": structures[structure],
                    "code": code[:12],
                    "libelle": label[:120] or code[:12],
                    "discipline_code": discipline[:40] or None,
                    "discipline_libelle": discipline_label[:120] or None,
                }
            )
    for written in values(raw, "ENTEnsFonctionDir") or []:
        structure, label = fields(written, 2)
        held = any(f["code"] == "DIR" and f["uai"] == structures.get(structure) for f in found)
        if structure in structures and not held:
            found.append(
                {
                    "uai": structures[structure],
                    "code": "DIR",
                    "libelle": label[:120] or "DIRECTION",
                    "discipline_code": None,
                    "discipline_libelle": None,
                }
            )
    return found


def _disciplines(raw: Raw) -> list[Record] | None:
    if not states(raw, "ENTAuxEnsDisciplinesPoste", "ENTAuxEnsCategoDiscipline"):
        return None
    found: dict[str, Record] = {}
    for written in values(raw, "ENTAuxEnsDisciplinesPoste") or []:
        label, _, code = written.rpartition("$")
        code = code.strip()[:40]
        if code:
            found.setdefault(code, {"code": code, "libelle": label.strip()[:120] or code})
    if not found:
        for written in values(raw, "ENTAuxEnsCategoDiscipline") or []:
            code, label = fields(written, 2)
            if code:
                found.setdefault(code[:40], {"code": code[:40], "libelle": label[:120] or code[:40]})
    return list(found.values())


def _services(raw: Raw, structures: Structures) -> list[Record] | None:
    """Return classes and groups taught: with their subject, or the class alone when that is all."""
    if not states(raw, *(name for _kind, *names in _TAUGHT for name in names)):
        return None
    found: dict[tuple[str, ...], Record] = {}
    for kind, with_subject, alone in _TAUGHT:
        covered = set()
        for written in values(raw, with_subject) or []:
            structure, code, subject = fields(written, 3)
            if structure in structures and code:
                covered.add((structure, code))
                service: Record = {"uai": structures[structure], kind: code[:32]}
                if subject:
                    service["matiere"] = subject[:40]
                found.setdefault((kind, structure, code, subject), service)
        for written in values(raw, alone) or []:
            structure, code = fields(written, 2)
            if structure in structures and code and (structure, code) not in covered:
                found.setdefault((kind, structure, code), {"uai": structures[structure], kind: code[:32]})
    return list(found.values())


def _schools(raw: Raw, structures: Structures, places: list[Record]) -> list[str]:
    main = [structures[s] for s in values(raw, "ENTPersonStructRattach") or [] if s in structures]
    return list(dict.fromkeys([*main, *(place["uai"] for place in places)]))
