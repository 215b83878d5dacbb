"""Reader of STS_EDT files: the staff of one school, its classes, groups and services taught."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from app.errors import UserError
from app.imports.academies import academie_of
from app.imports.detection import Detected
from app.imports.findings import Item, Record, fiche, label, person_findings, put_label, text_of, usable
from app.imports.text import civilite, parse_date, phone
from app.imports.uai import is_uai, uai_key_is_right
from app.imports.xml_stream import elements
from app.operations.alimentation.fiches import Anomalie, EnTete, Objet

_TAGS = (
    "UAJ",
    "ANNEE_SCOLAIRE",
    "MATIERE",
    "MEF",
    "PROGRAMME",
    "INDIVIDU",
    "SUPPLEANT",
    "DIVISION",
    "GROUPE",
)
_MEMBERS = {
    Objet.DIVISION: ("mefs", "MEFS_APPARTENANCE", 11),
    Objet.GROUPE: ("divisions", "DIVISIONS_APPARTENANCE", 32),
}
_TEACHING = {"ENS", "DOC"}
_FONCTIONS = {
    "ENS": "Enseignement",
    "DIR": "Direction",
    "DOC": "Documentation",
    "EDU": "Éducation",
    "ALB": "Laboratoire",
    "ASE": "Assistance éducative",
    "AED": "Assistance éducative",
    "ADF": "Personnel administratif",
    "CFC": "Formation continue",
    "CTR": "Chef de travaux",
    "ORI": "Orientation",
    "SUR": "Surveillance",
    "TEC": "Personnel technique",
}


class SourceSts:
    """One STS file seen as a source."""

    def __init__(self, files: list[Detected]) -> None:
        if len(files) > 1:
            raise UserError(
                f"Deux fichiers STS sont donnés : « {files[0].name} » et « {files[1].name} ». Donnez un "
                "établissement à la fois."
            )
        self._file = files[0]
        self._school: Record = {}
        self._services: dict[str, list[Record]] = {}
        year = self._first_pass()
        uai = self._school.get("uai", "")
        if not is_uai(uai):
            raise UserError(
                f"« {self._file.name} » ne dit pas de quel établissement il vient (UAJ). Demandez un "
                "nouvel export "
                "à STS-web."
            )
        self._uai = uai
        academie = academie_of(uai)
        self.entete = EnTete(
            source="sts",
            espace=f"sts:{uai}",
            annee_scolaire=year,
            academie=academie[0] if academie else None,
            uai=uai,
            presents={Objet.MEF, Objet.MATIERE, Objet.DIVISION, Objet.GROUPE, Objet.PERSONNEL},
            fichiers=[{"nom": self._file.name, "nature": "STS", "taille": self._file.entry.size}],
        )

    def objets(self) -> Iterator[Item]:
        """Yield the school, its nomenclatures, its classes and groups, then its staff."""
        if not uai_key_is_right(self._uai):
            yield self._anomaly(
                Objet.ETABLISSEMENT,
                self._uai,
                self._uai,
                None,
                ("uai_cle", f"La lettre de contrôle de l’UAI {self._uai} n’est pas la bonne : vérifiez-le."),
            )
        yield fiche(Objet.ETABLISSEMENT, self._uai, self._school, 1, self._uai)
        yield from self._nomenclature("MEF", Objet.MEF, 11)
        yield from self._nomenclature("MATIERE", Objet.MATIERE, 40)
        yield from self._structures("DIVISION", Objet.DIVISION)
        yield from self._structures("GROUPE", Objet.GROUPE)
        yield from self._personnels()

    def _rows(self, *tags: str) -> Iterator[etree._Element]:
        for element in elements(self._file, _TAGS, nested=True):
            if element.tag in tags:
                yield element

    def _anomaly(
        self, objet: Objet, cle: str, name: str, line: int | None, finding: tuple[str, str]
    ) -> Anomalie:
        return Anomalie(objet, cle[:80], name, line, finding[0], finding[1], self._uai, self._file.name)

    def _first_pass(self) -> int | None:
        """Keep the school, the school year, and who teaches what."""
        year = None
        for row in self._rows("UAJ", "ANNEE_SCOLAIRE", "DIVISION", "GROUPE"):
            if row.tag == "UAJ":
                self._school = _school_of(row)
            elif row.tag == "ANNEE_SCOLAIRE":
                written = (row.get("ANNEE") or "").strip()
                year = int(written) if written.isdigit() else None
            elif row.get("CODE"):
                self._services_of(row)
        return year

    def _services_of(self, row: etree._Element) -> None:
        code = " ".join((row.get("CODE") or "").split())[:32]
        kind = "division" if row.tag == "DIVISION" else "groupe"
        for service in row.iterfind("SERVICES/SERVICE"):
            subject = (service.get("CODE_MATIERE") or "").strip()[:40]
            for teacher in service.iterfind("ENSEIGNANTS/ENSEIGNANT"):
                taught: Record = {"uai": self._school.get("uai"), kind: code}
                if subject:
                    taught["matiere"] = subject
                kept = self._services.setdefault(_key_of(teacher), [])
                if taught not in kept:
                    kept.append(taught)

    def _nomenclature(self, tag: str, objet: Objet, length: int) -> Iterator[Item]:
        seen = set()
        for row in self._rows(tag):
            code = (row.get("CODE") or "").strip()[:length]
            name = text_of(row, "LIBELLE_EDITION", "LIBELLE_LONG", "LIBELLE_COURT")[:120]
            if not code or code in seen or not name:
                continue
            seen.add(code)
            record: Record = {"code": code, "libelle": name}
            if objet is Objet.MATIERE:
                record["libelle_court"] = text_of(row, "LIBELLE_COURT", "CODE_GESTION")[:40] or None
            yield fiche(objet, code, record, row.sourceline, None)

    def _structures(self, tag: str, objet: Objet) -> Iterator[Item]:
        seen: set[str] = set()
        for row in self._rows(tag):
            code = " ".join((row.get("CODE") or "").split())[:32]
            if not code:
                continue
            cle = f"{self._uai}${code}"
            if code in seen:
                finding = (
                    "classe_double",
                    f"« {code} » est déclaré deux fois : la première déclaration est retenue.",
                )
                yield self._anomaly(objet, cle, code, row.sourceline, finding)
                continue
            seen.add(code)
            record: Record = {"uai": self._uai, "code": code}
            put_label(record, row)
            key, listed, width = _MEMBERS[objet]
            if (members := row.find(listed)) is not None:
                record[key] = _codes(members, width)
            yield fiche(objet, cle, record, row.sourceline, self._uai)

    def _personnels(self) -> Iterator[Item]:
        seen: set[str] = set()
        for row in self._rows("INDIVIDU", "SUPPLEANT"):
            cle = _key_of(row)
            if cle.endswith(":") or cle in seen or row.find("PRENOM") is None:
                continue
            seen.add(cle)
            record = self._record(row, cle)
            findings = person_findings(record, text_of(row, "DATE_NAISSANCE"))
            for finding in findings:
                yield self._anomaly(Objet.PERSONNEL, cle, label(record), row.sourceline, finding)
            if usable(findings):
                yield fiche(Objet.PERSONNEL, cle, record, row.sourceline, self._uai)

    def _record(self, row: etree._Element, cle: str) -> Record:
        family, usage = text_of(row, "NOM_PATRONYMIQUE"), text_of(row, "NOM_USAGE")
        fonction = text_of(row, "FONCTION")[:12]
        services = self._services.get(cle, [])
        teaches = fonction in _TEACHING or bool(services) or (not fonction and cle.startswith("local"))
        record: Record = {
            "nom": (family or usage)[:100],
            "nom_usage": usage[:100] if usage and family and usage != family else None,
            "prenom": text_of(row, "PRENOM")[:100],
            "civilite": civilite(text_of(row, "CIVILITE")),
            "identifiants": [["sts", self._uai, cle]],
            "profil": "enseignant" if teaches else "personnel",
            "etablissements": [self._uai],
            "fonctions": self._fonctions(row, fonction),
            "services": services,
            "principal_de": [
                {"uai": self._uai, "division": code}
                for found in row.iterfind("PROFS_PRINC/PROF_PRINC")
                if (code := text_of(found, "CODE_STRUCTURE")[:32])
            ],
        }
        if disciplines := _disciplines(row):  # who leads or watches has none here: nothing is said of it
            record["disciplines"] = disciplines
        if sexe := {"1": "M", "2": "F"}.get(text_of(row, "SEXE")):
            record["sexe"] = sexe
        if born := text_of(row, "DATE_NAISSANCE"):
            record["date_naissance"] = parse_date(born)
        return record

    def _fonctions(self, row: etree._Element, code: str) -> list[Record]:
        if not code:
            return []
        held: Record = {"uai": self._uai, "code": code, "libelle": _FONCTIONS.get(code, code)}
        if first := next(iter(_disciplines(row)), None):
            held |= {"discipline_code": first["code"], "discipline_libelle": first["libelle"]}
        return [held]


def _key_of(row: etree._Element) -> str:
    return f"{(row.get('TYPE') or 'epp').strip()}:{(row.get('ID') or '').strip()}"


def _codes(parent: etree._Element, length: int) -> list[str]:
    found = ((child.get("CODE") or text_of(child, "CODE", "CODE_MEF", "CODE_STRUCTURE")) for child in parent)
    return list(dict.fromkeys(" ".join(code.split())[:length] for code in found if code.strip()))


def _disciplines(row: etree._Element) -> list[Record]:
    return [
        {"code": code[:40], "libelle": text_of(found, "LIBELLE_LONG", "LIBELLE_COURT")[:120] or code[:40]}
        for found in row.iterfind("DISCIPLINES/DISCIPLINE")
        if (code := (found.get("CODE") or "").strip())
    ]


def _school_of(row: etree._Element) -> Record:
    uai = (row.get("CODE") or "").strip().upper()
    names = (text_of(row, "DENOM_PRINC"), text_of(row, "DENOM_COMPL"))
    record: Record = {"uai": uai}
    if name := " ".join(name for name in names if name)[:160]:
        record["nom"] = name
    for key, length, tag in (
        ("adresse", 255, "ADRESSE"),
        ("commune", 80, "COMMUNE"),
        ("code_postal", 10, "CODE_POSTAL"),
        ("code_nature", 4, "CODE_NATURE"),
    ):
        if found := text_of(row, tag):
            record[key] = found[:length]
    if number := phone(text_of(row, "TELEPHONE")):
        record["telephone"] = number
    if academie := academie_of(uai):
        record["academie_code"], record["academie_nom"] = academie
    return record
