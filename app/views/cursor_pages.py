"""What every keyset list reads of its address and shows under its lines: size, cursors, steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from app.queries.curseurs import Page
from app.views.arguments import CURSORS, here

SIZES = (25, 50, 100)
PATH = "preau.liste"
SAFE = "!$'()*,/:;?@"
"""What the arguments of an address may hold as such, as Werkzeug writes them."""


@dataclass(frozen=True)
class Pager:
    """How many lines are shown of how many, and the ways to the others."""

    shown: int
    total: int
    size: int
    sizes: Sequence[tuple[int, str]]
    previous_url: str
    next_url: str
    first_url: str


def pager(page: Page, total: int) -> Pager:
    """Return what stands under a page of the list of this address."""
    return Pager(
        len(page.rows),
        total,
        size_arg(),
        [(size, url_here(taille=size)) for size in SIZES],
        url_here(avant=page.avant) if page.avant else "",
        url_here(apres=page.apres) if page.apres else "",
        "" if page.debut else url_here(),
    )


def size_arg() -> int:
    """Return how many lines the address asks for."""
    asked = request.args.get("taille", "")
    return int(asked) if asked in {str(size) for size in SIZES} else SIZES[0]


def cursor_args() -> tuple[str, str]:
    """Return the cursors of the address; text no engine stores is no cursor."""
    apres, avant = (request.args.get(name, "")[:400] for name in CURSORS)
    return printable(apres), printable(avant)


def printable(text: str) -> str:
    """Return a text both engines store."""
    return "".join(char for char in text if char.isprintable())


def url_here(**changes: Any) -> str:
    """Return this list with other arguments, from its beginning."""
    asked = urlencode(here(**changes), doseq=True, safe=SAFE)
    return f"{_path()}?{asked}" if asked else _path()


def _path() -> str:
    """Return the address of this list without its arguments: its links share it."""
    known: dict[str, Any] = request.environ
    if PATH not in known:
        known[PATH] = url_for(request.endpoint or "", **(request.view_args or {}))
    path: str = known[PATH]
    return path
