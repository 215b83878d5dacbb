"""The differences of the school to come, taken apart while the database server is at those of this one.

Applying waits for PostgreSQL more than it works; most of what it does of a difference row (reading
its record, sorting out what it says, the keys its name is found under) asks the base nothing. What is
prepared stands for a row only as long as nobody wrote it: PostgreSQL numbers the writer of each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.database import rows_of
from app.extensions import now
from app.meanwhile import meanwhile
from app.models import Alimentation
from app.operations.alimentation.champs import (
    IDENTITE,
    PERSONNES,
    Part,
    Record,
    identifiants,
    identite,
    parts,
)
from app.operations.alimentation.champs import liens as liens_de
from app.operations.alimentation.provenance import enonces
from app.queries.noms import login_root, name_variants, personne_key

PAGE = 4000
"""Differences read at a time: all those of most schools."""
UN_PEU = 4
"""Records taken apart in one go: the server never waits longer than that."""
LONGUEUR_CLE = 220
_SUITE = IDENTITE[IDENTITE.index("prenom") + 1 :]


@dataclass(slots=True)
class Dit:
    """What the difference row of a person says, taken apart for one school."""

    record: Record
    identite: Record
    identifiants: list[tuple[str, str, str]]
    parts: dict[str, Part] | None
    liens: dict[str, list[Any]] | None
    enonce: int
    """Fields a whole record gives a value to (``provenance``)."""


@dataclass(slots=True)
class Noms:
    """What a new person is written with: columns, and all their name is found under."""

    colonnes: tuple[Any, ...]
    cle: str
    cle_naissance: str
    variantes: list[str]
    racine: str


def lire(objet: str, donnees: bytes | None, uai: str, today: str) -> Dit:
    """Take the record of a difference row apart."""
    record = orjson.loads(donnees or b"{}")
    found = parts(objet, record, uai, today)
    who = identite(record)
    return Dit(
        record, who, identifiants(record), found, liens_de(record), enonces(who, found, None, entier=True)
    )


def nommer(values: Record) -> Noms:
    """Return what a person of this identity is written with."""
    nom, prenom, usage = values.get("nom") or "", values.get("prenom") or "", values.get("nom_usage")
    born = personne_key(nom, prenom)
    return Noms(
        (nom, usage, prenom, *map(values.get, _SUITE)),
        (personne_key(usage, prenom) if usage else born)[:LONGUEUR_CLE],
        born,
        name_variants(nom, usage, prenom),
        login_root(prenom, usage or nom),
    )


@dataclass(slots=True)
class Pret:
    """A difference row read ahead: which writing of it, and what it says once taken apart."""

    version: str
    objet: str
    uai: str
    donnees: bytes | None
    dit: Dit | None = None
    noms: Noms | None = None

    def preparer(self, today: str) -> None:
        """Take the row apart, unless it is done."""
        if self.dit is None:
            self.dit = lire(self.objet, self.donnees, self.uai, today)
            self.noms = nommer(self.dit.identite)


class Avance:
    """Prepares the schools of ``uais`` in their order, one ahead of the one being applied."""

    def __init__(self, session: Session, alimentation: Alimentation, uais: Sequence[str] = ()) -> None:
        self.session = session
        self.alimentation_id = alimentation.id
        self.utile = session.get_bind().dialect.name == "postgresql"
        """The server works on its own: there is a time to prepare in."""
        self._suivants = dict(pairwise(uais))
        self._lus: dict[str, dict[int, Pret]] = {}
        self._reste: deque[Pret] = deque()
        self._pressant: Iterator[None] | None = None
        self._today = now().date().isoformat()

    def ouvrir(self, uai: str) -> None:
        """Hold what was prepared of a school, and read the one after it to prepare it in turn."""
        if not self.utile:
            return
        self._today = now().date().isoformat()
        self._lus = {uai: self._lus.get(uai) or self._lire(uai)}
        if following := self._suivants.get(uai):
            self._lus[following] = self._lire(following)

    def _lire(self, uai: str) -> dict[int, Pret]:
        read = {
            row_id: Pret(version, objet, uai, donnees)
            for row_id, version, objet, donnees in rows_of(
                self.session,
                "SELECT id, CAST(xmin AS VARCHAR), objet, donnees FROM ecart WHERE alimentation_id = :feed"
                " AND uai = :uai AND applique_le IS NULL AND nature <> 'anomalie'"
                " ORDER BY ordre, id LIMIT :size",
                feed=self.alimentation_id,
                uai=uai,
                size=PAGE,
            )
        }
        self._reste += [pret for pret in read.values() if pret.objet in PERSONNES]
        return read

    def pendant(self) -> AbstractContextManager[None]:
        """Prepare while the server is at the statements of the block."""
        return meanwhile(self.session, self._un_peu)

    def confier(self, steps: Iterator[None]) -> None:
        """Take steps that ask the base nothing, before all else; the caller ends what is left of them."""
        self._pressant = steps

    def _un_peu(self) -> bool:
        if self._pressant is not None:
            if sum(1 for _step in islice(self._pressant, UN_PEU)) == UN_PEU:
                return True
            self._pressant = None
        for _time in range(min(UN_PEU, len(self._reste))):
            self._reste.popleft().preparer(self._today)
        return bool(self._reste)

    def prets(self, uai: str, versions: Iterable[tuple[int, str]]) -> dict[int, Pret]:
        """Return the rows of a school that nobody wrote since they were read ahead."""
        read = self._lus.get(uai, {})
        return {
            row_id: pret
            for row_id, version in versions
            if (pret := read.get(row_id)) and pret.version == version
        }
