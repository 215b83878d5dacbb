"""What every list is made of: columns, rows, facets, chips. The templates of lists read these alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Column:
    """One column of a table, with where its header leads and how it is sorted now."""

    name: str
    label: str
    numeric: bool = False
    code: bool = False
    sort_url: str = ""
    sorted: str = ""

    @property
    def css(self) -> str:
        """Return how its cells are set: numbers to the right, codes in fixed width."""
        return "pr-num" if self.numeric else "pr-code" if self.code else ""

    @cached_property
    def opening(self) -> str:
        """Return how each of its cells begins, written once for all the lines of a page."""
        kind = f' class="{escape(self.css)}"' if self.css else ""
        return f'<td data-label="{escape(self.label)}"{kind}>'


@dataclass(frozen=True)
class Row:
    """One line: its key, what names it, where it leads and what it shows."""

    pk: Any
    label: str
    url: str
    cells: Sequence[Any]
    item: Any = None


def cells(columns: Sequence[Column], row: Row) -> Markup:
    """Return the cells of a line after its first column, which the template draws."""
    pairs = zip(columns[1:], row.cells, strict=True)
    return Markup("".join(f"{column.opening}{escape(value)}</td>" for column, value in pairs))  # noqa: S704


@dataclass(frozen=True)
class Facet:
    """One field of a filter form: a select, a select filled from ``remote``, or a date."""

    name: str
    label: str
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    kind: str = "select"
    remote: str = ""


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address of the list without it."""

    text: str
    url: str
