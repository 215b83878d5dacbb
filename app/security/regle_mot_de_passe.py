"""The rule of new passwords, after CNIL's deliberation 2022-100: long, not guessable, no recipe.

No composition is asked. What is refused is what attackers try first: common passwords with or
without digits around them, the person's own names, runs of the keyboard, repetitions.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from app.errors import UserError
from app.models import Compte

MIN_LENGTH = 12
MAX_LENGTH = 200
LIST = Path(__file__).with_name("mots_de_passe_courants.txt")
LEET = str.maketrans("01345$@7!", "oieassati")
RUNS = (
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1a2z3e4r5t6y7u8i9o0p",
)
FIELD = "nouveau"


def check_new_password(text: str, compte: Compte | None = None) -> None:
    """Refuse a password anybody could guess.

    :raises UserError: with what to change, on the field ``nouveau``.
    """
    if len(text) < MIN_LENGTH:
        raise UserError(
            f"Ce mot de passe est trop court\u00a0: tapez au moins {MIN_LENGTH} caractères.", field=FIELD
        )
    if len(text) > MAX_LENGTH:
        raise UserError(f"Ce mot de passe dépasse {MAX_LENGTH} caractères. Raccourcissez-le.", field=FIELD)
    plain = _fold(text)
    if compte is not None and any(name in plain for name in _names(compte)):
        raise UserError("Ce mot de passe contient votre nom ou votre identifiant. Changez-le.", field=FIELD)
    if len(set(plain)) < 5 or re.fullmatch(r"(.{1,6}?)\1+.?", plain) or _is_run(plain):
        raise UserError(
            "Ce mot de passe se devine\u00a0: il répète ou suit les touches du clavier. Changez-le.",
            field=FIELD,
        )
    if _is_common(plain):
        raise UserError("Ce mot de passe est trop courant. Choisissez une phrase à vous.", field=FIELD)


@cache
def common_passwords() -> frozenset[str]:
    """Return the list, folded."""
    return frozenset(_fold(line) for line in LIST.read_text(encoding="utf-8").split())


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _names(compte: Compte) -> set[str]:
    raw = {compte.username, compte.first_name, compte.last_name, compte.adresse.partition("@")[0]}
    words = {word for value in raw if value for word in re.split(r"[^\w]+", _fold(value))}
    return {word for word in words if len(word) >= 4}


def _is_run(plain: str) -> bool:
    """Tell whether most of the text walks along a row of keys, forwards or backwards."""
    walked = 0
    for run in RUNS:
        for line in (run, run[::-1]):
            steps = sum(plain[i : i + 2] in line for i in range(len(plain) - 1))
            walked = max(walked, steps)
    return walked >= (len(plain) - 1) * 0.75


def _is_common(plain: str) -> bool:
    """Tell whether it is a common password, dressed up with digits, signs or look-alikes."""
    common = common_passwords()
    for candidate in (plain, plain.translate(LEET)):
        core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", candidate)
        letters = re.sub(r"[\W\d_]+", "", candidate)
        if {candidate, core, letters} & common or len(letters) < 4:
            return True
        if any(
            letters == letters[:i] + letters[i:] and {letters[:i], letters[i:]} <= common
            for i in range(3, len(letters) - 2)
        ):
            return True
    return False
