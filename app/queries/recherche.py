"""What somebody means by what they type in a search box about people (U2).

Two ways to answer. Over a whole perimeter, from the first letters, so that an index answers
whatever the number of people. Within one school, where reading everybody costs little, any word
of the name may be the one typed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, or_, select

from app.models import Identifiant, Personne, Rattachement, VarianteNom
from app.queries.noms import search_key

LONGEST_WORDS = 6
SHORTEST_NAME = 2
"""Letters of the name asked before «first name, then name» is tried."""
SPECIFIC = 3
"""Letters from which other keys than the name itself are looked into, over a whole perimeter."""


def prefix(column: Any, key: str) -> ColumnElement[bool]:
    """Return «column starts with key» as a range, which an index answers on both engines."""
    if not key:
        return column == literal("")
    return and_(column >= key, column < key[:-1] + chr(ord(key[-1]) + 1))


def splits(key: str) -> list[tuple[str, str]]:
    """Return the ways of reading ``key`` as a whole first name then the beginning of a name."""
    words = key.split(" ")[:LONGEST_WORDS]
    pairs = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
    return [(given, name) for given, name in pairs if len(name) >= SHORTEST_NAME]


def by_key(column: Any, key: str) -> ColumnElement[bool]:
    """Return «this key is what was typed», last name first or first name first."""
    swapped = [and_(prefix(column, name), column.like(f"% {given}%")) for given, name in splits(key)]
    return or_(prefix(column, key), *swapped)


def by_outside_name(typed: str) -> list[ColumnElement[bool]]:
    """Return the conditions an e-mail, a login, an INE or another identifier typed stands for."""
    text = typed.strip()
    exact = text.lower()
    clauses: list[ColumnElement[bool]] = []
    if "@" in text:
        return [prefix(Personne.email, exact)]
    if "." in text:
        clauses.append(prefix(Personne.login, exact))
    if any(char.isdigit() for char in text):
        values = {text, text.upper(), text.upper().replace(" ", "")}
        ids = select(Identifiant.personne_id).where(Identifiant.valeur.in_(sorted(values)))
        clauses += [Personne.id.in_(ids), Personne.login == exact]
    return clauses


def search_clause(typed: str) -> ColumnElement[bool]:
    """Return the condition a person meets, anywhere in the perimeter, for what is typed.

    First letters of the name, of a part of it or of the birth name, first name after or before;
    or an e-mail, a login, an identifier. One or two letters are looked for in the name alone.
    """
    key = search_key(typed)
    clauses = by_outside_name(typed)
    if "@" in typed:
        return or_(*clauses)
    if key:
        clauses.append(by_key(Personne.nom_recherche, key))
    if len(key) >= SPECIFIC:
        others = select(VarianteNom.personne_id).where(by_key(VarianteNom.cle, key))
        clauses.append(Personne.id.in_(others))
    return or_(*clauses) if clauses else Personne.id == -1


def school_clause(typed: str, etablissement_id: int) -> ColumnElement[bool]:
    """Return the condition a person of one school meets: every word typed begins one of theirs."""
    key = search_key(typed)
    clauses = by_outside_name(typed)
    if "@" in typed:
        return or_(*clauses)
    if key:
        words = key.split(" ")[:LONGEST_WORDS]
        here = select(Rattachement.personne_id).where(Rattachement.etablissement_id == etablissement_id)
        others = select(VarianteNom.personne_id).where(
            VarianteNom.personne_id.in_(here), _every(VarianteNom.cle, words)
        )
        clauses += [_every(Personne.nom_recherche, words), Personne.id.in_(others)]
    return or_(*clauses) if clauses else Personne.id == -1


def best_first(typed: str) -> Any:
    """Return what puts those whose name begins as typed before the others."""
    key = search_key(typed)
    return case((prefix(Personne.nom_recherche, key), 0), else_=1) if key else literal(0)


def _every(column: Any, words: list[str]) -> ColumnElement[bool]:
    return and_(*[or_(column.like(f"{word}%"), column.like(f"% {word}%")) for word in words])
