"""Files people upload: streamed into a folder with a random name, sizes counted on the way.

A name given by a browser is never trusted: only its letters, digits and quiet signs are kept, and
each file gets a numbered folder of its own, so that a sentence names the file as its owner knows it.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.errors import RuleViolationError

EXTENSIONS = (".zip", ".xml", ".csv")
MAX_FILES = 60
CHUNK = 1024 * 1024
LONGEST_STEM = 160  # bytes: a disk takes 255 with the extension
QUIET = " ._-()'’"
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
    return sorted(path for path in (folder / jeton).glob("*/*") if path.is_file())


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


def safe_name(given: str) -> str:
    """Return the name a file is kept and told under: the quiet signs of the given one, its extension.

    :raises RuleViolationError: on another extension.
    """
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, extension = last.rpartition(".")
    suffix = f".{extension.lower()}"
    if not dot or suffix not in EXTENSIONS:
        shown = _quiet(last) or "sans nom"
        raise RuleViolationError(
            f"« {shown} » n’est pas lisible : déposez des fichiers XML ou CSV, ou l’archive ZIP de l’export.",
            field="fichiers",
        )
    return (_quiet(stem) or "fichier") + suffix


def _quiet(text: str) -> str:
    """Return a name without what a screen, a shell or a disk could take for something else."""
    plain = unicodedata.normalize("NFC", text)
    kept = "".join(char if char.isalnum() or char in QUIET else "-" for char in plain)
    return kept.encode()[:LONGEST_STEM].decode("utf-8", "ignore").strip(" .")


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
        name = safe_name(given)
        size = 0
        own = target / f"{number:02d}"
        own.mkdir(mode=0o700)
        with (own / name).open("xb") as output:
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
            raise RuleViolationError(f"« {name} » est vide (0 octet). Refaites l’export.", field="fichiers")
        names.append(name)
    if not names:
        raise RuleViolationError("Choisissez au moins un fichier.", field="fichiers")
    return names, total
