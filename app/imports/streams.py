"""A file of any encoding as a flow of clean UTF-8 bytes, and the guards on that flow.

What libxml2 receives is always UTF-8 that we decoded: a lying declaration is repaired on the
way, named HTML entities become characters, and characters XML forbids are dropped.
"""

from __future__ import annotations

import codecs
import html.entities
import re
from typing import BinaryIO

from app.errors import UserError

CHUNK = 1 << 16
MAX_SILENCE = 64 << 20
"""Bytes a reader may go through without meeting one object it knows."""

_FORBIDDEN = bytes(b for b in range(32) if b not in b"\t\n\r")
_NAMED_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31});")
_XINCLUDE = b"2001/XInclude"
_LATIN9_CHANGES = {0xA4: "€", 0xA6: "Š", 0xA8: "š", 0xB4: "Ž", 0xB8: "ž", 0xBC: "Œ", 0xBD: "œ", 0xBE: "Ÿ"}
_LATIN = {"iso8859-1", "iso8859-15", "cp1252"}


def _western(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes a codec refuses as the Western European ones files really hold."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(_western_character(b) for b in error.object[error.start : error.end]), error.end


def _western_character(byte: int) -> str:
    if 0x80 <= byte < 0xA0:
        return bytes((byte,)).decode("cp1252", "ignore")
    return _LATIN9_CHANGES.get(byte) or chr(byte)


codecs.register_error("preau_western", _western)


def _entity(match: re.Match[bytes]) -> bytes:
    named = html.entities.html5.get(match.group(1).decode() + ";")
    if named is None or named in "<&":
        return b"&amp;" + match.group()[1:]
    return named.encode()


def canonical_encoding(declared: str | None) -> str:
    """Return the codec to trust first for a declared encoding; UTF-8 when none or unknown."""
    try:
        name = codecs.lookup(declared or "utf-8").name
    except LookupError:
        return "utf-8"
    if name in _LATIN or name.startswith("utf-16"):
        return name
    return "utf-8"


class Utf8Stream:
    """A readable flow of UTF-8 bytes over a file of another, or another than declared, encoding."""

    def __init__(self, raw: BinaryIO, encoding: str, name: str, *, xml: bool = True) -> None:
        self.name = name
        self._raw = raw
        self._xml = xml
        self._doubt = encoding in _LATIN
        self._utf8 = encoding == "utf-8"
        self._decoder = codecs.getincrementaldecoder("cp1252" if encoding == "iso8859-1" else encoding)(
            "preau_western"
        )
        self._pending = b""
        self._silence = 0
        self._first = True

    def met_object(self) -> None:
        """Tell the guard that the reader is getting somewhere."""
        self._silence = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, some, never none before the end (``size`` is only a hint)."""
        while True:
            data = self._raw.read(CHUNK)
            if not data:
                return self._tidy(self._to_utf8(b"", final=True), final=True)
            self._silence += len(data)
            if self._silence > MAX_SILENCE:
                raise UserError(
                    f"« {self.name} » : aucune donnée reconnue sur plus de 64 Mo. Le fichier est "
                    "abîmé ou n’est pas un export d’annuaire ; demandez un nouvel export."
                )
            if out := self._tidy(self._to_utf8(data)):
                return out

    def close(self) -> None:
        """Close the file underneath."""
        self._raw.close()

    def _to_utf8(self, data: bytes, *, final: bool = False) -> bytes:
        if self._doubt and not data.isascii():
            self._doubt = False
            if _looks_utf8(data):  # declared Latin, written in UTF-8
                self._utf8 = True
                self._decoder = codecs.getincrementaldecoder("utf-8")("preau_western")
        if self._utf8 and data.isascii() and not self._decoder.getstate()[0]:
            text = data
        else:
            text = self._decoder.decode(data, final).encode("utf-8", "ignore")
        if self._first and text:
            self._first = False
            text = text.removeprefix(codecs.BOM_UTF8)
        return text

    def _tidy(self, data: bytes, *, final: bool = False) -> bytes:
        data = data.translate(None, _FORBIDDEN)
        if not self._xml:
            return data
        data = self._pending + data
        self._pending = b""
        if not final and (cut := data.rfind(b"&", max(0, len(data) - 40))) >= 0 and b";" not in data[cut:]:
            data, self._pending = data[:cut], data[cut:]
        if _XINCLUDE in data:
            raise hostile(self.name)
        return _NAMED_ENTITY.sub(_entity, data) if b"&" in data else data


def _looks_utf8(data: bytes) -> bool:
    try:
        codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def hostile(name: str) -> UserError:
    """Return the refusal of a file whose XML tries more than stating data."""
    return UserError(
        f"« {name} » est refusé : il contient des instructions XML (entités, inclusions) qu’aucun export "
        "officiel ne contient. Demandez un nouvel export à l’application d’origine."
    )
