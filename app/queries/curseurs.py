"""Keyset pages: the address says after or before which row; depth costs nothing, inserts move nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.database import derived
from app.extensions import Instant

SEPARATOR = "~"
COUNT_CAP = 10_000


@dataclass(frozen=True, eq=False)
class Tri:
    """An order without ties: expressions, the last of which is the id; the column keys end each row.

    ``constant`` comes first in the index that holds the order, with one value for the whole list.
    """

    keys: tuple[Any, ...]
    descendant: bool = False
    ex_aequo_ascendants: bool = False
    """Rows whose first keys are equal stay in ascending order, whichever way the first one goes."""
    constant: tuple[Any, ...] = ()

    def position(self, row: Row[Any]) -> str:
        """Return the cursor of a row of a statement that ends with ``keys``."""
        values = row[-len(self.keys) :]
        return SEPARATOR.join(_written(value) for value in values)

    def values(self, cursor: str) -> list[Any] | None:
        """Read a cursor; None when it is not one of this order."""
        parts = cursor.rsplit(SEPARATOR, len(self.keys) - 1)
        if len(parts) != len(self.keys):
            return None
        try:
            return [_read(part, key) for part, key in zip(parts, self.keys, strict=True)]
        except ValueError:
            return None

    def beyond(self, *, backwards: bool) -> Any:
        """Return «strictly after the values of ``bounds``», in reading order or against it."""
        there = [bindparam(f"borne_{rank}", type_=key.type) for rank, key in enumerate(self.keys)]
        if not self._mixed:
            return _past(tuple_(*self.keys), tuple_(*there), down=self.descendant != backwards)
        first, *rest = self.keys
        tied = and_(first == there[0], _past(tuple_(*rest), tuple_(*there[1:]), down=backwards))
        return or_(_past(first, there[0], down=not backwards), tied)

    def bounds(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the parameters ``beyond`` takes."""
        return {f"borne_{rank}": value for rank, value in enumerate(values)}

    def order(self, *, backwards: bool) -> list[Any]:
        """Return the ORDER BY."""
        down = self.descendant != backwards
        rest = backwards if self._mixed else down
        downs = [down] * len(self.constant) + [rest if rank else down for rank in range(len(self.keys))]
        keys = (*self.constant, *self.keys)
        return [key.desc() if turned else key.asc() for key, turned in zip(keys, downs, strict=True)]

    @property
    def _mixed(self) -> bool:
        return self.descendant and self.ex_aequo_ascendants


def _past(here: Any, there: Any, *, down: bool) -> Any:
    return here < there if down else here > there


@dataclass
class Page:
    """Rows in reading order, and the cursors of the pages on both sides."""

    rows: Sequence[Row[Any]] = ()
    avant: str = ""
    apres: str = ""
    debut: bool = field(default=True)


def page(
    session: Session,
    statement: Select[Any],
    tri: Tri,
    size: int,
    apres: str = "",
    avant: str = "",
    *,
    first: Any = None,
) -> Page:
    """Return one page of a statement; an unreadable cursor is the beginning.

    ``first`` is the id of the table that both limits and orders the statement, when one table does:
    the lines of the page are then found in it before anything is joined to them.
    """
    backwards = bool(avant) and not apres
    values = tri.values(avant if backwards else apres) if avant or apres else None
    backwards = backwards and values is not None
    full = _one_page(statement, tri, size, bounded=values is not None, backwards=backwards, first=first)
    rows = list(session.execute(full, tri.bounds(values or ())))
    more, rows = len(rows) > size, rows[:size]
    if not rows:
        return page(session, statement, tri, size, first=first) if values is not None else Page()
    if backwards:
        rows.reverse()
    before = more if backwards else values is not None
    after = True if backwards else more
    return Page(
        rows,
        avant=tri.position(rows[0]) if before else "",
        apres=tri.position(rows[-1]) if after else "",
        debut=not before,
    )


def count(session: Session, statement: Select[Any], tri: Tri) -> int:
    """Count the rows of a statement, up to one more than the cap."""
    capped = statement.with_only_columns(tri.keys[-1]).order_by(None).limit(COUNT_CAP + 1)
    return int(session.scalar(select(func.count()).select_from(capped.subquery())) or 0)


def chosen_first(key: Any, clauses: Sequence[Any], order: Sequence[Any], limit: int) -> Any:
    """Return «one of the first rows of its table», read before any join.

    PostgreSQL would otherwise join everybody of a school to their account before keeping a page.
    """
    few = select(key).where(*clauses).order_by(*order).limit(limit).subquery()
    return key.in_(select(*few.c))


def _one_page(
    statement: Select[Any], tri: Tri, size: int, *, bounded: bool, backwards: bool, first: Any
) -> Select[Any]:
    """Return the statement of one page."""

    def make() -> Select[Any]:
        full = statement.add_columns(*[key.label(f"tri_{rank}") for rank, key in enumerate(tri.keys)])
        beyond = [tri.beyond(backwards=backwards)] if bounded else []
        order = tri.order(backwards=backwards)
        if first is not None and statement.whereclause is not None:
            beyond = [chosen_first(first, [statement.whereclause, *beyond], order, size + 1)]
        return full.where(*beyond).order_by(*order).limit(size + 1)

    made: Select[Any] = derived(statement, (tri, size, bounded, backwards), make)
    return made


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _read(part: str, key: Any) -> Any:
    kind = datetime if isinstance(key.type, Instant) else key.type.python_type
    if kind is int:
        value = int(part) if part.isascii() and part.isdigit() else -1
        if not 0 <= value < 2**31:
            raise ValueError(part)
        return value
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None or not 1 < moment.year < 9999:  # one that has no UTC is refused too
            raise ValueError(part)
        return moment
    if kind is date:
        return date.fromisoformat(part)
    if "\0" in part:
        raise ValueError(part)
    return part
