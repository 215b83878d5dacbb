"""Files people upload: streamed into a folder with a random name, sizes counted on the way.

A name given by a browser is never trusted: it only lends letters to our own («01-eleves.xml»), so
that anomalies can name the file.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.errors import RuleViolationError
from app.queries.noms import search_key

EXTENSIONS = (".zip", ".xml", ".csv")
MAX_FILES = 60
CHUNK = 1024 * 1024
TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Depot:
    """Files put down together: ``jeton`` names their folder, ``fichiers`` their names in it."""

    jeton: str
    fichiers: tuple[str, ...]
    octets: int


def store(folder: Path, streams: Iterable[tuple[str, BinaryIO]], *, max_bytes: int) -> Depot:
    """Write the streams (name as given, content) into a new folder of ``folder``.

    Nothing is left behind when one is refused.

    :raises RuleViolationError: no file, too many, of another kind, empty, or bigger than the limit.
    """
    jeton = secrets.token_hex(16)
    target = folder / jeton
    target.mkdir(parents=True, mode=0o700)
    try:
        names, total = _write_all(target, streams, max_bytes)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return Depot(jeton, tuple(names), total)


def paths(folder: Path, jeton: str) -> list[Path]:
    """Return the files of a depot, in the order they were given.

    :raises RuleViolationError: when the depot is gone.
    """
    if not TOKEN.fullmatch(jeton) or not (folder / jeton).is_dir():
        raise RuleViolationError("Les fichiers déposés ne sont plus là. Déposez-les de nouveau.")
    return sorted((folder / jeton).iterdir())


def discard(folder: Path, jeton: str) -> None:
    """Delete a depot; one already deleted is fine."""
    if TOKEN.fullmatch(jeton):
        shutil.rmtree(folder / jeton, ignore_errors=True)


def purge(folder: Path, *, days: int = 2) -> int:
    """Delete depots nobody came back to: files of people do not lie about. Return how many."""
    if not folder.is_dir():
        return 0
    limit = time.time() - days * 86_400
    old = [path for path in folder.iterdir() if TOKEN.fullmatch(path.name) and path.stat().st_mtime < limit]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def safe_name(given: str, number: int) -> str:
    """Return our own name for a file: its number, letters of the given name, a known extension.

    :raises RuleViolationError: on another extension.
    """
    stem, dot, extension = given.replace("\\", "/").rsplit("/", 1)[-1].rpartition(".")
    suffix = f".{search_key(extension)}"
    if not dot or suffix not in EXTENSIONS:
        shown = search_key(given)[:60] or "sans nom"
        raise RuleViolationError(
            f"« {shown} » n’est pas lisible : déposez des fichiers XML ou CSV, ou l’archive ZIP de l’export.",
            field="fichiers",
        )
    letters = search_key(stem)[:60].replace(" ", "-") or "fichier"
    return f"{number:02d}-{letters}{suffix}"


def _write_all(
    target: Path, streams: Iterable[tuple[str, BinaryIO]], max_bytes: int
) -> tuple[list[str], int]:
    names: list[str] = []
    total = 0
    for number, (given, stream) in enumerate(streams, start=1):
        if number > MAX_FILES:
            raise RuleViolationError(
                f"Déposez {MAX_FILES} fichiers au plus, ou une archive ZIP.", field="fichiers"
            )
        name = safe_name(given, number)
        size = 0
        with (target / name).open("xb") as output:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                total += len(chunk)
                if total > max_bytes:
                    raise RuleViolationError(
                        f"Ces fichiers dépassent {max_bytes // (1024 * 1024)} Mio."
                        " Déposez l’archive ZIP de l’export, ou moins de fichiers.",
                        field="fichiers",
                    )
                output.write(chunk)
        if not size:
            raise RuleViolationError(f"Le fichier n° {number} est vide. Refaites l’export.", field="fichiers")
        names.append(name)
    if not names:
        raise RuleViolationError("Choisissez au moins un fichier.", field="fichiers")
    return names, total
