"""Reader of AAF directories («ficAlimMENESR»), complete and delta, second and first degree.

Each object is taken as the text libxml2 serialises (blanks and comments gone): it is digested to
recognise an unchanged object, and converted only when the difference asks. Nothing is kept from one
person to the next, so memory does not grow with the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

from app.errors import UserError
from app.imports import aaf_people, aaf_records, aaf_staff
from app.imports.aaf_checks import Checks, Finding
from app.imports.aaf_cut import requests
from app.imports.aaf_fields import CATEGORIES, KNOWN, Raw, category_of, value, values
from app.imports.aaf_header import header_of, ordered
from app.imports.detection import Detected
from app.imports.text import clean
from app.imports.uai import is_uai, uai_key_is_right
from app.operations.alimentation.fiches import Anomalie, EnTete, Fiche, Objet, Operation

_OPERATIONS = {
    "addRequest": Operation.COMPLET,
    "modifyRequest": Operation.MODIFICATION,
    "deleteRequest": Operation.SUPPRESSION,
}
_OBJETS = {
    "EtabEducNat": Objet.ETABLISSEMENT,
    "MefEducNat": Objet.MEF,
    "MatEducNat": Objet.MATIERE,
    "Eleve": Objet.ELEVE,
    "PersRelEleve": Objet.RESPONSABLE,
    "PersEducNat": Objet.PERSONNEL,
}
_CLASSES = ((Objet.DIVISION, "ENTStructureClasses"), (Objet.GROUPE, "ENTStructureGroupes"))

Read = Callable[[], dict[str, Any]]
Item = Fiche | Anomalie


def _nothing() -> dict[str, Any]:
    return {}


def digest(data: bytes) -> bytes:
    """Return the 16-byte digest of an object as read."""
    return blake2b(data, digest_size=16).digest()


class SourceAaf:
    """A set of AAF files seen as one source."""

    def __init__(self, files: list[Detected], structures: Mapping[str, str] | None = None) -> None:
        self._files = ordered(files)
        self._structures: dict[str, str] = dict(structures or {})
        self._delta = any(file.settings["mode"] == "delta" for file in files)
        self._checks = Checks(self._structures)
        self._unknown: dict[str, int] = {}
        academies: Counter[str] = Counter()
        for file in self._of("EtabEducNat"):
            for _line, _request, key, raw, _text in self._requests(file):
                if said := aaf_records.stated_academie(raw):
                    academies[said] += 1
                uai = (value(raw, "ENTStructureUAI", "ENTEtablissementUAI") or "").upper()
                if key and is_uai(uai):
                    self._structures[key] = uai
        self.entete: EnTete = header_of(self._files, self._structures, academies, delta=self._delta)
        self.entete.attributs_inconnus = self._unknown
        self._academie = self.entete.academie or ""

    def objets(self) -> Iterator[Item]:
        """Yield every object of the files, schools first, then nomenclatures, classes, people."""
        done = False
        for file in self._files:
            if file.part in {"Eleve", "PersRelEleve", "PersEducNat"} and not done:
                done = True
                yield from self._classes()
            for line, request, key, raw, data in self._requests(file):
                yield from self._item(file.name, line, request, key, raw, data)
        if not done:
            yield from self._classes()

    def _of(self, part: str) -> list[Detected]:
        return [file for file in self._files if file.part == part]

    def _requests(self, file: Detected) -> Iterator[tuple[int, str, str, Raw, str]]:
        """Yield (line, request, key, attributes, text) of each object of a file."""
        for line, tag, key, raw, data in requests(file):
            if tag != "addRequest" and not self._delta:
                raise UserError(
                    f"« {file.name} » contient des modifications ou des suppressions (ligne {line}) : "
                    "c’est un "
                    "envoi partiel. Redonnez l’archive sous son nom d’origine, qui contient « Delta »."
                )
            yield line, tag, key, raw, data

    def _item(self, name: str, line: int, request: str, key: str, raw: Raw, data: str) -> Iterator[Item]:
        category = CATEGORIES.get(category_of(raw), "")
        if not category:
            self._count(f"categorie:{category_of(raw)[:40] or '?'}")
            return
        known = KNOWN[category]
        if not raw.keys() <= known:
            for attribute in raw.keys() - known:
                self._count(attribute[:80])
        if not key:
            yield self._anomaly(
                category,
                "",
                raw,
                line,
                name,
                ("cle_absente", "L’identifiant est vide : objet laissé de côté."),
            )
            return
        operation = _OPERATIONS[request]
        uai = self._uai(category, key, raw)
        if operation is Operation.SUPPRESSION:
            yield Fiche(_OBJETS[category], key, digest(data.encode()), line, _nothing, uai, operation)
            return
        usable = True
        for finding in self._findings(category, raw, complete=operation is Operation.COMPLET):
            usable = usable and finding[0] not in {"nom_absent", "prenom_absent", "uai_invalide"}
            yield self._anomaly(category, key, raw, line, name, finding, uai)
        if usable:
            read = self._reader(category, key, raw, operation)
            yield Fiche(_OBJETS[category], key, digest(data.encode()), line, read, uai, operation)

    def _findings(self, category: str, raw: Raw, *, complete: bool) -> Iterator[Finding]:
        if category == "EtabEducNat":
            yield from _school_findings(raw, complete=complete)
        elif category == "MefEducNat":
            self._checks.mefs.add(value(raw, "ENTMefJointure") or "")
        elif category == "MatEducNat":
            self._checks.matieres.add(value(raw, "ENTMatJointure") or "")
        else:
            yield from self._checks.person(category, raw, complete=complete)

    def _reader(self, category: str, key: str, raw: Raw, operation: Operation) -> Read:
        if category == "Eleve":
            delta = operation is Operation.MODIFICATION
            return partial(aaf_people.read_eleve, key, raw, self._academie, self._structures, delta=delta)
        if category == "PersRelEleve":
            return partial(aaf_people.identity, key, raw, self._academie)
        if category == "PersEducNat":
            return partial(aaf_staff.read_personnel, key, raw, self._academie, self._structures)
        if category == "EtabEducNat":
            return partial(aaf_records.read_etablissement, raw, self._structures)
        return partial(
            aaf_records.read_mef if category == "MefEducNat" else aaf_records.read_matiere, key, raw
        )

    def _uai(self, category: str, key: str, raw: Raw) -> str | None:
        if category == "EtabEducNat":
            return self._structures.get(key)
        if category not in {"Eleve", "PersEducNat"}:
            return None
        if (main := value(raw, "ENTPersonStructRattach")) and main in self._structures:
            return self._structures[main]
        for name in ("ENTEleveClasses", "ENTPersonClasses", "ENTPersonFonctions", "ENTAuxEnsClassesMatieres"):
            if written := value(raw, name):
                return self._structures.get(written.partition("$")[0].strip())
        return None

    def _classes(self) -> Iterator[Item]:
        """Yield the classes, then the groups, each school declares: a pass over the schools' files each."""
        for objet, attribute in _CLASSES:
            read = aaf_records.read_division if objet is Objet.DIVISION else aaf_records.read_groupe
            for file in self._of("EtabEducNat"):
                for line, _request, key, raw, _text in self._requests(file):
                    if (uai := self._structures.get(key)) and attribute in raw:
                        yield from self._school_classes(file, objet, uai, line, values(raw, attribute), read)

    def _school_classes(
        self,
        file: Detected,
        objet: Objet,
        uai: str,
        line: int,
        written: list[str] | None,
        read: Callable[[str, str], dict[str, Any]],
    ) -> Iterator[Item]:
        seen: set[str] = set()
        for one in written or []:
            code = one.partition("$")[0].strip()[:32]
            cle = f"{uai}${code}"
            if not code or code in seen:
                what = "deux fois" if code else "sans code"
                yield Anomalie(
                    objet,
                    cle,
                    code or one[:80],
                    line,
                    "classe_double" if code else "classe_sans_code",
                    f"La classe ou le groupe « {code or one[:40]} » est déclaré {what} : la première "
                    "déclaration est retenue. Corrigez-la dans l’application d’origine.",
                    uai,
                    file.name,
                )
                continue
            seen.add(code)
            yield Fiche(objet, cle, digest(one.encode()), line, partial(read, uai, one), uai)

    def _anomaly(
        self,
        category: str,
        key: str,
        raw: Raw,
        line: int,
        name: str,
        finding: Finding,
        uai: str | None = None,
    ) -> Anomalie:
        return Anomalie(
            _OBJETS[category], key[:80], label_of(raw)[:240], line or None, finding[0], finding[1], uai, name
        )

    def _count(self, name: str) -> None:
        self._unknown[name] = self._unknown.get(name, 0) + 1


def label_of(raw: Raw) -> str:
    """Return «NOM Prénom», or the name of a school."""
    last = value(raw, "sn", "ENTPersonNom") or value(raw, "ENTPersonNomPatro") or ""
    first = value(raw, "givenName", "ENTPersonPrenom") or ""
    school = value(raw, "ENTStructureNomCourant", "ENTLibelleMef", "ENTLibelleMatiere") or ""
    return clean(f"{last.upper()} {first}") or aaf_records.school_name(school)


def _school_findings(raw: Raw, *, complete: bool) -> Iterator[Finding]:
    uai = (value(raw, "ENTStructureUAI", "ENTEtablissementUAI") or "").upper()
    if not uai and not complete:
        return
    if not is_uai(uai):
        yield (
            "uai_invalide",
            f"L’UAI « {uai[:20]} » n’a pas la forme attendue (7 chiffres et une lettre) : "
            "établissement laissé de "
            "côté. Corrigez-le dans l’application d’origine.",
        )
    elif not uai_key_is_right(uai):
        yield (
            "uai_cle",
            f"La lettre de contrôle de l’UAI {uai} n’est pas la bonne : vérifiez-le. Il est lu tel quel.",
        )
