"""Schools, classes and nomenclatures several sources state: the rules of ``provenance``, for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.alimentation.champs import LARGEURS_ETABLISSEMENT, Record
from app.operations.alimentation.structures import CHAMPS_NOMENCLATURE, COMPOSITION, Ligne
from app.queries.noms import search_key

_NAMES = dict.fromkeys(
    [
        *LARGEURS_ETABLISSEMENT, "nombre_eleves", "academie", "mere",
        "libelle", *(fields[0] for fields in COMPOSITION.values()),
        *(name for fields in CHAMPS_NOMENCLATURE.values() for name in fields),
    ]
)  # fmt: skip
BITS = {name: 1 << rank for rank, name in enumerate(_NAMES)}
TOUT = (1 << len(BITS)) - 1
SOURCES_ACADEMIE = ("aaf", "aaf1d", "annuaire")
SOURCES_ECOLE = ("siecle", "sts")

Item = tuple[str, Ligne, Record, bool]
"""Source key, row of the base, comparable fields, whether the source was already heard on it."""


def bits_of(champs: Record) -> int:
    """Return the bits of the fields a structure record gives a value to."""
    return sum(BITS[name] for name, value in champs.items() if value and name in BITS)


def accorder_structures(session: Session, espace: str, objet: str, items: Sequence[Item]) -> dict[str, int]:
    """Take out of records what does not stand against the base; return key → bits as stated."""
    bits = {cle: bits_of(champs) for cle, _line, champs, _heard in items}
    doubtful = [(item, _empty(item), _respelt(item)) for item in items]
    doubtful = [found for found in doubtful if found[1] or found[2]]
    if not doubtful:
        return bits
    stated = _stated(session, espace, objet, [item for item, _empty, _respelt in doubtful])
    for (cle, line, champs, _heard), empty, respelt in doubtful:
        mine = 0
        elsewhere = 0
        for scope, key, found in stated[line.id if objet == "etablissement" else cle]:
            if (scope, key) == (espace, cle):
                mine = found
            else:
                elsewhere |= found
        for name in empty:
            if not mine & BITS[name] or elsewhere & BITS[name]:
                del champs[name]
        for name in respelt:
            if elsewhere & BITS[name]:
                del champs[name]
    return bits


def _empty(item: Item) -> list[str]:
    _cle, line, champs, _heard = item
    return [name for name, value in champs.items() if not value and line.champs.get(name) and name in BITS]


def _respelt(item: Item) -> list[str]:
    """Return the texts a source heard for the first time spells otherwise: case and accents only."""
    _cle, line, champs, heard = item
    if heard:
        return []
    return [
        name
        for name, value in champs.items()
        if name in BITS
        and isinstance(value, str)
        and isinstance(known := line.champs.get(name), str)
        and value != known
        and search_key(value) == search_key(known)
    ]


Stated = dict[int | str, list[tuple[str, str, int]]]


def _stated(session: Session, espace: str, objet: str, items: Sequence[Item]) -> Stated:
    """Return what each source last stated of these objects: by school for schools, by key for others."""
    scopes = _scopes(session, [item[0] for item in items]) | {espace}
    by_school = objet == "etablissement"
    if by_school:
        uais = rows_of(
            session, "SELECT uai FROM etablissement WHERE id IN :ids", ids=[item[1].id for item in items]
        )
        scopes |= {f"{source}:{row[0]}" for source in SOURCES_ECOLE for row in uais}
    found: Stated = defaultdict(list)
    for scope, cle, school, champs, present in rows_of(
        session,
        "SELECT espace, cle, etablissement_id, champs, presente FROM fiche_source"
        " WHERE espace IN :scopes AND objet = :objet"
        f" AND {'etablissement_id' if by_school else 'cle'} IN :keys",
        scopes=sorted(scopes),
        objet=objet,
        keys=[item[1].id if by_school else item[0] for item in items],
    ):
        if present or scope == espace:
            found[school if by_school else cle].append((scope, cle, TOUT if champs is None else champs))
    return found


def _scopes(session: Session, cles: Sequence[str]) -> set[str]:
    """Return the scopes that may state these objects: those of académies, those of their schools."""
    scopes = {"annuaire"}
    for (code,) in rows_of(session, "SELECT code FROM academie"):
        scopes |= {f"{source}:{code}" for source in SOURCES_ACADEMIE}
    schools = {cle.partition("$")[0] for cle in cles if "$" in cle}
    return scopes | {f"{source}:{uai}" for source in SOURCES_ECOLE for uai in schools}


def stated_elsewhere(session: Session, espace: str, objet: str, cles: Sequence[str]) -> set[str]:
    """Return, of the classes a source no longer states, those another source still does."""
    if not cles:
        return set()
    return {
        row[0]
        for row in rows_of(
            session,
            "SELECT cle FROM fiche_source WHERE espace IN :scopes AND objet = :objet AND cle IN :cles"
            " AND presente AND absente_de IS NULL",
            scopes=sorted(_scopes(session, cles) - {espace}),
            objet=objet,
            cles=sorted(cles),
        )
    }
