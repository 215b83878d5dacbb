"""Codes cited by records → rows of the base, created with their label when they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from app.database import rows_of
from app.extensions import now
from app.models import Etablissement
from app.operations.alimentation.champs import Record
from app.queries.noms import ecole_key, search_key

LARGEUR_CODE = {"mef": 11, "matiere": 40, "discipline": 40, "fonction": 12}


class References:
    """Codes of one school, and of the nomenclatures, remembered while it is applied."""

    def __init__(self, session: Session, source: str) -> None:
        self.session = session
        self.source = source
        self.etablissement_id = 0
        self._ids: dict[str, dict[str, int]] = {}

    def nomenclature(self, table: str, codes: Mapping[str, str | None]) -> dict[str, int]:
        """Return code → id for a nomenclature; what is missing is created with its label."""
        known = self._ids.setdefault(table, {})
        width = LARGEUR_CODE[table]
        unknown = {code: label for code, label in codes.items() if code and code[:width] not in known}
        if unknown:
            listed = sorted({code[:width] for code in unknown})
            self._learn(known, f"SELECT code, id FROM {table} WHERE code IN :codes", listed)
            missing = {code: label for code, label in unknown.items() if code[:width] not in known}
            for code, label in sorted(missing.items()):
                rows_of(
                    self.session,
                    f"INSERT INTO {table} (code, libelle) VALUES (:code, :libelle)",
                    code=code[:width],
                    libelle=(label or code)[:120],
                )
            if missing:
                self._learn(known, f"SELECT code, id FROM {table} WHERE code IN :codes", listed)
        return known

    def connus(self, table: str, codes: list[str]) -> dict[str, int]:
        """Return code → id for codes met before; others are looked up, and created if need be."""
        known = self._ids.get(table)
        if known is not None and all(code in known for code in codes):
            return known
        return self.nomenclature(table, dict.fromkeys(codes))

    def classes(self, table: str, codes: Iterable[str]) -> dict[str, int]:
        """Return code → id for the divisions or groups of the school; missing ones are created."""
        if table not in self._ids:
            self._ids[table] = {
                row[0]: row[1]
                for row in rows_of(
                    self.session,
                    f"SELECT code, id FROM {table} WHERE etablissement_id = :school",
                    school=self.etablissement_id,
                )
            }
        known = self._ids[table]
        missing = {code for code in codes if code and code[:32] not in known}
        for code in sorted(missing):
            rows_of(
                self.session,
                f"INSERT INTO {table} (etablissement_id, code, libelle, source, active)"
                " VALUES (:school, :code, '', :source, true)",
                school=self.etablissement_id,
                code=code[:32],
                source=self.source,
            )
        if missing:
            for code, row_id in rows_of(
                self.session,
                f"SELECT code, id FROM {table} WHERE etablissement_id = :school AND code IN :codes",
                school=self.etablissement_id,
                codes=[code[:32] for code in missing],
            ):
                known[code] = row_id
        return known

    def forget_classes(self) -> None:
        """Read the divisions and groups again next time."""
        self._ids.pop("division", None)
        self._ids.pop("groupe_enseignement", None)

    def _learn(self, known: dict[str, int], sql: str, codes: list[str]) -> None:
        known.update((row[0], row[1]) for row in rows_of(self.session, sql, codes=codes))


def labels(records: Iterable[Record]) -> dict[str, dict[str, str | None]]:
    """Return nomenclature → code → label, as the people of a batch cite them."""
    found: dict[str, dict[str, str | None]] = {name: {} for name in LARGEUR_CODE}
    for record in records:
        for item in record.get("scolarites") or ():
            if item.get("mef"):
                found["mef"].setdefault(item["mef"], item.get("mef_libelle"))
            for code in item.get("options") or ():
                found["matiere"].setdefault(code, None)
        for item in record.get("fonctions") or ():
            if item.get("code"):
                found["fonction"].setdefault(item["code"], item.get("libelle"))
            if item.get("discipline_code"):
                found["discipline"].setdefault(item["discipline_code"], item.get("discipline_libelle"))
        for item in record.get("disciplines") or ():
            if item.get("code"):
                found["discipline"].setdefault(item["code"], item.get("libelle"))
        for item in record.get("services") or ():
            if item.get("matiere"):
                found["matiere"].setdefault(item["matiere"], item.get("matiere_libelle"))
    return found


def ensure_school(session: Session, uai: str, nom: str, source: str, academie: str | None) -> int:
    """Return the id of a school, created from what the file says when the base does not know it."""
    found = rows_of(session, "SELECT id FROM etablissement WHERE uai = :uai", uai=uai)
    if found:
        return int(found[0][0])
    school = Etablissement(
        uai=uai,
        nom=nom[:160] or uai,
        nom_recherche=search_key(nom or uai)[:240],
        recherche=ecole_key(nom[:160] or uai, None, uai),
        source=source,
        academie_id=ensure_academie(session, academie) if academie else None,
        modifie_le=now(),
    )
    session.add(school)
    session.flush()
    return school.id


def ensure_academie(session: Session, code: str, nom: str | None = None) -> int:
    """Return the id of an académie, created from its code when the base does not know it."""
    found = rows_of(session, "SELECT id FROM academie WHERE code = :code", code=code)
    if not found:
        rows_of(
            session,
            "INSERT INTO academie (code, nom) VALUES (:code, :nom)",
            code=code[:3],
            nom=(nom or f"Académie {code}")[:80],
        )
        found = rows_of(session, "SELECT id FROM academie WHERE code = :code", code=code)
    return int(found[0][0])
