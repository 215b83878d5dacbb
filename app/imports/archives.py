"""Files given to a reader: a file, a folder, or a ZIP read in place without extraction by name."""

from __future__ import annotations

import lzma
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import IO, BinaryIO, cast

from app.errors import UserError

MAX_ENTRIES = 1000
MAX_RATIO = 200
FLOOR = 64 << 20
MAX_TOTAL = 16 << 30
_MAX_DIRECTORY = 4 << 20
_TAIL = 65_557
_DAMAGE = (
    zipfile.BadZipFile,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
)
_IGNORED = (".dtd", ".txt", ".pdf", ".md", ".ds_store", ".xsd", ".log", ".html", ".ini", ".db")


@dataclass(slots=True)
class Entry:
    """One readable file: what to call it before a person, and how to open it afresh."""

    name: str
    open: Callable[[], BinaryIO]
    size: int
    holder: str = ""

    @property
    def base(self) -> str:
        """Return the name without its folders."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(slots=True)
class Budget:
    """How many bytes an archive may give out in all, counted as they come, never as declared."""

    name: str
    limit: int
    seen: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def count(self, member: str, position: int) -> None:
        """Record that a member was read up to a position; refuse a bomb."""
        before = self.seen.get(member, 0)
        if position <= before:
            return
        self.seen[member] = position
        self.total += position - before
        if self.total > self.limit:
            raise UserError(
                f"« {self.name} » est refusé : une fois décompressé, son contenu est démesuré par rapport à "
                "l’archive. Demandez un nouvel export, ou donnez les fichiers décompressés."
            )


class _CountedReader:
    """A member of an archive, read through its budget, whose damage is told in a sentence."""

    def __init__(self, raw: IO[bytes], budget: Budget, member: str) -> None:
        self._raw, self._budget, self._member, self._position = raw, budget, member, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        try:
            data = self._raw.read(size)
        except _DAMAGE as error:
            raise damaged(self._budget.name, self._member) from error
        self._position += len(data)
        self._budget.count(self._member, self._position)
        return data

    def close(self) -> None:
        """Close the member."""
        self._raw.close()


def damaged(archive: str, member: str = "") -> UserError:
    """Return the refusal of an archive that cannot be read to its end."""
    what = f"« {member} », dans l’archive « {archive} »," if member else f"L’archive « {archive} »"
    return UserError(f"{what} est illisible : fichier abîmé ou incomplet. Téléchargez-le de nouveau.")


def entries_of(paths: list[Path], stack: ExitStack) -> list[Entry]:
    """Return the files behind paths; archives stay open until ``stack`` closes."""
    found: list[Entry] = []
    for path in paths:
        if path.is_dir():
            found.extend(_from_folder(path, stack))
        elif path.is_file():
            found.extend(_from_file(path, stack))
        else:
            raise UserError(f"« {path.name} » est introuvable. Vérifiez le chemin donné.")
        if len(found) > MAX_ENTRIES:
            raise UserError(f"Plus de {MAX_ENTRIES} fichiers sont donnés : n’indiquez que ceux d’un export.")
    return found


def _from_folder(folder: Path, stack: ExitStack) -> Iterator[Entry]:
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count > 10 * MAX_ENTRIES:
            raise UserError(f"Le dossier « {folder.name} » contient trop de fichiers pour être un export.")
        if path.is_file() and not path.is_symlink() and not ignorable(path.relative_to(folder).as_posix()):
            yield from _from_file(path, stack)


def _from_file(path: Path, stack: ExitStack) -> Iterator[Entry]:
    size = path.stat().st_size
    if size == 0:
        raise UserError(f"« {path.name} » est vide. Demandez un nouvel export.")
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] != b"PK":
        yield Entry(path.name, lambda: cast(BinaryIO, path.open("rb")), size)
        return
    budget = Budget(path.name, min(MAX_TOTAL, max(FLOOR, size * MAX_RATIO)))
    yield from _from_zip(stack.enter_context(path.open("rb")), path.name, budget, stack, nested=False)


def _from_zip(
    file: IO[bytes], name: str, budget: Budget, stack: ExitStack, *, nested: bool
) -> Iterator[Entry]:
    _check_directory(file, name)
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
    except _DAMAGE as error:
        raise damaged(name) from error
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise _too_many(name)
    for info in members:
        _check_member(info, name)
    for info in members:
        if info.is_dir() or ignorable(info.filename):
            continue
        if not info.filename.lower().endswith(".zip"):
            yield Entry(info.filename, _opener(archive, info, budget, name), info.file_size, name)
        elif nested:
            raise UserError(
                f"« {name} » contient une archive dans une archive dans une archive : donnez les "
                "fichiers XML."
            )
        else:
            inner = _spool(_opener(archive, info, budget, name)(), stack)
            yield from _from_zip(inner, info.filename, budget, stack, nested=True)


def _check_directory(file: IO[bytes], name: str) -> None:
    """Refuse a huge central directory before it is loaded."""
    end = file.seek(0, 2)
    file.seek(max(0, end - _TAIL))
    tail = file.read()
    file.seek(0)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise damaged(name)
    count = int.from_bytes(tail[found + 10 : found + 12], "little")
    length = int.from_bytes(tail[found + 12 : found + 16], "little")
    if MAX_ENTRIES < count < 0xFFFF or _MAX_DIRECTORY < length < 0xFFFFFFFF:
        raise _too_many(name)


def _too_many(name: str) -> UserError:
    return UserError(
        f"« {name} » est refusé : il contient plus de {MAX_ENTRIES} fichiers. Ne gardez que ceux de l’export."
    )


def _check_member(info: zipfile.ZipInfo, archive: str) -> None:
    parts = info.filename.replace("\\", "/").split("/")
    outside = info.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]
    if outside or stat.S_ISLNK(info.external_attr >> 16):
        raise UserError(
            f"« {archive} » est refusé : il contient un lien ou un chemin qui sort de l’archive. "
            "Demandez un nouvel export."
        )
    if info.flag_bits & 0x1:
        raise UserError(
            f"« {archive} » est protégé par un mot de passe. Donnez une archive sans mot de passe."
        )


def ignorable(name: str) -> bool:
    """Say whether a file next to an export is no part of it (readme, DTD, system leftovers)."""
    parts = name.lower().split("/")
    return any(part.startswith((".", "__")) for part in parts) or parts[-1].endswith(_IGNORED)


def _opener(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget, name: str
) -> Callable[[], BinaryIO]:
    def open_member() -> BinaryIO:
        try:
            raw = archive.open(info)
        except _DAMAGE as error:
            raise damaged(name, info.filename) from error
        return cast(BinaryIO, _CountedReader(raw, budget, f"{name}/{info.filename}"))

    return open_member


def _spool(raw: BinaryIO, stack: ExitStack) -> IO[bytes]:
    """Copy an inner archive aside, through its budget: reading a ZIP needs to seek."""
    spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115 - the stack closes it
    while data := raw.read(1 << 16):
        spool.write(data)
    raw.close()
    spool.seek(0)
    return cast("BufferedReader", spool)
