"""Reading large files in a process of its own, ahead of what compares them with the base.

Parsing takes a processor for itself and waits for nobody; comparing waits for the database. The
reading process knows files only: it opens no database, and ends when nobody listens any more.
Run by ``read_ahead``: ``python -m app.imports.ahead <descriptor>``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import astuple, fields
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from app.errors import UserError
from app.imports.sources import Source, open_sources
from app.operations.alimentation.fiches import Anomalie, Fiche

LOT = 200
WORTH_IT = 1_000_000
"""Bytes of files below which starting a process costs more than it saves."""
ROOT = Path(__file__).resolve().parents[2]
_FIELDS = tuple(field.name for field in fields(Fiche))


def read_ahead(
    source: Source, paths: list[Path], structures: Mapping[str, str] | None = None
) -> Iterator[Fiche | Anomalie]:
    """Yield the objects of an open source, read by another process when the files are worth it."""
    if not source.entete.source.startswith("aaf") or not _worth_it(paths):
        return source.objets()
    return _elsewhere(source, paths, structures)


def _worth_it(paths: list[Path]) -> bool:
    if len(os.sched_getaffinity(0)) == 1:
        return False
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file()) >= WORTH_IT


def _elsewhere(
    source: Source, paths: list[Path], structures: Mapping[str, str] | None
) -> Iterator[Fiche | Anomalie]:
    ours, theirs = Pipe()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.imports.ahead", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the one who asked
            )
        try:
            ours.send(([path.resolve() for path in paths], structures))
            while batch := ours.recv():
                yield from (Anomalie(*item) if whole else Fiche(*item) for whole, item in batch)
            unknown, refusal = ours.recv()
            source.entete.attributs_inconnus.update(unknown)
            if refusal:
                raise UserError(refusal)
        except (EOFError, ConnectionError) as error:
            raise UserError(
                "La lecture des fichiers s’est arrêtée en chemin, sans doute faute de mémoire. Rien n’est "
                "pris en compte ; recommencez, ou redonnez les fichiers en plusieurs envois."
            ) from error
        finally:
            process.kill()
            process.wait()


def _serve(link: Connection) -> None:
    """Read what the other side names, and send it the objects, then what is left to say."""
    paths, structures = link.recv()
    unknown: dict[str, int] = {}
    refusal = None
    try:
        with open_sources(paths, structures=structures) as source:
            unknown = source.entete.attributs_inconnus
            objects = source.objets()
            while batch := list(islice(objects, LOT)):
                link.send([_packed(item) for item in batch])
    except UserError as error:
        refusal = error.message
    link.send([])
    link.send((unknown, refusal))


def _packed(item: Fiche | Anomalie) -> tuple[bool, tuple[object, ...]]:
    if isinstance(item, Anomalie):
        return True, astuple(item)
    return False, tuple(getattr(item, name) for name in _FIELDS)


def main() -> None:
    """Serve the one request of the process that started this one."""
    with Connection(int(sys.argv[1])) as link:
        try:
            _serve(link)
        except (BrokenPipeError, ConnectionResetError, EOFError):
            sys.exit(1)


if __name__ == "__main__":
    main()
