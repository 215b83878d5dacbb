"""Rules of a resource: Markdown its managers write, shown without anything a page should not run (D7)."""

from __future__ import annotations

from functools import cache, lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code", "blockquote", "h3", "h4", "hr"}
SCHEMES = {"http", "https", "mailto"}
MOST_HTML = 80_000


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True})


@lru_cache(maxsize=256)
def rules_html(text: str) -> Markup:
    """Return the rules as HTML: a few tags, links that say they leave."""
    if not text:
        return Markup()
    drawn = _markdown().render(text)
    if len(drawn) > MOST_HTML:  # one long address, shown by hundreds of short links
        drawn = str(escape(text))
    for level in "12":  # titles of a page belong to the page
        drawn = drawn.replace(f"<h{level}>", "<h3>").replace(f"</h{level}>", "</h3>")
    clean = nh3.clean(
        drawn,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704  (cleaned above)
