"""Opening what a person gives: recognise the files, refuse mixtures, hand out one source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from app.errors import UserError
from app.imports.aaf import SourceAaf
from app.imports.annuaire import SourceAnnuaire
from app.imports.archives import entries_of
from app.imports.detection import Detected, detect
from app.imports.siecle import SourceSiecle
from app.imports.sts import SourceSts
from app.operations.alimentation.fiches import Anomalie, EnTete, Fiche

_NAMES = {
    "aaf": "AAF 2d degré",
    "aaf1d": "AAF 1er degré",
    "siecle": "SIECLE",
    "sts": "STS",
    "annuaire": "annuaire de l’éducation",
}


class Reader(Protocol):
    """What the reader of each format offers."""

    entete: EnTete

    def objets(self) -> Iterator[Fiche | Anomalie]:
        """Yield the objects of the files."""


class Source:
    """An open set of files of one source; a context manager that closes its archives."""

    def __init__(self, reader: Reader, stack: ExitStack) -> None:
        self._reader, self._stack = reader, stack

    @property
    def entete(self) -> EnTete:
        """Return what the files say of themselves."""
        return self._reader.entete

    def objets(self) -> Iterator[Fiche | Anomalie]:
        """Yield each object once, in the order they are to be applied; anomalies beside them."""
        return self._reader.objets()

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_sources(paths: list[Path], *, structures: Mapping[str, str] | None = None) -> Source:
    """Open files, folders or archives as one source.

    ``structures`` maps the AAF keys of the schools already known to their UAI: a delta cites
    schools it does not describe.

    :raises UserError: unreadable, unknown, mixed, incomplete or hostile files, told in French.
    """
    stack = ExitStack()
    try:
        files = [detect(entry) for entry in entries_of([Path(path) for path in paths], stack)]
        return Source(_reader_of(_of_one_source(files), structures), stack)
    except BaseException:
        stack.close()
        raise


def _of_one_source(files: list[Detected]) -> list[Detected]:
    if not files:
        raise UserError("Aucun fichier à lire : donnez un export AAF, SIECLE, STS ou l’annuaire en CSV.")
    sources = {file.source: file.name for file in files}
    if len(sources) > 1:
        listed = ", ".join(f"« {name} » ({_NAMES[source]})" for source, name in sources.items())
        raise UserError(f"Ces fichiers viennent de sources différentes : {listed}. Donnez-les séparément.")
    return files


def _reader_of(files: list[Detected], structures: Mapping[str, str] | None) -> Reader:
    source = files[0].source
    if source == "siecle":
        return SourceSiecle(files)
    if source == "sts":
        return SourceSts(files)
    if source == "annuaire":
        return SourceAnnuaire(files)
    return SourceAaf(files, structures)
