"""What readers yield and the difference compares: source records in our own words.

A reader turns each object of a file into one ``Fiche``; source field names stop there.
``empreinte`` digests the object as read, so an unchanged object is recognised without being
converted: readers give ``lire`` (a callable) and the engine calls it only when needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Objet(StrEnum):
    """Kinds of object, in the order they are applied within a school."""

    ETABLISSEMENT = "etablissement"
    MEF = "mef"
    MATIERE = "matiere"
    DIVISION = "division"
    GROUPE = "groupe"
    ELEVE = "eleve"
    RESPONSABLE = "responsable"
    PERSONNEL = "personnel"
    LIEN = "lien"


class Operation(StrEnum):
    """What the source asks: state the whole object, change some fields, or remove it."""

    COMPLET = "complet"
    MODIFICATION = "modification"
    SUPPRESSION = "suppression"


@dataclass(slots=True)
class Fiche:
    """One object of a file.

    ``cle`` is the source's own key within ``Lot.espace``; ``uai`` the school it belongs to when
    the source says it. ``lire()`` returns the converted record, a plain dict of JSON values
    whose keys are documented in ``docs/formats.md``; dates are ISO strings.
    """

    objet: Objet
    cle: str
    empreinte: bytes
    ligne: int
    lire: Callable[[], dict[str, Any]]
    uai: str | None = None
    operation: Operation = Operation.COMPLET


@dataclass(slots=True)
class Anomalie:
    """Something wrong in a file, with where and what to do; never a reason to stop reading."""

    objet: Objet
    cle: str
    libelle: str
    ligne: int | None
    code: str
    message: str
    uai: str | None = None
    fichier: str = ""


@dataclass(slots=True)
class EnTete:
    """What a set of files says of itself before its objects are read.

    ``source`` is one of aaf, aaf1d, siecle, sts, annuaire; ``espace`` scopes its keys
    («aaf:19», «siecle:0751234J»). ``presents`` are the kinds of object the files state in full:
    only those can be missed (I3: a missing file is not a departure).
    """

    source: str
    espace: str
    mode: str = "complet"
    date_export: datetime | None = None
    annee_scolaire: int | None = None
    academie: str | None = None
    uai: str | None = None
    presents: set[Objet] = field(default_factory=set)
    fichiers: list[dict[str, Any]] = field(default_factory=list)
    attributs_inconnus: dict[str, int] = field(default_factory=dict)


__all__ = ["Anomalie", "EnTete", "Fiche", "Objet", "Operation"]
