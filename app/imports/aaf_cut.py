"""Objects of an AAF file, cut out of its text: several times faster than building a tree of each.

Only what has, to the last sign, the shape exporters write is taken this way; nothing in that shape
can be ill formed or hostile. An object of any other shape is read by libxml2 alone; a file of any
other shape is handed over to the ordinary reader, which passes over the objects already given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from app.imports.aaf_fields import split_object
from app.imports.detection import Detected
from app.imports.xml_stream import SAFE, elements

REQUESTS = ("addRequest", "modifyRequest", "deleteRequest")
LONGEST = 1 << 20
"""Bytes of an object, or of what precedes the first one, above which libxml2 is left to judge."""

_TEXT = r"[^<>&\r]*+(?:&(?:amp|lt|gt);[^<>&\r]*+)*+"
_VALUES = rf"(?:<value>{_TEXT}</value>|<value/>)++"
_NAME = r"[A-Za-z_][\w.\-]*+"
_PLAIN = re.compile(
    rf'<addRequest><operationalAttributes><attr name="({_NAME})">({_VALUES})</attr></operationalAttributes>'
    rf"<identifier><id>({_TEXT})</id></identifier>"
    rf'<attributes><attr name="((?:{_NAME}">{_VALUES}</attr><attr name=")*+{_NAME}">{_VALUES})'
    r"</attr></attributes></addRequest>",
    re.ASCII,
)
_BETWEEN = '</attr><attr name="'
_BLANK = re.compile(r">\s+<")
_PROLOGUE = re.compile(
    rb'(?:<\?xml version="1\.0"(?: encoding="[\w.\-]+")?(?: standalone="(?:yes|no)")?\s*\?>)?\s*+'
    rb'(?:<!DOCTYPE \w+ SYSTEM "[^"<>]*">\s*+)?<ficAlimMENESR>\s*+'
    rb"(?:<!--(?:[^<>\-]|-[^<>\-])*+-->\s*+)*+"
)
_EPILOGUE = re.compile(rb"\s*+</ficAlimMENESR>\s*+")
_FIRST = re.compile(rb"<(?:add|modify|delete)Request>")
_TAG = re.compile(rb"\s*+<((?:add|modify|delete)Request)>")
_NOT_XML = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


class Cut(dict[str, str]):
    """The attributes of an object, and the text they were cut from: what travels to another process."""

    __slots__ = ("text",)

    def __init__(self, pairs: Iterable[tuple[str, str] | list[str]], text: str) -> None:
        super().__init__(pairs)  # type: ignore[arg-type]
        self.text = text


Request = tuple[int, str, str, Cut, str]
"""Line, kind of request, key, attributes, text without blanks (what is digested)."""


class _UnusualError(Exception):
    """The text is not what exporters write: the ordinary reader takes over."""


def requests(file: Detected) -> Iterator[Request]:
    """Yield the objects of a file, in order."""
    given = 0
    try:
        for found in _plainly(file):
            yield found
            given += 1
    except _UnusualError:
        for rank, element in enumerate(elements(file, REQUESTS)):
            if rank >= given:
                text = etree.tostring(element, encoding="unicode", with_tail=False)
                yield (element.sourceline or 0, str(element.tag), *cut(text), text)


def cut(text: str) -> tuple[str, Cut]:
    """Return the key and the attributes of an object written without blanks."""
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        key, raw = split_object(text)
        return key, Cut(raw.items(), text)
    return _pieces(plain, text)


def _pieces(plain: re.Match[str], text: str) -> tuple[str, Cut]:
    category, values, key, body = plain.groups()
    found = Cut([piece.split('">', 1) for piece in body.split(_BETWEEN)], text)
    found[category] = values
    return key.strip(), found


def _plainly(file: Detected) -> Iterator[Request]:
    stream = file.stream()
    try:
        pending, line = b"", 1
        started = False
        while data := stream.read():
            pending += data
            if any(mark in pending for mark in _NOT_XML):
                raise _UnusualError
            if not started and (first := _FIRST.search(pending)) is not None:
                if _PROLOGUE.fullmatch(pending, 0, first.start()) is None:
                    raise _UnusualError
                line += pending.count(b"\n", 0, first.start())
                started, pending = True, pending[first.start() :]
            position = 0
            while started and (tag := _TAG.match(pending, position)) is not None:
                end = pending.find(b"</" + tag[1] + b">", tag.end())
                if end < 0:
                    break
                end += len(tag[1]) + 3
                line += pending.count(b"\n", position, tag.start(1))
                yield _request(line, tag[1].decode(), pending[tag.start(1) - 1 : end].decode())
                stream.met_object()
                line += pending.count(b"\n", tag.start(1), end)
                position = end
            pending = pending[position:]
            if len(pending) > LONGEST:
                raise _UnusualError
        if not started or _EPILOGUE.fullmatch(pending) is None:
            raise _UnusualError
    finally:
        stream.close()


def _request(line: int, tag: str, written: str) -> Request:
    text = written.replace(">\n<", "><").replace("<value></value>", "<value/>")
    if "\n" in text or "> " in text or "\r" in text:
        text = _BLANK.sub("><", text).replace("<value></value>", "<value/>")
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        text = _through_libxml2(written)
        return (line, tag, *cut(text), text)
    return (line, tag, *_pieces(plain, text), text)


def _through_libxml2(written: str) -> str:
    if written.count("Request") > len(("opening", "closing")):
        raise _UnusualError
    try:
        element = etree.fromstring(written, etree.XMLParser(**SAFE))
    except etree.XMLSyntaxError as error:
        raise _UnusualError from error
    return etree.tostring(element, encoding="unicode")
