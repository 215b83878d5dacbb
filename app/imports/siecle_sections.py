"""The sections of SIECLE files that stand apart from the people they speak of."""

from __future__ import annotations

from lxml import etree

from app.imports.findings import Record, text_of


class Sections:
    """What the other sections of a file say of people, by their key."""

    def __init__(self) -> None:
        self.options: dict[str, list[str]] = {}
        self.divisions: dict[str, list[str]] = {}
        self.groupes: dict[str, list[str]] = {}
        self.adresses: dict[str, Record] = {}

    def take(self, row: etree._Element) -> None:
        """Keep one element of a section."""
        if row.tag == "ADRESSE":
            self.adresses[(row.get("ADRESSE_ID") or "").strip()] = _address(row)
            return
        cle = (row.get("ELEVE_ID") or "").strip()
        if row.tag == "OPTION":
            codes = [text_of(option, "CODE_MATIERE")[:40] for option in row.iterfind("OPTIONS_ELEVE")]
            self.options[cle] = list(dict.fromkeys(code for code in codes if code))
            return
        for structure in row.iterfind("STRUCTURE"):
            code, kind = text_of(structure, "CODE_STRUCTURE")[:32], text_of(structure, "TYPE_STRUCTURE")
            if not code or code == "Inactifs":
                continue
            kept = (self.divisions if kind == "D" else self.groupes).setdefault(cle, [])
            if code not in kept:
                kept.append(code)


def _address(row: etree._Element) -> Record:
    lines = [text_of(row, f"LIGNE{rank}_ADRESSE") for rank in range(1, 5)]
    return {
        "adresse": ", ".join(line for line in lines if line)[:255] or None,
        "code_postal": text_of(row, "CODE_POSTAL")[:10] or None,
        "commune": text_of(row, "LIBELLE_POSTAL", "COMMUNE_ETRANGERE", "LL_COMMUNE_INSEE")[:80] or None,
        "pays": text_of(row, "LL_PAYS")[:60] or None,
    }
