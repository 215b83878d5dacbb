"""One page of a generated list: hostile arguments tamed, order, lines, pager, export.

Every state of a list is in its address, with Flask-AppBuilder's argument names:
``page_<View>``, ``psize_<View>``, ``_oc_<View>``, ``_od_<View>``, ``_flt_<n>_<column>`` and ``q``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for
from sqlalchemy import Select, inspect, or_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from app.database import reading
from app.views.filters import KEY_SUFFIX, column_kind, starts_with
from app.views.interface import COUNT_CAP
from app.views.list_filters import with_args
from app.views.list_parts import Chip, Column, Facet, Row
from app.views.rendering import shown

PAGE_SIZES = (25, 50, 100)
MAX_PAGE_SIZE = 100
CODES = {"uai", "code", "login", "username"}


@dataclass(frozen=True)
class ListArgs:
    """What the address asks of one list, made safe."""

    page: int = 0
    size: int = PAGE_SIZES[0]
    order: str = ""
    descending: bool = False

    def within(self, count: int) -> ListArgs:
        """Return the same arguments on a page that exists."""
        last = max(0, (min(count, COUNT_CAP) - 1) // self.size)
        return replace(self, page=min(self.page, last))


@dataclass
class ListPage:
    """Everything the list template shows."""

    view: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    count: int
    args: ListArgs
    facets: Sequence[Facet] = ()
    chips: Sequence[Chip] = ()
    search: str = ""
    nouns: tuple[str, str] = ("ligne", "lignes")

    @property
    def first(self) -> int:
        return self.args.page * self.args.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.args.page * self.args.size + len(self.rows)

    @property
    def previous_url(self) -> str:
        return with_args(**{f"page_{self.view}": str(self.args.page - 1)}) if self.args.page else ""

    @property
    def next_url(self) -> str:
        more = min(self.count, COUNT_CAP) > (self.args.page + 1) * self.args.size
        return with_args(**{f"page_{self.view}": str(self.args.page + 1)}) if more else ""

    @property
    def capped(self) -> bool:
        return self.count > COUNT_CAP

    @property
    def export_url(self) -> str:
        """Return where the same rows, all pages of them, come as a file."""
        endpoint = f"{(request.endpoint or '').rpartition('.')[0]}.export"
        kept = request.args.to_dict(flat=False)
        return url_for(endpoint, **{k: v for k, v in kept.items() if k != f"page_{self.view}"})  # type: ignore[arg-type]

    def size_url(self, size: int) -> str:
        """Return this list with another number of lines by page."""
        return with_args(f"page_{self.view}", **{f"psize_{self.view}": str(size)})


def _integer(raw: str | None, default: int) -> int:
    text = (raw or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def read_args(
    view: str, order_columns: Sequence[str], base_order: tuple[str, str] | None, size: int
) -> ListArgs:
    """Read the arguments of one list: anything unusable falls back to the default."""
    wanted = _integer(request.args.get(f"psize_{view}"), size)
    size = max(1, min(wanted or size, MAX_PAGE_SIZE))
    page = min(_integer(request.args.get(f"page_{view}"), 0), (COUNT_CAP - 1) // size)
    order, descending = (base_order[0], base_order[1] == "desc") if base_order else ("", False)
    asked = request.args.get(f"_oc_{view}", "")
    if asked in order_columns:
        order, descending = asked, request.args.get(f"_od_{view}") == "desc"
    return ListArgs(page, size, order, descending)


def text_columns(model: Any, columns: Sequence[str]) -> list[str]:
    """Return the columns the search box looks into."""
    mapped = inspect(model).columns
    return [name for name in columns if name in mapped and column_kind(mapped[name]) == "text"]


def search_clause(model: Any, columns: Sequence[str], typed: str) -> ColumnElement[bool]:
    """Return «one of the columns starts with what was typed»."""
    return or_(*[starts_with(model, name, typed) for name in columns])


def columns_of(view: Any, args: ListArgs, *, sortable: bool = True) -> list[Column]:
    """Return the headers of a view's list."""
    name, mapped = type(view).__name__, inspect(view.datamodel.obj).columns
    headers = []
    for column in view.list_columns:
        current = args.order in {column, column + KEY_SUFFIX}
        flipped = "desc" if current and not args.descending else "asc"
        url = with_args(f"page_{name}", **{f"_oc_{name}": column, f"_od_{name}": flipped})
        numeric = (
            column in mapped
            and column_kind(mapped[column]) == "number"
            and column not in view.choices_columns
            and column not in view.formatters_columns
        )
        headers.append(
            Column(
                column,
                str(view.label_columns.get(column, column)),
                numeric=numeric,
                code=column.rpartition(".")[2] in CODES and column not in view.formatters_columns,
                sort_url=url if sortable and column in view.order_columns else "",
                sorted=("descending" if args.descending else "ascending") if current else "",
            )
        )
    return headers


def cell(view: Any, item: Any, column: str, *, plain: bool = False) -> Any:
    """Return what one cell shows: the view's formatter, the choice's label, or the value.

    ``plain`` is for files: nothing stays empty, numbers stay numbers.
    """
    value = view.datamodel._get_attr_value(item, column)
    if column in view.formatters_columns:
        return view.formatters_columns[column](value)
    if column in view.choices_columns:
        return view.choices_columns[column].get(value, shown(value))
    if plain and (value is None or (isinstance(value, int) and not isinstance(value, bool))):
        return value
    return shown(value)


def page_rows(view: Any, statement: Select[Any], args: ListArgs) -> list[Row]:
    """Return the lines of one page, relations loaded in one statement each."""
    datamodel = view.datamodel
    ordered = datamodel.ordered(statement, args.order, descending=args.descending)
    limited = ordered.options(*view.loads()).offset(args.page * args.size).limit(args.size)
    return [_row(view, item) for item in datamodel.session.scalars(limited).all()]


def _row(view: Any, item: Any) -> Row:
    pk = view.datamodel.get_pk_value(item)
    return Row(pk, str(item), view.row_url(item, pk), [cell(view, item, c) for c in view.list_columns], item)


def export_rows(
    view: Any, session: Session, statement: Select[Any], args: ListArgs
) -> Iterator[Sequence[Any]]:
    """Yield the header then every row a list shows, by slices: nothing is held in memory.

    The session is given: it carries the perimeter, and the answer is sent after the request ended.
    """
    yield [str(view.label_columns.get(name, name)) for name in view.list_columns]
    ordered = view.datamodel.ordered(statement, args.order, descending=args.descending)
    streamed = ordered.options(*view.loads()).execution_options(yield_per=500)
    try:
        with reading():
            for item in session.scalars(streamed):
                yield [cell(view, item, column, plain=True) for column in view.list_columns]
    finally:
        session.close()
