"""AAF people converted to our records: pupils, guardians, staff, of both degrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.imports.aaf_fields import Raw, fields, states, value, values
from app.imports.text import civilite, parse_date, phone, truth

Record = dict[str, Any]

PARENTE = {"1": "20", "2": "10", "3": "50", "4": "39", "5": "51", "6": "90", "7": "70"}
"""Parenthood codes of one digit (before 2018) → those of two."""

_NAMES = ("sn", "ENTPersonNom", "ENTPersonNomPatro")
_TEXTS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("email", 255, ("mail", "ENTPersonMail")),
    ("code_postal", 10, ("ENTPersonCodePostal",)),
    ("commune", 80, ("ENTPersonVille",)),
    ("pays", 60, ("ENTPersonPays",)),
)
_PHONES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("telephone_domicile", ("homePhone", "ENTPersonTelPerso")),
    ("telephone_portable", ("mobile", "ENTPersRelEleveTelMobile", "ENTPersonMobileSMS")),
    ("telephone_travail", ("telephoneNumber", "ENTPersRelEleveTelPro")),
)


def identity(key: str, raw: Raw, academie: str) -> Record:
    """Return what is common to every person, and all there is of a guardian: names, birth date, "
    "contacts, identifiers.
    """
    record: Record = {"identifiants": [["jointure", academie, key]]}
    usage, family = value(raw, "sn", "ENTPersonNom"), value(raw, "ENTPersonNomPatro")
    if name := family or usage:
        record["nom"] = name[:100]
    if states(raw, *_NAMES):
        record["nom_usage"] = usage[:100] if usage and usage != family and family else None
        if usage and not states(raw, "ENTPersonNomPatro", "givenName", "ENTPersonPrenom"):
            record["nom_usage"] = usage[:100]
            del record["nom"]
    if first := value(raw, "givenName", "ENTPersonPrenom"):
        record["prenom"] = first[:100]
    if (others := values(raw, "ENTPersonAutresPrenoms")) is not None:
        record["autres_prenoms"] = ", ".join(others)[:200] or None
    if states(raw, "personalTitle", "ENTPersonCivilite"):
        record["civilite"] = civilite(value(raw, "personalTitle", "ENTPersonCivilite") or "")
    if "ENTPersonDateNaissance" in raw:
        record["date_naissance"] = parse_date(value(raw, "ENTPersonDateNaissance") or "")
    _contacts(record, raw)
    return record


def _contacts(record: Record, raw: Raw) -> None:
    for field, length, names in _TEXTS:
        if states(raw, *names):
            found = value(raw, *names)
            record[field] = found[:length] if found else None
    for field, names in _PHONES:
        if states(raw, *names):
            record[field] = phone(value(raw, *names) or "") or None
    if "ENTPersonAdresse" in raw:
        lines = (value(raw, "ENTPersonAdresse") or "").split("$")
        record["adresse"] = ", ".join(line.strip() for line in lines if line.strip())[:255] or None


def read_eleve(
    key: str, raw: Raw, academie: str, structures: Mapping[str, str], *, delta: bool = False
) -> Record:
    """Convert an Eleve object, with one ``scolarite`` per school and the guardians it cites."""
    record = identity(key, raw, academie)
    if eleve_id := value(raw, "ENTEleveStructRattachId"):
        record["identifiants"].insert(0, ["eleve_id", academie, eleve_id])
    if ine := value(raw, "ENTEleveINE"):
        record["identifiants"].append(["ine", "", ine.upper()])
    places = Places(structures)
    _main_school(places, raw, delta=delta)
    _classes(places, raw, delta=delta)
    if places.stated:
        record["scolarites"] = [place for place in places.result(delta=delta) if delta or place["uai"]]
    if delta and _restated(raw, structures):
        record["scolarites_entieres"] = True
    if (cited := guardians(raw)) is not None:
        record["responsables"] = cited
    return record


class Places:
    """The schools of a pupil, filled attribute by attribute."""

    def __init__(self, structures: Mapping[str, str]) -> None:
        self._structures = structures
        self._by_uai: dict[str | None, Record] = {}
        self._everywhere: Record = {}
        self.stated = False

    def at(self, structure: str) -> Record | None:
        """Return the place in a structure, None when that structure is unknown."""
        uai = self._structures.get(structure)
        if uai is None:
            return None
        self.stated = True
        return self._by_uai.setdefault(uai, {"uai": uai})

    def knows(self, written: list[str]) -> bool:
        """Tell whether every structure these values name is known."""
        return all(fields(one, 2)[0] in self._structures for one in written)

    def everywhere(self, key: str, empty: Any) -> None:
        """State that a field is empty wherever nothing else is said."""
        self.stated = True
        self._everywhere[key] = empty

    def main(self) -> Record:
        """Return the main school's place; without one (delta), a place whose school is not said."""
        self.stated = True
        return next(iter(self._by_uai.values()), None) or self._by_uai.setdefault(None, {"uai": None})

    def result(self, *, delta: bool) -> list[Record]:
        """Return the places; an emptied field stands in each, in a delta in those not named too."""
        places = list(self._by_uai.values())
        if self._everywhere and (not places or (delta and None not in self._by_uai)):
            places.append({"uai": None})
        for place in places:
            for key, empty in self._everywhere.items():
                place.setdefault(key, empty if not isinstance(empty, list) else [])
        return places


def _restated(raw: Raw, structures: Mapping[str, str]) -> bool:
    """Tell whether a delta states again all the schools of a pupil: the main one and the classes."""
    main, classes = value(raw, "ENTPersonStructRattach"), values(raw, "ENTEleveClasses", "ENTPersonClasses")
    named = [main or "", *(fields(written, 2)[0] for written in classes or ())]
    return bool(main and classes) and all(structure in structures for structure in named)


def _main_school(places: Places, raw: Raw, *, delta: bool) -> None:
    if main := value(raw, "ENTPersonStructRattach"):
        if places.at(main) is None and delta:
            return  # a school we do not know: what follows is of nowhere here
    elif pairs := values(raw, "ENTEleveClasses", "ENTPersonClasses"):
        places.at(fields(pairs[0], 2)[0])
    for field, size, name in (("mef", 11, "ENTEleveMEF"), ("mef_libelle", 120, "ENTEleveLibelleMEF")):
        if name in raw:
            places.main()[field] = (value(raw, name) or "")[:size] or None
    if "ENTEleveRegime" in raw:
        places.main()["regime"] = (value(raw, "ENTEleveRegime") or "")[:60] or None
    if (options := values(raw, "ENTEleveCodeEnseignements")) is not None:
        places.main()["options"] = list(dict.fromkeys(option[:40] for option in options))
    for day, name in (
        ("debut", "ENTEleveDateEntreeStructRattach"),
        ("fin", "ENTEleveDateSortieStructRattach"),
    ):
        if name in raw:
            places.main()[day] = parse_date(value(raw, name) or "")


def _classes(places: Places, raw: Raw, *, delta: bool) -> None:
    if (classes := values(raw, "ENTEleveClasses", "ENTPersonClasses")) is not None:
        if not delta or places.knows(classes):
            places.everywhere("division", None)
        for written in classes:
            structure, code = fields(written, 2)
            if code and (place := places.at(structure)) is not None:
                place.setdefault("division", code.split("$")[0][:32])
    if (groupes := values(raw, "ENTEleveGroupes", "ENTPersonGroupes")) is not None:
        if not delta or places.knows(groupes):
            places.everywhere("groupes", [])
        for written in groupes:
            structure, code = fields(written, 2)
            if code and (place := places.at(structure)) is not None:
                members = place.setdefault("groupes", [])
                if (code := code.split("$")[0][:32]) not in members:
                    members.append(code)
    for written in values(raw, "ENTEleveDateEntreeClasses") or []:
        structure, day, _code = fields(written, 3)
        if (place := places.at(structure)) is not None and (start := parse_date(day)):
            place.setdefault("debut", start)


def guardians(raw: Raw) -> list[Record] | None:
    """Return who a pupil cites as guardians; None when the object does not speak of them.

    The pupil themself (parenthood 70) is no guardian. First degree names parental authority only.
    """
    cited = values(raw, "ENTElevePersRelEleve")
    if cited is None:
        authority = values(raw, "ENTEleveAutoriteParentale")
        if authority is None:
            return None
        cited = [f"{fields(written, 2)[0]}$90$0$1$1$0" for written in authority]
    found: dict[str, Record] = {}
    for written in cited:
        key, parente, financier, legal, contact, paiement = fields(written, 6)
        code = parente_code(parente)
        if not key or code == "70":
            continue
        found.setdefault(
            key,
            {
                "cle": key,
                "code_parente": code,
                "niveau": legal_level(legal, old=len(parente) == 1),
                "financier": truth(financier),
                "contact": truth(contact),
                "paiement": truth(paiement),
            },
        )
    return list(found.values())


def parente_code(written: str) -> str:
    """Return a two-digit parenthood code, «90» (other) when there is none."""
    return PARENTE.get(written, written.zfill(2) if written.isdigit() else "90")[:2]


def legal_level(written: str, *, old: bool) -> int:
    """Return 1 legal, 2 in charge, 3 contact. Before 2018, 2 was the second legal guardian."""
    if written == "1" or (old and written == "2"):
        return 1
    return 2 if written == "2" else 3
