"""Files Préau makes for somebody: kept a day in the data folder, under a name nobody guesses."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path

from app.extensions import now
from app.operations import uploads

DOSSIER = "sorties"
DUREE = timedelta(hours=24)


def new(root: Path, name: str) -> tuple[str, Path]:
    """Return a new token and the path of the file to write under it."""
    token = secrets.token_hex(16)
    return token, again(root, token, name)


def again(root: Path, token: str, name: str) -> Path:
    """Return the path to write once more, for work that starts over; what was there goes."""
    discard(root, token)
    folder = root / DOSSIER / token
    folder.mkdir(parents=True, mode=0o700)
    return folder / name


def find(root: Path, token: str, name: str) -> Path | None:
    """Return a file that is still kept; None once it has expired."""
    if not uploads.TOKEN.fullmatch(token) or "/" in name:
        return None
    path = root / DOSSIER / token / name
    if not path.is_file() or path.stat().st_mtime < (now() - DUREE).timestamp():
        return None
    return path


def discard(root: Path, token: str) -> None:
    """Delete a file; one already deleted is fine."""
    uploads.discard(root / DOSSIER, token)


def purge(root: Path) -> int:
    """Delete the files that have expired; return how many."""
    return uploads.purge(root / DOSSIER, days=DUREE.days)


def expiry(made: datetime) -> datetime:
    """Return when a file made then goes."""
    return made + DUREE
