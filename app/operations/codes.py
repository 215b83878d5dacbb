"""Activation codes: derived from a key kept outside the database, never stored (K4).

A stolen database gives no code; a person's code changes when its generation does.
"""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy.orm import Session

from app.models import Personne

ALPHABET = "abcdefghjkmnprstvwxyz3456789"
"""Letters and digits nobody takes for another: no i, l, o, q, u, no 0, 1, 2."""
LONGUEUR = 8
_DOMAIN = b"preau.code-activation.v1"


def code_of(personne: Personne, key: str) -> str:
    """Return the person's current activation code (28⁸ values, about 38 bits)."""
    return code_at(personne.id, personne.code_generation, key)


def code_at(personne_id: int, generation: int, key: str) -> str:
    """Return the code of a person at one of its generations, for lists read without their objects."""
    message = b"%s:%d:%d" % (_DOMAIN, personne_id, generation)
    number = int.from_bytes(hmac.new(key.encode(), message, hashlib.sha256).digest())
    signs = []
    for _rank in range(LONGUEUR):
        number, index = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[index])
    return "".join(signs)


def written(code: str) -> str:
    """Return a code as it is printed, in two halves; no spreadsheet takes that for a number."""
    return f"{code[: LONGUEUR // 2]}-{code[LONGUEUR // 2 :]}"


def check_code(personne: Personne, code: str, key: str) -> bool:
    """Tell whether this is the person's code, in constant time; case and spaces do not count."""
    typed = "".join(code.split()).replace("-", "").lower()
    return hmac.compare_digest(typed.encode(), code_of(personne, key).encode())


def renew(session: Session, personne: Personne) -> None:
    """Make the person's code another one; the old one is dead at once."""
    personne.code_generation += 1
    session.flush()
