"""How names are compared, searched and turned into logins. Pure functions.

Two spellings of one name («Éloïse d’Œillet», «ELOISE D'OEILLET») give one key.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LIGATURES = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i",
    }
)  # fmt: skip
_SEPARATORS = re.compile(r"[^0-9a-z]+")
_NOT_WORD = re.compile(r"[^0-9a-z]")
LOGIN_PART = 30


def _ascii(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return decomposed.encode("ascii", "ignore").decode("ascii").lower()


@lru_cache(maxsize=65536)
def search_key(text: str) -> str:
    """Return the comparable form of a name: ASCII, lower case, words apart by one space.

    Hyphens, apostrophes (those of particles too) and any other sign separate words.
    """
    return _SEPARATORS.sub(" ", _ascii(text.replace("’", "'"))).strip()


def personne_key(nom: str, prenom: str) -> str:
    """Return the search key of a person, last name first, as lists are sorted and searched."""
    return f"{search_key(nom)} {search_key(prenom)}".strip()


VARIANTS = 12
LONGEST_KEY = 220


def name_variants(nom: str, nom_usage: str | None, prenom: str) -> list[str]:
    """Return the other keys a person is found under; most people have none.

    «de La Tour» answers to «la tour», «tour», «delatour» and «latour»; «Martin-Roche» to «roche»
    and «martinroche»; the birth name to a search when a name of use hides it; «Jean-Éric» to
    «jeaneric» after any name. Keys are last name first, as ``personne_key`` makes them.
    """
    given = search_key(prenom)
    shown = search_key(nom_usage or nom)
    birth = search_key(nom)
    if birth == shown and " " not in shown and " " not in given:
        return []
    names = [*_spellings(shown)]
    if birth != shown:
        names += [birth, *_spellings(birth)]
    keys = [f"{name} {given}".strip() for name in names]
    if " " in given:
        keys += [f"{name} {given.replace(' ', '')}" for name in dict.fromkeys((shown, birth))]
    whole = f"{shown} {given}".strip()
    found = dict.fromkeys(key[:LONGEST_KEY] for key in keys if key and key != whole)
    return list(found)[:VARIANTS]


def _spellings(name: str) -> list[str]:
    """Return a name of several words from each of its words on, apart and in one word."""
    words = name.split(" ")
    tails = [words[start:] for start in range(len(words))]
    apart = [" ".join(tail) for tail in tails[1:]]
    return apart + ["".join(tail) for tail in tails if len(tail) > 1]


def ecole_key(nom: str, commune: str | None, uai: str) -> str:
    """Return what a school is searched by, any part of it: its name, its town, its UAI."""
    parts = (search_key(nom), search_key(commune or ""), search_key(uai))
    return " ".join(part for part in parts if part)[:400]


@lru_cache(maxsize=65536)
def _login_part(text: str) -> str:
    return _NOT_WORD.sub("", _ascii(text))[:LOGIN_PART]


def login_root(prenom: str, nom: str) -> str:
    """Return the ``prenom.nom`` root of a login (I5): ASCII, lower case, no sign but the dot.

    A part that leaves nothing (a name in another alphabet) is left out; when both are, the
    root is ``compte``. At most 61 characters, so a homonym's number always fits in 64.
    """
    parts = [part for part in (_login_part(prenom), _login_part(nom)) if part]
    return ".".join(parts) or "compte"
