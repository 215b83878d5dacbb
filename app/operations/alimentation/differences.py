"""The difference between a record and the base, for one person; used to show it and to apply it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.operations.alimentation.champs import FACETTES, Part, Record
from app.operations.alimentation.etats import Etat

Change = list[Any]
"""[before, after]; JSON turns tuples into lists anyway."""


@dataclass(slots=True)
class Difference:
    """What a record changes of a person, before and after; empty means nothing."""

    identite: dict[str, Change] = field(default_factory=dict)
    gardes: list[str] = field(default_factory=list)
    identifiants: list[tuple[str, str, str]] = field(default_factory=list)
    parts: dict[str, dict[str, Change]] = field(default_factory=dict)
    arrivees: set[str] = field(default_factory=set)
    retours: set[str] = field(default_factory=set)
    quittes: list[str] = field(default_factory=list)
    liens: dict[str, Change] = field(default_factory=dict)

    def donnees(self) -> bool:
        """Tell whether something a person reads changes, apart from identifiers."""
        return bool(self.identite or self.gardes or self.parts or self.liens or self.quittes)

    def commune(self) -> bool:
        """Tell whether something changes that belongs to no school in particular."""
        return bool(self.identite or self.gardes or self.identifiants or self.liens)


def difference(
    etat: Etat,
    identite: Record,
    identifiants: list[tuple[str, str, str]],
    parts: dict[str, Part] | None,
    liens: dict[str, list[Any]] | None,
    *,
    source: str,
    entiers: set[str] | None = None,
) -> Difference:
    """Compare a record with the base; a field locked by hand is kept and named in ``gardes``.

    ``entiers`` are the schools the files state in full: an open attachment of this source there,
    that the record does not state, is left.
    """
    found = Difference()
    for key, value in identite.items():
        old = etat.identite[key]
        if value == old or (value is None and key in ("nom", "prenom")):
            continue
        if key in etat.verrous:
            found.gardes.append(key)
        else:
            found.identite[key] = [old, value]
    found.identifiants = [cle for cle in identifiants if cle not in etat.identifiants]
    for uai, part in (parts or {}).items():
        place = etat.places.get(uai)
        if place is None:
            found.arrivees.add(uai)
        elif not place.ouverte:
            found.retours.add(uai)
        known = place.facettes if place is not None and place.ouverte else {}
        changes = {
            key: [known.get(key), part[key]]
            for key in ("profil", *FACETTES)
            if key in part and part[key] != known.get(key)
        }
        if changes or uai in found.arrivees or uai in found.retours:
            found.parts[uai] = changes
    if parts is not None:
        found.quittes = [
            place.uai
            for place in etat.ouvertes()
            if place.uai not in parts and place.source == source and place.uai in (entiers or ())
        ]
    if liens is not None:
        found.liens = _liens(etat, liens, source)
    return found


def _liens(etat: Etat, liens: dict[str, list[Any]], source: str) -> dict[str, Change]:
    changes: dict[str, Change] = {
        cle: [etat.liens.get(cle), attributs]
        for cle, attributs in liens.items()
        if etat.liens.get(cle) != attributs
    }
    for cle, attributs in etat.liens.items():
        if cle not in liens and etat.sources_liens[cle] == source:
            changes[cle] = [attributs, None]
    return changes


def lisible(diff: Difference, uai: str) -> tuple[Record, Record]:
    """Return what a person reads for one school: fields before, fields after."""
    before: Record = {}
    after: Record = {}
    for key, (old, new) in (diff.identite | diff.parts.get(uai, {})).items():
        before[key], after[key] = old, new
    for type_, _portee, valeur in diff.identifiants:
        before.setdefault(type_, None)
        after[type_] = valeur
    if diff.liens:
        before["responsables"] = [_lien(cle, old) for cle, (old, _new) in diff.liens.items() if old]
        after["responsables"] = [_lien(cle, new) for cle, (_old, new) in diff.liens.items() if new]
    return before, after


def _lien(cle: str, attributs: list[Any]) -> str:
    return f"n° {cle} (parenté {attributs[0]}, niveau {attributs[1]})"
