"""Password digests: argon2id with OWASP's parameters (19 MiB, two passes, one lane)."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_LENGTH = 1024
"""Longer texts are cut before hashing: a megabyte costs no more than a word (ATTACKS L3)."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, salt_len=16)
_NOBODY = _HASHER.hash(secrets.token_bytes(32))


def hash_password(text: str) -> str:
    """Return the digest to store for a password."""
    return _HASHER.hash(_bytes(text))


def verify_password(digest: str | None, text: str) -> bool:
    """Tell whether ``text`` is the password; costs the same when there is no usable digest."""
    try:
        return _HASHER.verify(digest or _NOBODY, _bytes(text)) and bool(digest)
    except InvalidHashError:
        return verify_password(None, text)
    except VerificationError:
        return False


def needs_rehash(digest: str) -> bool:
    """Tell whether the digest was made with older parameters."""
    return _HASHER.check_needs_rehash(digest)


def _bytes(text: str) -> bytes:
    return text[:MAX_LENGTH].encode("utf-8", "surrogatepass")
