"""What each source stated of a person, so that feeds agree: a source empties only what it alone gave.

``fiche_source.champs`` holds one bit for each field the last applied record of a key gave a value
to. An empty field is then worth something only when this very key gave it a value before, and no
other key of the same person still gives one. A source heard for the first time does not rewrite a
text another one gave when they differ by case and accents only. What is not worth anything is taken
out of the record before it is compared: the base keeps what it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.alimentation.champs import FACETTES, IDENTITE, Part, Record
from app.operations.alimentation.etats import Etat
from app.queries.noms import search_key

DISCIPLINE = "discipline"
BITS = {name: 1 << rank for rank, name in enumerate((*IDENTITE, *FACETTES, DISCIPLINE))}
TOUT = (1 << len(BITS)) - 1
"""What a key is taken to state when it was applied before bits were kept."""

LONGUEUR_UAI = 8


def enonces(identite: Record, parts: dict[str, Part] | None, ancien: int | None, *, entier: bool) -> int:
    """Return the bits of the fields a record gives a value to.

    A record that states only what changes (``entier`` is false) adds to what was stated before.
    """
    given = sum([BITS[name] for name, value in identite.items() if value])
    for part in (parts or {}).values():
        for name, value in part.items():
            if value and name in BITS:
                given |= BITS[name]
        for item in part.get("fonctions") or ():
            if item[1]:
                given |= BITS[DISCIPLINE]
    if entier:
        return given
    emptied = [name for name, value in identite.items() if not value]
    emptied += [name for part in (parts or {}).values() for name, value in part.items() if not value]
    return ((ancien or 0) & ~sum({BITS.get(name, 0) for name in emptied})) | given


@dataclass(slots=True)
class Enonce:
    """A record about to be compared with a known person; ``identite`` and ``parts`` are narrowed."""

    cle: str
    personne_id: int
    etat: Etat
    identite: Record
    parts: dict[str, Part] | None
    connu: bool
    """The source had already been heard on this person."""
    vides: list[str] = field(default_factory=list)
    redites: list[str] = field(default_factory=list)
    vides_de: list[tuple[str, str]] = field(default_factory=list)


def accorder(session: Session, espace: str, objet: str, lus: Sequence[Enonce]) -> None:
    """Take out of records the empty fields, and the spellings, that do not stand against the base."""
    doubtful = []
    for lu in lus:
        _complete_functions(lu)
        _doubts(lu)
        if lu.vides or lu.redites or lu.vides_de:
            doubtful.append(lu)
    if not doubtful:
        return
    stated = _stated(session, sorted({lu.personne_id for lu in doubtful}))
    for lu in doubtful:
        _settle(lu, espace, objet, stated[lu.personne_id])


def _doubts(lu: Enonce) -> None:
    for name, value in lu.identite.items():
        known = lu.etat.identite.get(name)
        if value == known or not known:
            continue
        if not value:
            lu.vides.append(name)
        elif not lu.connu and search_key(str(value)) == search_key(str(known)):
            lu.redites.append(name)
    for uai, part in (lu.parts or {}).items():
        place = lu.etat.places.get(uai)
        if place is None:
            continue
        for name in FACETTES:
            if name in part and not part[name] and place.facettes.get(name):
                lu.vides_de.append((uai, name))
        if _loses_discipline(part, place.facettes):
            lu.vides_de.append((uai, DISCIPLINE))


def _complete_functions(lu: Enonce) -> None:
    """A function whose discipline the source does not speak of keeps the one the base has."""
    for uai, part in (lu.parts or {}).items():
        held = part.get("fonctions")
        if not held or all(item[1] is not None for item in held):
            continue
        place = lu.etat.places.get(uai)
        known: dict[str, list[str]] = defaultdict(list)
        for code, discipline in place.facettes.get("fonctions") or () if place else ():
            known[code].append(discipline)
        found = {
            (code, one)
            for code, discipline in held
            for one in ([discipline] if discipline is not None else known[code] or [""])
        }
        part["fonctions"] = [list(item) for item in sorted(found)]


def _loses_discipline(part: Part, facettes: Part) -> bool:
    known = {code for code, discipline in facettes.get("fonctions") or () if discipline}
    return any(not discipline and code in known for code, discipline in part.get("fonctions") or ())


Stated = list[tuple[str, str, str, int, bool]]
"""(scope, kind, key, bits, still stated) of each key of a person."""


def _stated(session: Session, ids: list[int]) -> dict[int, Stated]:
    found: dict[int, Stated] = defaultdict(list)
    for personne_id, espace, objet, cle, champs, presente in rows_of(
        session,
        "SELECT personne_id, espace, objet, cle, champs, presente FROM fiche_source"
        " WHERE personne_id IN :ids AND objet <> 'lien'",
        ids=ids,
    ):
        found[personne_id].append((espace, objet, cle, TOUT if champs is None else champs, bool(presente)))
    return found


def _settle(lu: Enonce, espace: str, objet: str, stated: Stated) -> None:
    mine = 0
    others: list[tuple[str, int]] = []
    for scope, kind, cle, champs, present in stated:
        if (scope, kind, cle) == (espace, objet, lu.cle):
            mine = champs
        elif present:
            others.append((scope, champs))
    elsewhere = 0
    for _scope, champs in others:
        elsewhere |= champs
    for name in lu.vides:
        if not mine & BITS[name] or elsewhere & BITS[name]:
            del lu.identite[name]
    for name in lu.redites:
        if elsewhere & BITS[name]:
            del lu.identite[name]
    for uai, name in lu.vides_de:
        here = 0
        for scope, champs in others:
            if _speaks_of(scope, uai):
                here |= champs
        if not mine & BITS[name] or here & BITS[name]:
            _keep(lu, uai, name)


def _speaks_of(scope: str, uai: str) -> bool:
    """Tell whether a scope covers a school: its own files, or those of a whole académie."""
    name = scope.partition(":")[2]
    return len(name) != LONGUEUR_UAI or name == uai


def _keep(lu: Enonce, uai: str, name: str) -> None:
    part: dict[str, Any] = (lu.parts or {})[uai]
    if name != DISCIPLINE:
        del part[name]
        return
    if "fonctions" not in part:
        return
    part["fonctions"] = [[code, discipline or None] for code, discipline in part["fonctions"]]
    _complete_functions(lu)


__all__ = ["BITS", "Enonce", "accorder", "enonces"]
