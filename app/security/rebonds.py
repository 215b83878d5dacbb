"""Where a page may lead after signing in: a path of this very host, nothing else (L6)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import request

FORBIDDEN = re.compile(r"[\x00-\x20\\\x7f]")
LONGEST = 2000


def safe_next(target: str | None) -> str | None:
    """Return the path and query of ``target`` when it is ours, ``None`` otherwise."""
    if not target or len(target) > LONGEST or FORBIDDEN.search(target) or target.startswith("//"):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if (parts.scheme or parts.netloc) and (
        parts.scheme not in {"http", "https"} or parts.netloc != request.host
    ):
        return None
    if not parts.path.startswith("/") or parts.path.startswith("//"):
        return None
    if parts.path.startswith(("/connexion", "/deconnexion", "/login")):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")
