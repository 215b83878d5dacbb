"""What somebody means by what they type in a search box about people (U2).

Two ways to answer. Over a whole perimeter, from the first letters, so that an index answers
whatever the number of people. Within one school, where reading everybody costs little, any word
of the name may be the one typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.models import Identifiant, Personne, Rattachement, VarianteNom
from app.queries.noms import search_key

LONGEST_WORDS = 6
SHORTEST_NAME = 2
"""Letters of the name asked before «first name, then name» is tried."""
JOINED = 6
"""Letters from which one word may be two of a name («jeaneric»), among the people of a school."""
BROAD = 200
"""People found by the beginning of their name past which no other way of finding is tried."""
SPECIFIC = 3
"""Letters from which other keys than the name itself are looked into, over a whole perimeter."""
FORMES = 64
"""Forms of what is typed whose statements are kept made."""
LAST_SIGN = 0x10FFFF
AFTER = {0xD7FF: 0xE000}
"""The sign after one that is followed by halves of signs, which no base stores."""


def prefix(column: Any, key: str) -> ColumnElement[bool]:
    """Return «column starts with key» as a range, which an index answers on both engines."""
    if not key:
        return column == literal("")
    last = ord(key[-1])
    if last == LAST_SIGN:
        return column == literal(key)
    return and_(column >= key, column < key[:-1] + chr(AFTER.get(last, last + 1)))


def prefix_bounds(key: str) -> dict[str, str]:
    """Return the parameters ``between`` takes."""
    return {"debut_de_cle": key, "fin_de_cle": key[:-1] + chr(ord(key[-1]) + 1)}


def between(column: Any) -> ColumnElement[bool]:
    """Return «column starts with the key of ``prefix_bounds``», for a statement made once."""
    return and_(column >= bindparam("debut_de_cle"), column < bindparam("fin_de_cle"))


def splits(key: str) -> list[tuple[str, str]]:
    """Return the ways of reading ``key`` as a whole first name then the beginning of a name."""
    words = key.split(" ")[:LONGEST_WORDS]
    pairs = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
    return [(given, name) for given, name in pairs if len(name) >= SHORTEST_NAME]


def _numbers(text: str) -> list[str]:
    """Return the identifiers that a text with a digit in it may be, none for any other."""
    if "@" in text or not any(char.isdigit() for char in text):
        return []
    return sorted({text, text.upper(), text.upper().replace(" ", "")})


def matching(session: Session, typed: str, limit: int = BROAD) -> ColumnElement[bool]:
    """Return the condition a person meets, anywhere in the perimeter, for what is typed.

    First letters of the name, of a part of it or of the birth name, first name after or before;
    or an e-mail, a login, an identifier. People are read first, each way of being found through its
    own index: a condition that tried them all at once would read every name. When the names that
    begin so are more than ``limit``, they alone are the answer.
    """
    what = read_typed(typed)
    ids: list[int] = []
    if what.mots and not what.email:
        ids += session.scalars(_beginning(what, limit + 1), what.valeurs)
        if len(ids) > limit:
            return prefix(Personne.nom_recherche, search_key(typed))
    others = _otherwise(what, limit)
    if others is not None:
        ids += session.scalars(others, what.valeurs)
    return Personne.id.in_(sorted(set(ids)))


@lru_cache(maxsize=FORMES)
def _beginning(what: Saisie, limit: int) -> Select[Any]:
    """Return the read of who is called so from the first letter, for all that is typed in this form."""
    return _in_order(_ids(what.within(Personne.nom_recherche, "cle")), limit)


@lru_cache(maxsize=FORMES)
def _otherwise(what: Saisie, limit: int) -> Any:
    """Return the read of people found otherwise, for all that is typed in this form; None without a way."""
    reads: list[Select[Any]] = []
    if what.email:
        reads.append(_ids(what.within(Personne.email, "texte")))
    if what.login:
        reads.append(_ids(what.within(Personne.login, "texte")))
    if what.numero:
        reads.append(select(Identifiant.personne_id).where(Identifiant.valeur.in_(what.valeur("numeros"))))
        reads.append(_ids(Personne.login == what.valeur("exact")))
    reads += [_ids(way) for way in _swapped(Personne.nom_recherche, what)]
    if what.variantes:
        ways = [what.within(VarianteNom.cle, "cle"), *_swapped(VarianteNom.cle, what)]
        reads += [select(VarianteNom.personne_id).where(way) for way in ways]
    halves = [_in_order(read, limit).subquery() for read in reads]
    return union_all(*[select(*half.c) for half in halves]) if halves else None


def _swapped(column: Any, what: Saisie) -> list[ColumnElement[bool]]:
    """Return the ways a key is what was typed with the first name before the name."""
    return [
        and_(what.within(column, f"nom_{rank}"), column.like(what.valeur(f"prenom_{rank}")))
        for rank in range(what.croises)
    ]


def _ids(clause: ColumnElement[bool]) -> Select[Any]:
    return select(Personne.id).where(clause)


def _in_order(read: Select[Any], limit: int) -> Select[Any]:
    """Return the first rows of a read in the order of the index that answers it."""
    column = next(iter(read.selected_columns))
    key = {"variante_nom": VarianteNom.cle, "identifiant": Identifiant.valeur}.get(column.table.name)
    return read.order_by(Personne.nom_recherche if key is None else key, column).limit(limit)


@dataclass(frozen=True)
class Saisie:
    """What is typed to find people of a school: the ways it may be found, and its letters apart.

    A statement made for a ``forme`` runs for all that is typed in that form, with its ``valeurs``.
    """

    mots: int
    """Words of a name."""
    colle: bool
    """One word, long enough to be two of a name typed as one."""
    croises: int
    """Ways of reading it as a first name then a name, looked for among the other keys of people."""
    variantes: bool
    email: bool
    login: bool
    numero: bool
    valeurs: Mapping[str, Any] = field(compare=False, hash=False)

    @property
    def by_place(self) -> bool:
        """Tell whether attachments alone are looked at, not the e-mail or login of people."""
        return bool(self.mots) and not self.email and not self.login

    def valeur(self, name: str) -> Any:
        """Return one of its values, as a parameter that another of the same form replaces."""
        value = self.valeurs[f"saisie_{name}"]
        return bindparam(f"saisie_{name}", value, expanding=isinstance(value, list))

    def within(self, column: Any, name: str) -> ColumnElement[bool]:
        """Return «column begins so», as a range, which an index answers on both engines."""
        return and_(column >= self.valeur(f"{name}_debut"), column < self.valeur(f"{name}_fin"))


def read_typed(typed: str) -> Saisie:
    """Read what is typed to find people of a school."""
    key, text = search_key(typed), typed.strip()
    words = key.split(" ")[:LONGEST_WORDS] if key else []
    email, login = "@" in text, "." in text and "@" not in text
    numbers = _numbers(text)
    variants = not email and len(key) >= SPECIFIC
    swapped = splits(key) if variants else []
    values: dict[str, Any] = {}
    if key:
        values |= _bounds("cle", key) | {"colle": f"%{key}%"}
    if email or login:
        values |= _bounds("texte", text.lower())
    for rank, word in enumerate(words):
        values |= {f"mot_{rank}": f"{word}%", f"mot_apres_{rank}": f"% {word}%"}
    for rank, (given, name) in enumerate(swapped):
        values |= {**_bounds(f"nom_{rank}", name), f"prenom_{rank}": f"% {given}%"}
    if numbers:
        values |= {"numeros": numbers, "exact": text.lower()}
    named = {f"saisie_{name}": value for name, value in values.items()}
    joined = len(words) == 1 and len(key) >= JOINED
    return Saisie(len(words), joined, len(swapped), variants, email, login, bool(numbers), named)


def _bounds(name: str, key: str) -> dict[str, str]:
    """Return the two ends of what begins with ``key``."""
    last = ord(key[-1])
    end = f"{key}\x01" if last == LAST_SIGN else key[:-1] + chr(AFTER.get(last, last + 1))
    return {f"{name}_debut": key, f"{name}_fin": end}


def school_clause(typed: str | Saisie) -> ColumnElement[bool]:
    """Return the condition an attachment of one school meets: every word typed begins one of the name.

    Looked up person by person, a few thousand at most: what is typed may begin the names, or the
    logins, of a hundred thousand elsewhere.
    """
    what = read_typed(typed) if isinstance(typed, str) else typed
    clauses: list[ColumnElement[bool]] = []
    if what.email:
        clauses.append(what.within(Personne.email, "texte"))
    elif what.mots:
        clauses.append(every_word(Rattachement.cle, what))
        if what.variantes:
            others: Select[Any] = select(literal_column("1")).where(
                VarianteNom.personne_id == Rattachement.personne_id, _other_key(what)
            )
            clauses.append(others.correlate(Rattachement).exists())
    if what.login:
        clauses.append(what.within(Personne.login, "texte"))
    if what.numero:
        named = select(Identifiant.personne_id).where(Identifiant.valeur.in_(what.valeur("numeros")))
        reads = [named, _ids(Personne.login == what.valeur("exact"))]
        clauses += [Rattachement.personne_id.in_(read) for read in reads]
    return or_(*clauses) if clauses else Personne.id == -1


def _other_key(what: Saisie) -> ColumnElement[bool]:
    """Return «another key of somebody is what was typed», last name first or first name first."""
    return or_(what.within(VarianteNom.cle, "cle"), *_swapped(VarianteNom.cle, what))


def every_word(column: Any, what: Saisie) -> ColumnElement[bool]:
    """Return «each word typed begins a word of this key», or two of its words are typed as one."""
    each = and_(
        *[
            or_(column.like(what.valeur(f"mot_{rank}")), column.like(what.valeur(f"mot_apres_{rank}")))
            for rank in range(what.mots)
        ]
    )
    if not what.colle:
        return each
    return or_(each, func.replace(column, " ", "").like(what.valeur("colle")))


def best_first(what: Saisie) -> Any:
    """Return what puts first, in a school, names that begin as typed, then those a word of begins so."""
    if not what.mots:
        return literal(0)
    name = Rattachement.cle
    return case((what.within(name, "cle"), 0), (every_word(name, what), 1), else_=2)
