"""Reader of the XML exports of SIECLE: pupils, guardians, structures, nomenclatures of one school.

A pupil's options, classes and address stand in other sections of the same file: a first pass
keeps them (one school: a few thousand lines), a second one yields the pupils.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from lxml import etree

from app.imports.academies import academie_of
from app.imports.detection import Detected
from app.imports.findings import (
    Item,
    Record,
    fiche,
    label,
    person_findings,
    put_label,
    put_text,
    text_of,
    usable,
)
from app.imports.siecle_header import chosen, header_of
from app.imports.siecle_people import enrolled, link_of, pupil_of, relative_of
from app.imports.siecle_sections import Sections
from app.imports.uai import uai_key_is_right
from app.imports.xml_stream import elements
from app.operations.alimentation.fiches import Anomalie, EnTete, Objet

_RECORDS = {
    "BEE_ELEVES": ("ELEVE", "OPTION", "STRUCTURES_ELEVE", "BOURSE", "ADRESSE"),
    "BEE_RESPONSABLES": ("PERSONNE", "RESPONSABLE_ELEVE", "RESPONSABLE", "ADRESSE"),
    "BEE_STRUCTURES": ("DIVISION", "GROUPE"),
    "BEE_NOMENCLATURES": ("MEF", "MATIERE", "PROGRAMME", "OPTION_OBLIGATOIRE"),
}


class SourceSiecle:
    """A set of SIECLE files of one school seen as one source."""

    def __init__(self, files: list[Detected]) -> None:
        self._files = chosen(files)
        self.entete: EnTete = header_of(self._files)
        self._uai = self.entete.uai or ""
        self._academie = self.entete.academie or "00"
        self._mefs: set[str] = set()
        self._matieres: set[str] = set()
        self._enrolled: set[str] = set()
        self._named: set[str] = set()
        self._labels: dict[str, str] = {}
        self._pending: list[Item] = []

    def objets(self) -> Iterator[Item]:
        """Yield the school, nomenclatures, classes, pupils, guardians, then guardianships."""
        yield from self._school()
        yield from self._nomenclature()
        yield from self._structures()
        yield from self._eleves()
        yield from self._responsables()
        yield from self._liens()

    def _rows(self, part: str, *tags: str) -> Iterator[etree._Element]:
        """Yield the elements of a file in memory that stays flat; the others are freed unread."""
        if part not in self._files:
            return
        for element in elements(self._files[part], _RECORDS[part], nested=True):
            if element.tag in tags:
                yield element

    def _anomaly(
        self,
        part: str,
        objet: Objet,
        cle: str,
        name: str,
        row: etree._Element | int,
        finding: tuple[str, str],
    ) -> Anomalie:
        line = row if isinstance(row, int) else row.sourceline
        return Anomalie(
            objet, cle[:80], name[:240], line, finding[0], finding[1], self._uai, self._files[part].name
        )

    def _school(self) -> Iterator[Item]:
        record: Record = {"uai": self._uai}
        if academie := academie_of(self._uai):
            record["academie_code"], record["academie_nom"] = academie
        if not uai_key_is_right(self._uai):
            sentence = f"La lettre de contrôle de l’UAI {self._uai} n’est pas la bonne : vérifiez-le."
            part = next(iter(self._files))
            yield self._anomaly(part, Objet.ETABLISSEMENT, self._uai, self._uai, 1, ("uai_cle", sentence))
        yield fiche(Objet.ETABLISSEMENT, self._uai, record, 1, self._uai)

    def _nomenclature(self) -> Iterator[Item]:
        part = "BEE_NOMENCLATURES"
        for row in self._rows(part, "MEF"):
            code = (row.get("CODE_MEF") or "").strip()[:11]
            if code:
                self._mefs.add(code)
                name = text_of(row, "LIBELLE_EDITION", "LIBELLE_LONG", "FORMATION")[:120]
                mef: Record = {"code": code, "libelle": name or code}
                put_text(mef, "niveau", 60, row, "FORMATION")
                yield fiche(Objet.MEF, code, mef, row.sourceline, None)
        for row in self._rows(part, "MATIERE"):
            code = (row.get("CODE_MATIERE") or "").strip()[:40]
            if code:
                self._matieres.add(code)
                name = text_of(row, "LIBELLE_EDITION", "LIBELLE_LONG", "LIBELLE_COURT")[:120]
                matiere: Record = {"code": code, "libelle": name or code}
                put_text(matiere, "libelle_court", 40, row, "LIBELLE_COURT", "CODE_GESTION")
                yield fiche(Objet.MATIERE, code, matiere, row.sourceline, None)

    def _structures(self) -> Iterator[Item]:
        for objet, tag, listed, cited, key in (
            (Objet.DIVISION, "DIVISION", "MEFS_APPARTENANCE", ".//CODE_MEF", "mefs"),
            (Objet.GROUPE, "GROUPE", "DIVISIONS_APPARTENANCE", ".//CODE_STRUCTURE", "divisions"),
        ):
            seen: set[str] = set()
            for row in self._rows("BEE_STRUCTURES", tag):
                code = " ".join((row.get("CODE_STRUCTURE") or "").split())[:32]
                cle = f"{self._uai}${code}"
                if not code or code in seen:
                    finding = (
                        "classe_double" if code else "classe_sans_code",
                        f"La classe ou le groupe « {code} » est déclaré deux fois ou sans code : la première "
                        "déclaration est retenue.",
                    )
                    yield self._anomaly("BEE_STRUCTURES", objet, cle, code, row, finding)
                    continue
                seen.add(code)
                record: Record = {"uai": self._uai, "code": code}
                put_label(record, row)
                if row.find(listed) is not None:
                    codes = [" ".join((found.text or "").split())[:32] for found in row.iterfind(cited)]
                    record[key] = list(dict.fromkeys(found for found in codes if found))
                yield fiche(objet, cle, record, row.sourceline, self._uai)

    def _eleves(self) -> Iterator[Item]:
        part = "BEE_ELEVES"
        if part not in self._files:
            return
        sections = Sections()
        for row in self._rows(part, "OPTION", "STRUCTURES_ELEVE", "ADRESSE"):
            sections.take(row)
        ines: Counter[str] = Counter()
        for row in self._rows(part, "ELEVE"):
            cle = (row.get("ELEVE_ID") or text_of(row, "ELEVE_ID")).strip()
            self._named.add(cle)
            divisions = sections.divisions.get(cle, [])
            if not cle or not enrolled(row, divisions):
                continue
            record = pupil_of(row, cle, self._uai, self._academie)
            findings = person_findings(record, text_of(row, "DATE_NAISS"))
            place = record["scolarites"][0]
            place["division"] = divisions[0]
            place["groupes"] = sections.groupes.get(cle, [])
            place["options"] = sections.options.get(cle, [])
            record.update(sections.adresses.get(text_of(row, "ADRESSE_ID"), {}))
            findings.extend(self._pupil_findings(record, divisions, ines))
            for finding in findings:
                yield self._anomaly(part, Objet.ELEVE, cle, label(record), row, finding)
            if usable(findings):
                self._enrolled.add(cle)
                self._labels[cle] = label(record)
                yield fiche(Objet.ELEVE, cle, record, row.sourceline, self._uai)

    def _pupil_findings(
        self, record: Record, divisions: list[str], ines: Counter[str]
    ) -> Iterator[tuple[str, str]]:
        place = record["scolarites"][0]
        if len(divisions) > 1:
            yield (
                "deux_divisions",
                f"L’élève est dans plusieurs divisions ({', '.join(divisions)}) : la première est "
                "retenue. Gardez-en "
                "une seule dans SIECLE.",
            )
        if self._mefs and place.get("mef") not in self._mefs:
            yield (
                "mef_absent",
                f"Le MEF {place.get('mef')} n’est pas dans la nomenclature : il est créé sans libellé.",
            )
        if self._matieres and (absent := [o for o in place["options"] if o not in self._matieres]):
            yield (
                "matiere_absente",
                f"Matière absente de la nomenclature : {', '.join(absent[:5])}. Elle est créée sans libellé.",
            )
        for kind, _scope, number in record["identifiants"]:
            if kind == "ine":
                ines[number] += 1
                if ines[number] > 1:
                    yield (
                        "ine_double",
                        f"L’INE {number} est déjà celui d’un autre élève du fichier : vérifiez les "
                        "deux fiches.",
                    )

    def _responsables(self) -> Iterator[Item]:
        part = "BEE_RESPONSABLES"
        adresses = Sections()
        enfants: dict[str, set[str]] = defaultdict(set)
        for row in self._rows(part, "ADRESSE", "RESPONSABLE_ELEVE", "RESPONSABLE"):
            if row.tag == "ADRESSE":
                adresses.take(row)
            else:
                enfants[text_of(row, "PERSONNE_ID")].add(text_of(row, "ELEVE_ID"))
        for row in self._rows(part, "PERSONNE"):
            cle = (row.get("PERSONNE_ID") or text_of(row, "PERSONNE_ID")).strip()
            if not cle:
                continue
            record = relative_of(row, cle, self._uai, self._academie)
            record["enfants"] = sorted(enfants[cle])
            record.update(adresses.adresses.get(text_of(row, "ADRESSE_ID"), {}))
            findings = person_findings(record, "")
            for finding in findings:
                yield self._anomaly(part, Objet.RESPONSABLE, cle, label(record), row, finding)
            if usable(findings):
                self._labels[f"r{cle}"] = label(record)
                yield fiche(Objet.RESPONSABLE, cle, record, row.sourceline, None)

    def _liens(self) -> Iterator[Item]:
        part = "BEE_RESPONSABLES"
        ranks: Counter[tuple[str, str]] = Counter()
        seen: set[str] = set()
        whole = "BEE_ELEVES" in self._files
        for row in self._rows(part, "RESPONSABLE_ELEVE", "RESPONSABLE"):
            record = link_of(row)
            eleve, cle = record["eleve_cle"], f"{record['eleve_cle']}${record['responsable_cle']}"
            if whole and eleve in self._named and eleve not in self._enrolled:
                continue  # a pupil who left, or could not be read
            name = self._labels.get(eleve, "")
            finding = self._link_finding(record, row, cle, seen, ranks)
            if finding is None and whole and eleve not in self._enrolled:
                finding = (
                    "eleve_absent",
                    f"L’élève {eleve} n’est pas dans le fichier Élèves : lien laissé de côté.",
                )
            if finding is None and f"r{record['responsable_cle']}" not in self._labels:
                finding = (
                    "responsable_absent",
                    f"Le responsable {record['responsable_cle']} n’est pas dans le fichier : lien "
                    "laissé de côté.",
                )
            if finding is not None:
                yield self._anomaly(part, Objet.LIEN, cle, name, row, finding)
            if finding is None or finding[0] == "legaux_multiples":
                seen.add(cle)
                yield fiche(Objet.LIEN, cle, record, row.sourceline, self._uai)

    def _link_finding(
        self, record: Record, row: etree._Element, cle: str, seen: set[str], ranks: Counter[tuple[str, str]]
    ) -> tuple[str, str] | None:
        if not record["eleve_cle"] or not record["responsable_cle"]:
            return "cle_absente", "Le lien ne dit pas qui il relie : il est laissé de côté."
        if record["code_parente"] == "70":
            return (
                "parent_eleve",
                "L’élève est déclaré comme son propre responsable : ce lien n’est pas retenu.",
            )
        if cle in seen:
            return (
                "responsable_double",
                "Ce responsable est cité deux fois pour cet élève : le premier lien est retenu.",
            )
        old = text_of(row, "RESP_LEGAL") if row.find("NIVEAU_RESPONSABILITE") is None else ""
        rank = old if old in {"1", "2"} else str(record["niveau"]) * 2
        allowed = 1 if old else 2
        ranks[(record["eleve_cle"], rank)] += 1
        if record["niveau"] == 1 and ranks[(record["eleve_cle"], rank)] > allowed:
            return (
                "legaux_multiples",
                "Plusieurs responsables légaux ont le même rang pour cet élève : vérifiez dans "
                "SIECLE qui exerce "
                "l’autorité parentale.",
            )
        return None
