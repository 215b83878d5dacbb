"""Reading a file of guests: encoding, separator, columns, lines, whatever program wrote it (U13, X4).

UTF-8 (with its mark or not), UTF-16 with its mark, Windows-1252; «;», «,» or tab; any line ends. What
cannot be read is refused with the number of the line, before anything is written. Memory does not
depend on the size of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from app.errors import RuleViolationError
from app.operations.invites_saisie import CHAMPS
from app.queries.noms import search_key

SEPARATEURS = {";": "point-virgule", ",": "virgule", "\t": "tabulation"}
MAX_COLONNES = 60
MAX_LIGNES = 50_000
MAX_LIGNE = 20_000
CHUNK = 1 << 20
SAMPLE = 64 * 1024
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
ENTETES: dict[str, tuple[str, ...]] = {
    "nom": ("nom", "nom de famille", "name", "last name"),
    "prenom": ("prenom", "prenoms", "first name"),
    "civilite": ("titre", "civilite", "civ", "m mme"),
    "email": ("mail", "email", "e mail", "courriel", "adresse mail", "adresse email", "adresse e mail",
              "adresse electronique", "mel"),
    "date_naissance": ("date de naissance", "naissance", "date naissance", "ne le", "nee le", "ne e le",
                       "ddn"),
    "adresse": ("adresse", "adresse postale", "rue"),
    "code_postal": ("code postal", "cp", "codepostal"),
    "commune": ("commune", "ville", "localite"),
    "telephone_domicile": ("telephone domicile", "tel domicile", "telephone", "tel", "tel dom",
                           "telephone fixe"),
    "telephone_portable": ("telephone portable", "tel portable", "portable", "mobile", "tel mobile",
                           "telephone mobile"),
    "telephone_travail": ("telephone professionnel", "tel professionnel", "telephone pro", "tel pro",
                          "telephone travail"),
}  # fmt: skip
"""Names people give a column, as search keys."""
_KNOWN = {name: field for field, names in ENTETES.items() for name in names}
FRENCH, OLD_MAC = frozenset("éèêëàâçîïôûùÉÈÀÇ"), frozenset("ƒŽ\u02c6‰ˆ")
"""Accents of a French text, and what they become when one of an old Mac is read as Windows-1252."""
CONTROL = {chr(code) for code in range(32)} - {"\t", "\n", "\r"} | {"\x7f"}


@dataclass(frozen=True, slots=True)
class Forme:
    """How a file is written, and what its columns are."""

    encodage: str
    separateur: str
    entetes: tuple[str, ...]
    """Names of the columns as the file writes them; empty when it has no line of names."""
    colonnes: tuple[str, ...]
    """Field of each column, empty for one nobody reads."""


def recognise(path: Path) -> Forme:
    """Tell how the file is written and what its columns are.

    :raises RuleViolationError: an unknown encoding, no separator, a first line no reader takes.
    """
    encoding = _encoding(path)
    first, number = "", 0
    for line in _lines(path, encoding):
        number += 1
        if line.strip(' \t\n;,"'):
            first = line
            break
    if not first:
        raise RuleViolationError("Ce fichier ne contient aucune ligne. Refaites l’export.")
    separator = _separator(first, number)
    form = Forme(encoding, separator, (), ())
    _line, cells = next(records(path, form, header=False))
    names = tuple(cell.strip() for cell in cells)
    fields = tuple(_KNOWN.get(search_key(name), "") for name in names)
    if len({field for field in fields if field}) >= 2 and "nom" in fields:
        return Forme(encoding, separator, names, _each_once(fields))
    order = tuple(CHAMPS)[: len(names)]
    return Forme(encoding, separator, (), order + ("",) * (len(names) - len(order)))


def records(path: Path, forme: Forme, *, header: bool | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its first line, cells) of each record; blank ones and the names are left out.

    :raises RuleViolationError: a quote left open, a line too long, too many columns or lines.
    """
    skip = bool(forme.entetes) if header is None else header
    lines = _Counted(_lines(path, forme.encodage))
    reader = csv.reader(lines, delimiter=forme.separateur, strict=True)
    previous = csv.field_size_limit(MAX_LIGNE * 4)
    found = 0
    try:
        while True:
            start = lines.count + 1
            lines.start = start
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise RuleViolationError(_quote_sentence(start)) from error
            if len(cells) > MAX_COLONNES:
                raise RuleViolationError(
                    f"La ligne {start} compte {len(cells)} colonnes ; {len(CHAMPS)} sont attendues."
                    " Vérifiez le séparateur, puis refaites l’export."
                )
            if not any(cell.strip() for cell in cells):
                continue
            if skip:
                skip = False
                continue
            found += 1
            if found > MAX_LIGNES:
                raise RuleViolationError(
                    f"Ce fichier dépasse {MAX_LIGNES:,} lignes. Déposez-le en plusieurs fois.".replace(
                        ",", "\u202f"
                    )
                )
            yield start, [cell[:MAX_LIGNE] for cell in cells]
    finally:
        csv.field_size_limit(previous)


def _quote_sentence(start: int) -> str:
    return (
        f"Ligne {start} : un guillemet est mal placé ou n’est pas refermé. Corrigez cette ligne, puis déposez"
        " de nouveau le fichier."
    )


class _Counted:
    """Lines with their number; a record that swallows too many of them has an open quote."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count = self.start = 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        if self.count - self.start > 20:
            raise RuleViolationError(_quote_sentence(self.start))
        return line


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines, whatever ends them; one that never ends, or holds what no text holds, is refused."""
    number = 0
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding, errors="strict") as text:
        while line := text.readline(MAX_LIGNE + 1):
            number += 1
            if len(line) > MAX_LIGNE:
                raise RuleViolationError(
                    f"La ligne {number} est trop longue pour être celle d’un invité (plus de"
                    f" {MAX_LIGNE // 1000} 000 caractères). Un guillemet n’est sans doute pas refermé."
                )
            if wrong := CONTROL.intersection(line):
                kind = "nul" if "\0" in wrong else "illisible"
                raise RuleViolationError(
                    f"La ligne {number} contient un caractère {kind}. Ce fichier n’est pas un CSV,"
                    " ou il est abîmé : refaites l’export."
                )
            yield line


def _encoding(path: Path) -> str:
    """Return the encoding: what the mark says, UTF-8 if it is that, Windows-1252 if nothing denies it.

    :raises RuleViolationError: neither; the sentence names the line.
    """
    with path.open("rb") as raw:
        head = raw.read(SAMPLE)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return _checked(path, name)
    if b"\0" in head:
        line = head[: head.index(b"\0")].count(b"\n") + 1
        raise RuleViolationError(
            f"La ligne {line} contient un caractère nul. Ce fichier n’est pas un CSV, ou il est abîmé :"
            " refaites l’export."
        )
    wrong = _first_wrong(path, "utf-8")
    if wrong is None:
        return "utf-8"
    if _first_wrong(path, "cp1252") is None and _looks_latin(head):
        return "cp1252"
    raise RuleViolationError(
        f"La ligne {wrong} n’est lisible ni en UTF-8 ni en Windows-1252. Enregistrez le fichier au format"
        " « CSV UTF-8 », puis recommencez."
    )


def _looks_latin(head: bytes) -> bool:
    """Tell whether accents make French in Windows-1252; written on an old Mac or under DOS they do not."""
    text = head.decode("cp1252", "ignore")
    if FRENCH.isdisjoint(text) and not OLD_MAC.isdisjoint(text):
        return False
    found = from_bytes(head, cp_isolation=["cp1252", "mac_roman", "cp850"], threshold=0.5)
    names = {match.encoding for match in found}
    return "cp1252" in names or not names


def _checked(path: Path, encoding: str) -> str:
    wrong = _first_wrong(path, encoding)
    if wrong is not None:
        raise RuleViolationError(
            f"La ligne {wrong} n’est pas lisible dans l’encodage que le fichier annonce. Refaites l’export."
        )
    return encoding


def _first_wrong(path: Path, encoding: str) -> int | None:
    """Return the first line that is not of this encoding, None when the whole file is."""
    decoder = codecs.getincrementaldecoder("utf-8" if encoding == "utf-8-sig" else encoding)("strict")
    line = 1
    with path.open("rb") as raw:
        while True:
            chunk = raw.read(CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            if not chunk:
                return None


def _separator(line: str, number: int) -> str:
    """Return what parts the columns of a line, quoted text left aside."""
    outside = "".join(part for rank, part in enumerate(line.split('"')) if rank % 2 == 0)
    counts = {sign: outside.count(sign) for sign in SEPARATEURS}
    best = max(counts, key=lambda sign: counts[sign])
    if not counts[best]:
        raise RuleViolationError(
            f"La ligne {number} n’a qu’une colonne. Séparez-les par des points-virgules, des virgules ou des"
            " tabulations."
        )
    return best


def _each_once(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the first column of each field."""
    seen: set[str] = set()
    kept = []
    for field in fields:
        kept.append("" if field in seen else field)
        seen.add(field)
    return tuple(kept)
