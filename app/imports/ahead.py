"""Reading large files in a process of its own, ahead of what compares them with the base.

Parsing takes a processor for itself and waits for nobody; comparing waits for the database. The
reading process knows files only: it opens no database, and ends when nobody listens any more. What
it has read waits in memory, up to ``AHEAD`` lots.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, fields
from functools import partial
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from app.errors import UserError
from app.imports.aaf_cut import Cut, cut
from app.imports.sources import Source, open_sources
from app.operations.alimentation.fiches import Anomalie, Fiche

LOT = 200
AHEAD = 20
"""Lots read and not asked for yet: what comparing four batches takes."""
WORTH_IT = 1_000_000
"""Bytes of files below which starting a process costs more than it saves."""
PROGRAM = Path(__file__).with_name("reading_process.py")
_FIELDS = tuple(field.name for field in fields(Fiche))

Read = Callable[[], dict[str, Any]]


def read_ahead(
    source: Source,
    paths: list[Path],
    structures: Mapping[str, str] | None = None,
    *,
    nouveaux: bool = False,
) -> Iterator[Fiche | Anomalie]:
    """Yield the objects of an open source, read by another process when the files are worth it.

    ``nouveaux``: nothing of the source is known yet, so every object will be converted; the other
    process does it whenever it is well ahead, so that both end together.
    """
    if not source.entete.source.startswith("aaf") or not _worth_it(paths):
        return source.objets()
    return _elsewhere(source, paths, structures, nouveaux)


def _worth_it(paths: list[Path]) -> bool:
    if len(os.sched_getaffinity(0)) == 1:
        return False
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file()) >= WORTH_IT


def _elsewhere(
    source: Source, paths: list[Path], structures: Mapping[str, str] | None, nouveaux: bool
) -> Iterator[Fiche | Anomalie]:
    ours, theirs = Pipe()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the one who asked
            )
        try:
            ours.send(([path.resolve() for path in paths], structures, nouveaux))
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


def serve(descriptor: int) -> None:
    """Read what the other side names, and send it the objects, then what is left to say."""
    with Connection(descriptor) as link:
        try:
            paths, structures, nouveaux = link.recv()
        except (EOFError, ConnectionError):
            return
        lots: Queue[bytes | None] = Queue(AHEAD)
        sender = Thread(target=_send, args=(link, lots), daemon=True)
        sender.start()
        for said in _read(paths, structures, lambda: nouveaux and lots.qsize() >= AHEAD // 2):
            lots.put(pickle.dumps(said, pickle.HIGHEST_PROTOCOL))
        lots.put(None)
        sender.join()


def _send(link: Connection, lots: Queue[bytes | None]) -> None:
    """Send lots while the next ones are read; end the process when nobody listens any more."""
    try:
        while (lot := lots.get()) is not None:
            link.send_bytes(lot)
    except OSError:
        os._exit(1)


def _read(
    paths: list[Path], structures: Mapping[str, str] | None, convert: Callable[[], bool]
) -> Iterator[object]:
    unknown: dict[str, int] = {}
    refusal = None
    try:
        with open_sources(paths, structures=structures) as source:
            unknown = source.entete.attributs_inconnus
            objects = source.objets()
            while batch := list(islice(objects, LOT)):
                given = convert()
                yield [_packed(item, given) for item in batch]
    except UserError as error:
        refusal = error.message
    yield []
    yield unknown, refusal


def _packed(item: Fiche | Anomalie, given: bool) -> tuple[bool, tuple[object, ...]]:
    if isinstance(item, Anomalie):
        return True, astuple(item)
    item.lire = partial(_given, item.lire()) if given else _later(item.lire)
    return False, tuple([getattr(item, name) for name in _FIELDS])


def _given(record: dict[str, Any]) -> dict[str, Any]:
    return record


def _later(lire: Read) -> Read:
    """Send the text of an object rather than its attributes: most are known and never converted."""
    if not isinstance(lire, partial):
        return lire
    texts = tuple([value.text if isinstance(value, Cut) else None for value in lire.args])
    others = tuple([None if isinstance(value, Cut) else value for value in lire.args])
    return partial(_cut_then, lire.func, texts, others, lire.keywords)


def _cut_then(
    read: Callable[..., dict[str, Any]],
    texts: tuple[str | None, ...],
    others: tuple[Any, ...],
    keywords: dict[str, Any],
) -> dict[str, Any]:
    pairs = zip(texts, others, strict=True)
    return read(*(other if text is None else cut(text)[1] for text, other in pairs), **keywords)
