"""Names with the letters that were typed marked, whatever accents, hyphens and spaces they have."""

from __future__ import annotations

import unicodedata

from markupsafe import Markup, escape

from app.queries.noms import search_key


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the searchable form of a text and, for each of its letters, where it comes from."""
    letters: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        plain = search_key(char) or ("" if unicodedata.combining(char) else " ")
        letters.append(plain)
        origins += [index] * len(plain)
    return "".join(letters), origins


def marked(text: str, typed: str) -> Markup:
    """Return a name with the letters that were typed in ``mark``, at the beginning of words."""
    folded, origins = _folded(text)
    key = search_key(typed)
    spans: list[tuple[int, int]] = []
    for wanted in [key, *key.split(" ")] if key else ():
        start = (" " + folded).find(" " + wanted)
        if start >= 0:
            spans.append((start, start + len(wanted)))
            if wanted == key:
                break
    if not spans and key:
        spans = _joined(folded, key.replace(" ", ""))
    kept: set[int] = {
        origins[place] for start, end in spans for place in range(start, min(end, len(origins)))
    }
    return _wrap(text, kept)


def _joined(folded: str, wanted: str) -> list[tuple[int, int]]:
    """Find letters typed without the spaces and hyphens of the name («delatour»)."""
    places = [place for place, char in enumerate(folded) if char != " "]
    start = "".join(folded[place] for place in places).find(wanted)
    return [(place, place + 1) for place in places[start : start + len(wanted)]] if start >= 0 else []


def _wrap(text: str, kept: set[int]) -> Markup:
    out, open_ = Markup(), False
    for index, char in enumerate(text):
        inside = index in kept
        if inside != open_:
            out += Markup("<mark>") if inside else Markup("</mark>")
            open_ = inside
        out += escape(char)
    return out + Markup("</mark>") if open_ else out
