"""RSS and Atom feeds of the net → our articles: plain text, web links, so many and no more (S6)."""

from __future__ import annotations

import calendar
import codecs
import html
import io
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.errors import RuleViolationError
from app.extensions import now
from app.operations import outgoing
from app.operations.flux import MOST_ITEMS, Article, Lecture

READ_ITEMS = MOST_ITEMS + 10
OPENING = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>/]")
DEEPEST = 200
DECLARATION = re.compile(rb"\s*<\?xml\b[^>]{0,200}\?>")
DECLARED = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
LINEAR = re.compile(r"utf-8|ascii|iso8859-\d{1,2}|cp125\d|koi8-[ru]")
"""Encodings read at one go; others (punycode, unicode_escape…) take hours, or hide tags from our bounds."""
ROOT = re.compile(rb"<\w")
LONGEST_HEAD = 4096
"""Before the first element: twice as much takes the reader of feeds four times longer."""
QUOTED = re.compile(rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What the reader of feeds lets out on a broken one, besides what it notes."""
ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"

NO_FEED = (
    "Cette adresse ne donne pas un flux RSS ou Atom. Cherchez l’icône de flux sur le site, ou son adresse."
)
REFUSED = "Le site a répondu {status} au lieu de donner le flux. Vérifiez l’adresse."


def read(
    url: str,
    *,
    permitted: Sequence[outgoing.Network] = (),
    etag: str | None = None,
    modifie: str | None = None,
) -> Lecture:
    """Call a feed and return what it says; nothing new when it has not changed since these marks.

    :raises UserError: the address is refused, the site does not answer, or what it gives is no feed.
    """
    known = {"If-None-Match": etag, "If-Modified-Since": modifie}
    headers = {"Accept": ACCEPT, **{name: value for name, value in known.items() if value}}
    answer = outgoing.fetch(url, permitted=permitted, headers=headers)
    if answer.status == 304 and (etag or modifie):
        return Lecture("", None, etag, modifie)
    if answer.status != 200:
        raise RuleViolationError(REFUSED.format(status=answer.status), field="url")
    titre, articles = parse(answer.body)
    return Lecture(
        titre or urlsplit(url).hostname or url,
        articles,
        _mark(answer.headers.get("etag")),
        _mark(answer.headers.get("last-modified")),
    )


def parse(body: bytes) -> tuple[str, list[Article]]:
    """Return the title of a feed and its first articles.

    :raises RuleViolationError: what was given is no feed.
    """
    import feedparser

    kept = _bounded(body)
    try:
        found = feedparser.parse(io.BytesIO(kept), sanitize_html=False, resolve_relative_uris=False)
    except UNREADABLE as error:
        raise RuleViolationError(NO_FEED, field="url") from error
    if not found.get("version"):
        raise RuleViolationError(NO_FEED, field="url")
    articles = [article for entry in found.entries[:READ_ITEMS] if (article := _article(entry)) is not None]
    return text_of(found.feed.get("title", ""), 200), articles[:MOST_ITEMS]


def text_of(markup: Any, longest: int) -> str:
    """Return what a piece of HTML says, without a tag, on one line, cut at a word."""
    import nh3

    plain = html.unescape(nh3.clean(str(markup or "")[:20_000], tags=set()))
    shown = "".join(
        " " if char.isspace() or char == "\N{NO-BREAK SPACE}" else char
        for char in unicodedata.normalize("NFC", plain)
        if char.isspace() or unicodedata.category(char) not in {"Cc", "Cs", "Cf", "Co"}
    )
    line = " ".join(shown.split())
    if len(line) <= longest:
        return line
    return line[: longest - 1].rpartition(" ")[0].rstrip(" ,;:.") + "…"


def _bounded(body: bytes) -> bytes:
    """Cut a feed after the items we keep, before anything reads it: 10⁵ of them cost a minute.

    :raises RuleViolationError: elements within elements without end, or an encoding no feed needs.
    """
    if b"\0" in body:
        raise RuleViolationError(NO_FEED, field="url")
    body = _recoded(body)
    root = ROOT.search(body)
    if root is None or root.start() > LONGEST_HEAD:
        raise RuleViolationError(NO_FEED, field="url")
    openings = OPENING.finditer(body)
    cut = next((found.start() for rank, found in enumerate(openings) if rank == READ_ITEMS), None)
    kept = body if cut is None else body[:cut]
    depth = 0
    for tag in re.finditer(rb"<(/?)[A-Za-z][^<>]*?(/?)>", QUOTED.sub(_unquoted, kept)):
        depth += -1 if tag[1] else 0 if tag[2] else 1
        if depth > DEEPEST:
            raise RuleViolationError(NO_FEED, field="url")
    if cut is None:
        return kept
    return kept + (b"</feed>" if b"<feed" in kept[:4096] else b"</channel></rss>")


def _recoded(body: bytes) -> bytes:
    """Return a feed in UTF-8 that says so, whatever encoding it declared."""
    body = body.removeprefix(codecs.BOM_UTF8)
    declaration = DECLARATION.match(body)
    name = DECLARED.search(declaration[0]) if declaration else None
    try:
        codec = codecs.lookup(name[1].decode()).name if name else "utf-8"
    except LookupError:
        codec = "utf-8"
    rest = body[declaration.end() :] if declaration else body.lstrip()
    try:
        text = rest.decode(codec if LINEAR.fullmatch(codec) else "utf-8")
    except UnicodeDecodeError:
        text = rest.decode("cp1252", "replace")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode()


def _unquoted(found: re.Match[bytes]) -> bytes:
    """Leave out what only looks like tags; a comment without end hides the rest: no feed has one."""
    if not found[0].endswith((b"-->", b"]]>")):
        raise RuleViolationError(NO_FEED, field="url")
    return b""


def _article(entry: Any) -> Article | None:
    """Return an item, None when it says nothing."""
    summary = text_of(entry.get("summary", ""), 400)
    title = text_of(entry.get("title", ""), 300) or text_of(summary, 120)
    if not title:
        return None
    link = _link(entry.get("link", ""))
    key = str(entry.get("id") or link or title)[:2000]
    return Article(key, title, link, "" if summary == title else summary, _instant(entry))


def _link(raw: Any) -> str | None:
    """Return the address of an item when it is one of the web, None otherwise."""
    text = "".join(str(raw or "").split())
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    fine = parts.scheme in {"http", "https"} and parts.netloc and "@" not in parts.netloc
    return text if fine and len(text) <= 1000 and text.isprintable() else None


def _instant(entry: Any) -> datetime | None:
    """Return when an item was published; a date to come is a mistake of its author: now."""
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    if parsed is None:
        return None
    try:
        said = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return min(said, now()) if said.year >= 1990 else None


def _mark(value: str | None) -> str | None:
    """Return a mark of version to send back, None when it is not one a header may carry."""
    fine = value and len(value) <= 200 and value.isascii() and value.isprintable()
    return value if fine else None
