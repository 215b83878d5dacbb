"""School numbers (UAI) and pupils' national numbers (INE): shapes and control letters."""

from __future__ import annotations

import re

UAI = re.compile(r"\d{7}[A-Z]")
_UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"

INE_RNIE = re.compile(r"\d{9}[A-Z]{2}")
INE_BEA = re.compile(r"\d{10}[A-Z]")
INE_OFFICIEL = re.compile(r"[0-9A-Z]{11}")


def is_uai(text: str) -> bool:
    """Say whether a text has the shape of a UAI, whatever its control letter."""
    return UAI.fullmatch(text) is not None


def uai_letter(digits: str) -> str:
    """Return the control letter of the seven digits of a UAI."""
    return _UAI_LETTERS[int(digits) % 23]


def uai_key_is_right(uai: str) -> bool:
    """Say whether the control letter is the one its digits call for.

    Replacement zones of the directory («1004001V») and test files fail: warn, never refuse.
    """
    return is_uai(uai) and uai_letter(uai[:7]) == uai[7]


def is_ine(text: str) -> bool:
    """Say whether a text has the shape of an INE of any generation (schema: 11 characters)."""
    return INE_OFFICIEL.fullmatch(text) is not None


def departement_of(uai: str) -> str:
    """Return the département of a UAI: «35», «2A», «974»; «» when the text is no UAI."""
    if not is_uai(uai):
        return ""
    prefix = uai[:3]
    if prefix in {"620", "720"}:
        return {"620": "2A", "720": "2B"}[prefix]
    return prefix.removeprefix("0")
