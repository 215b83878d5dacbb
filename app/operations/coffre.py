"""What is sealed in the database: readable with the key kept outside it, and by nothing else (K4).

One key is derived per use, so that a sealed text of one table means nothing in another. The key is the
one of the activation codes (``PREAU_CLE_CODES``): a stolen database opens nothing without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class CoffreFermeError(Exception):
    """The key is not the one this was sealed with."""


def seal(key: str, use: str, text: str) -> str:
    """Return ``text`` encrypted and signed for one use."""
    return Fernet(_derived(key, f"sceau.{use}")).encrypt(text.encode()).decode()


def unseal(key: str, use: str, sealed: str) -> str:
    """Return what was sealed for this use.

    :raises CoffreFermeError: another key, another use, or a text that was changed.
    """
    try:
        return Fernet(_derived(key, f"sceau.{use}")).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CoffreFermeError(use) from error


def keyed_digest(key: str, use: str, text: str) -> str:
    """Return a digest nobody can look for by trying values without the key."""
    return hmac.new(_derived(key, f"empreinte.{use}"), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=64)
def _derived(key: str, info: str) -> bytes:
    derived = HKDF(SHA256(), 32, salt=None, info=f"preau.{info}".encode()).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
