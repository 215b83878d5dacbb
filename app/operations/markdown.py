"""Markdown of the blocks of a public page → HTML that runs nothing and loads nothing from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

MEDIA = re.compile(r"/media/[0-9a-f]{64}")
TAGS = {
    "p", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote",
    "ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
TITLE_LEVEL = 2
"""A block has a heading of its own, ``h2``: those of its text come under it."""
MOST_CELLS = 4_000
MOST_HTML = 300_000
RULE_OF_TABLE = frozenset(" \t>|:-")
HEAVY = "<p>Ce texte donnerait une page trop lourde : un lien ou un tableau y revient trop souvent.</p>"
"""Drawn instead of a text a few lines of which would make megabytes."""


def render(text: str) -> str:
    """Return the HTML of a text: no raw HTML, no script, plain links, pictures of ours only."""
    import nh3

    if _cells(text) > MOST_CELLS:
        return HEAVY
    reader = _reader()
    tokens = reader.parse(text)
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    levels = sorted({token.tag for token in headings})
    for token in headings:  # whichever marks were typed, no level is skipped
        token.tag = f"h{min(levels.index(token.tag) + 1 + TITLE_LEVEL, 6)}"
    html = reader.renderer.render(tokens, reader.options, {})
    if len(html) > MOST_HTML:
        return HEAVY
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        attribute_filter=_ours,
        set_tag_attribute_values={"img": {"loading": "lazy"}},
    )


def media_of(text: str) -> set[str]:
    """Return the pictures a text shows, as the digests they are named by."""
    return {found[0].rpartition("/")[2] for found in MEDIA.finditer(text)}


def _cells(text: str) -> int:
    """Return how many cells the tables of a text may have at most: short lines are filled up."""
    total = columns = 0
    for line in text.splitlines():
        if "|" in line and "-" in line and RULE_OF_TABLE.issuperset(line):
            columns = line.count("|") + 1
        elif not line.strip():
            columns = 0
        total += columns
    return total


def _ours(tag: str, attribute: str, value: str) -> str | None:
    """Keep a picture of ours, refuse one of elsewhere: it would tell who reads the page."""
    if (tag, attribute) == ("img", "src") and not MEDIA.fullmatch(value):
        return None
    return value


@cache
def _reader() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
