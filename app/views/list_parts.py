"""What every list is made of: columns, rows, facets, chips. The templates of lists read these alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


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


@dataclass(frozen=True)
class Row:
    """One line: its key, what names it, where it leads and what it shows."""

    pk: Any
    label: str
    url: str
    cells: Sequence[Any]
    item: Any = None


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
