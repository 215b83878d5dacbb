"""The letters that were found, marked in what is shown, whatever their case and accents."""

from __future__ import annotations

from markupsafe import Markup, escape

from app.queries.noms import search_key


def marked(text: str, typed: str) -> Markup:
    """Return ``text`` with the first place of each word typed in ``<mark>``."""
    folded, origin = _folded(text)
    spans = []
    for word in search_key(typed).split()[:8]:
        start = f" {folded}".find(f" {word}")
        if start < 0:
            start = folded.find(word)
        if start < 0:
            continue
        spans.append((origin[start], origin[start + len(word) - 1] + 1))
    return Markup("").join(_pieces(text, sorted(spans)))


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the comparable letters of a text, and for each the place it comes from."""
    letters, origin = [], []
    for place, char in enumerate(text):
        for letter in search_key(char) or " ":
            letters.append(letter)
            origin.append(place)
    return "".join(letters), origin


def _pieces(text: str, spans: list[tuple[int, int]]) -> list[Markup]:
    pieces, done = [], 0
    for start, end in spans:
        if start < done:
            continue
        pieces += [escape(text[done:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        done = end
    return [*pieces, escape(text[done:])]
