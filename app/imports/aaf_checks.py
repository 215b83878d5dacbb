"""What is wrong in an AAF object, told with where and what to do. Cheap: run on every object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.imports.aaf_fields import Raw, fields, value, values
from app.imports.aaf_people import legal_level, parente_code
from app.imports.text import parse_date
from app.imports.uai import is_ine

Finding = tuple[str, str]
"""(code, French sentence)."""

_MAX_INE = 300_000
_MAX_OPTIONS = 4_000
_LINKS = ("ENTEleveClasses", "ENTPersonClasses", "ENTEleveGroupes", "ENTPersonGroupes")
_STAFF_LINKS = (
    "ENTPersonFonctions",
    "ENTAuxEnsClassesMatieres",
    "ENTAuxEnsGroupesMatieres",
    "ENTAuxEnsClassesPrincipal",
)


class Checks:
    """The checks of one set of AAF files, and the little they must remember."""

    def __init__(self, structures: Mapping[str, str]) -> None:
        self._structures = structures
        self._ines: set[int] = set()
        self._options: set[str] = set()
        self.mefs: set[str] = set()
        self.matieres: set[str] = set()

    def person(self, category: str, raw: Raw, *, complete: bool) -> Iterator[Finding]:
        """Yield what is wrong with a person."""
        if complete and not (value(raw, "sn", "ENTPersonNom") or value(raw, "ENTPersonNomPatro")):
            yield "nom_absent", "Le nom est vide : complétez-le dans l’application d’origine."
        if complete and not value(raw, "givenName", "ENTPersonPrenom"):
            yield "prenom_absent", "Le prénom est vide : complétez-le dans l’application d’origine."
        born = value(raw, "ENTPersonDateNaissance")
        if born and parse_date(born) is None:
            yield (
                "date_invalide",
                f"La date de naissance « {born[:20]} » n’existe pas : corrigez-la dans l’application "
                "d’origine.",
            )
        elif complete and not born and category == "Eleve":
            yield "date_absente", "La date de naissance est vide : complétez-la dans l’application d’origine."
        if category == "Eleve":
            yield from self._eleve(raw)
        if category != "PersRelEleve":
            yield from self._schools(raw, _LINKS if category == "Eleve" else _STAFF_LINKS)

    def _eleve(self, raw: Raw) -> Iterator[Finding]:
        if "ENTEleveINE" in raw and (ine := value(raw, "ENTEleveINE")):
            yield from self._ine(ine.upper())
        yield from _two_divisions(raw)
        if self.mefs and (mef := value(raw, "ENTEleveMEF")) and mef not in self.mefs:
            yield (
                "mef_absent",
                f"Le MEF {mef} n’est pas dans le fichier MefEducNat : il est créé sans libellé.",
            )
        if self.matieres:
            options = raw.get("ENTEleveCodeEnseignements", "")
            if options not in self._options and (
                absent := [
                    o for o in values(raw, "ENTEleveCodeEnseignements") or [] if o not in self.matieres
                ]
            ):
                yield (
                    "matiere_absente",
                    f"Matière absente du fichier MatiereEducNat : {', '.join(absent[:5])}. Elle est "
                    "créée sans "
                    "libellé.",
                )
            elif len(self._options) < _MAX_OPTIONS:
                self._options.add(options)
        if not _plain_guardians(raw.get("ENTElevePersRelEleve", "")):
            yield from guardian_findings(values(raw, "ENTElevePersRelEleve") or [])

    def _ine(self, ine: str) -> Iterator[Finding]:
        if not is_ine(ine):
            yield (
                "ine_invalide",
                f"L’INE « {ine[:20]} » n’a pas la forme attendue (11 chiffres et lettres) : vérifiez-le.",
            )
            return
        mark = int(ine, 36)
        if mark in self._ines:
            yield (
                "ine_double",
                f"L’INE {ine} est déjà celui d’un autre élève du fichier : vérifiez les deux fiches.",
            )
        elif len(self._ines) < _MAX_INE:
            self._ines.add(mark)

    def _schools(self, raw: Raw, names: tuple[str, ...]) -> Iterator[Finding]:
        structures = self._structures
        cited = values(raw, "ENTPersonStructRattach") or []
        unknown = {structure for structure in cited if structure not in structures}
        for name in names:
            if name not in raw or _only(raw[name], cited[0] if cited else ""):
                continue
            for written in values(raw, name) or ():
                structure = written.partition("$")[0].strip()
                if structure not in structures:
                    unknown.add(structure)
        if unknown:
            yield (
                "structure_inconnue",
                f"Établissement {', '.join(sorted(unknown)[:5])} absent du fichier EtabEducNat et "
                "inconnu ici : ce "
                "qui s’y rapporte est laissé de côté. Joignez le fichier EtabEducNat.",
            )


def _only(inner: str, structure: str) -> bool:
    """Say, at the cost of two counts, whether every value begins with one structure."""
    return inner == "<value/>" or inner.count(f"<value>{structure}$") == inner.count("<value")


def _plain_guardians(inner: str) -> bool:
    """Say whether the guardians are the usual one or two, different, none the pupil themself."""
    if inner in {"", "<value/>"}:
        return True
    first = inner[: inner.find("$") + 1]
    return inner.count("<value") <= 2 and "$7" not in inner and inner.count(first) == 1


def _two_divisions(raw: Raw) -> Iterator[Finding]:
    inner = raw.get("ENTEleveClasses") or raw.get("ENTPersonClasses") or ""
    if inner.count("<value>") < 2:
        return
    pairs = dict.fromkeys(
        (school, code.split("$")[0])
        for school, code in (fields(w, 2) for w in values(raw, "ENTEleveClasses", "ENTPersonClasses") or [])
    )
    if len({school for school, _code in pairs}) < len(pairs):
        codes = ", ".join(code for _school, code in pairs)
        yield (
            "deux_divisions",
            f"L’élève est dans plusieurs classes d’un même établissement ({codes}) : la première est "
            "retenue. "
            "Gardez-en une seule dans l’application d’origine.",
        )


def guardian_findings(cited: list[str]) -> Iterator[Finding]:
    """Yield what is wrong in the guardians a pupil cites, each ``id$parenté$fin$légal$contact$paie``."""
    if not cited:
        return
    legal, seen = 0, set()
    for written in cited:
        key, parente, _financier, level, _contact, _paiement = fields(written, 6)
        if parente_code(parente) == "70":
            yield (
                "parent_eleve",
                "L’élève est déclaré comme son propre responsable : ce lien n’est pas retenu.",
            )
            continue
        if key in seen:
            yield (
                "responsable_double",
                f"Le responsable {key} est cité deux fois : le premier lien est retenu.",
            )
            continue
        seen.add(key)
        legal += legal_level(level, old=len(parente) == 1) == 1
    if legal > 2:
        yield (
            "legaux_multiples",
            f"{legal} responsables légaux sont déclarés : vérifiez qui exerce l’autorité parentale.",
        )
