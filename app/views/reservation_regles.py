"""Rules of a resource: Markdown its managers write, shown as the blocks of a public page are (D7)."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from app.operations import markdown


@lru_cache(maxsize=256)
def rules_html(text: str) -> Markup:
    """Return the rules as HTML that runs nothing and loads nothing from elsewhere."""
    return Markup(markdown.render(text)) if text else Markup()  # noqa: S704  (cleaned by ``render``)
