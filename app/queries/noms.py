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
