"""The words people and places are made of, and how they are drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent / "donnees"
ACADEMIE_CODE = "18"
ACADEMIE_NOM = "Touraine-Berry"
DOMAINE_ACADEMIQUE = "ac-touraine-berry.example"
DOMAINES = ("courriel.example", "famille.example", "messagerie.example", "poste.example")

INDICATIFS_FIXES = ("026191", "019900", "035301", "046571", "053649")
"""Ranges the French numbering plan reserves for fiction, the first one in the Loire valley."""
INDICATIF_MOBILE = "063998"

Hasard = Callable[[], float]
"""A source of numbers in [0, 1[: the ``random`` method of the generator of one family."""


@cache
def words(name: str) -> tuple[str, ...]:
    """Return the words of a data file, separated by blanks."""
    return tuple((FOLDER / f"{name}.txt").read_text(encoding="utf-8").split())


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return the lines of a data file."""
    return tuple((FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def seed_of(graine: int, *parts: int) -> int:
    """Mix integers into one seed, the same on every machine and Python version."""
    value = graine & 0xFFFFFFFF
    for part in parts:
        value = (value ^ (part + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 29
    return value


def generator(graine: int, *parts: int) -> Random:
    """Return a generator of fiction: reproducible on purpose, never used for a secret."""
    return Random(seed_of(graine, *parts))  # noqa: S311


def surname(rand: Hasard) -> str:
    """Draw a family name, in capitals: common ones more often, some with particle or doubled."""
    common = words("noms")
    count = len(common)
    kind = rand()
    if kind < 0.04:
        rare = lines("noms_particuliers")
        return rare[int(rand() * len(rare))].upper()
    first = common[int(rand() * rand() * count)]
    if kind < 0.16:
        return f"{first}-{common[int(rand() * count)]}".upper()
    return first.upper()


def first_name(rand: Hasard, sexe: str, *, adult: bool = False) -> str:
    """Draw a first name of a generation."""
    pool = words(("prenoms_adultes_" if adult else "prenoms_") + ("m" if sexe == "M" else "f"))
    return pool[int(rand() * len(pool))]


@cache
def slug(text: str) -> str:
    """Return a name as the local part of an e-mail address writes it."""
    folded = text.replace("Œ", "OE").replace("œ", "oe").replace("Æ", "AE").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    return "-".join("".join(c if c.isalnum() or c == "-" else " " for c in plain).lower().split())


def landline(rand: Hasard) -> str:
    """Draw a landline number, ten digits."""
    choice = rand()
    prefix = INDICATIFS_FIXES[0 if choice < 0.85 else 1 + int((choice - 0.85) / 0.15 * 4)]
    return f"{prefix}{int(rand() * 10000):04d}"


def mobile(rand: Hasard) -> str:
    """Draw a mobile number, ten digits."""
    return f"{INDICATIF_MOBILE}{int(rand() * 10000):04d}"


def international(number: str | None) -> str:
    """Write a ten-digit number as AAF does («+33 2 61 91 00 01»)."""
    if not number:
        return ""
    return f"+33 {number[1]} {number[2:4]} {number[4:6]} {number[6:8]} {number[8:10]}"


def uai(departement: str, numero: int) -> str:
    """Return a UAI with its check letter."""
    digits = f"{departement}{numero:04d}"
    return digits + "ABCDEFGHJKLMNPRSTUVWXYZ"[int(digits) % 23]
