"""One page of a generated list: hostile arguments tamed, filters, chips, order, pager.

Every state of a list is in its address, with Flask-AppBuilder's argument names:
``page_<View>``, ``psize_<View>``, ``_oc_<View>``, ``_od_<View>``, ``_flt_<n>_<column>`` and ``q``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import abort, request, url_for
from flask_appbuilder.models.filters import Filters
from sqlalchemy import Select, inspect, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from app.database import reading
from app.views.filters import (
    FALSE,
    KEY_SUFFIX,
    TRUE,
    InvalidFilterError,
    Related,
    column_kind,
    parse,
    starts_with,
)
from app.views.interface import COUNT_CAP
from app.views.rendering import shown

PAGE_SIZES = (25, 50, 100)
MAX_PAGE_SIZE = 100
LONGEST_SEARCH = 200
CODES = {"uai", "code"}
FILTER_ARGUMENT = re.compile(r"_flt_(\d)_(\w+)")


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


@dataclass(frozen=True)
class Column:
    """One column of the table, with where its header leads."""

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
    """One line: its key, where it leads and what it shows."""

    pk: Any
    label: str
    url: str
    cells: Sequence[Any]
    item: Any


@dataclass(frozen=True)
class Control:
    """One select or date of the filter form."""

    name: str
    label: str
    kind: str
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    remote: str = ""


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address of the list without it."""

    text: str
    url: str


@dataclass
class ListPage:
    """Everything the list template shows."""

    view: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    count: int
    args: ListArgs
    controls: Sequence[Control] = ()
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


def with_args(*without: str, **changes: str) -> str:
    """Return this page's address with some arguments changed or removed."""
    kept = {
        name: values
        for name, values in request.args.to_dict(flat=False).items()
        if name not in without and name not in changes
    }
    values: dict[str, Any] = {**(request.view_args or {}), **kept, **{k: v for k, v in changes.items() if v}}
    return url_for(request.endpoint or "", **values)


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


def request_filters(template: Filters) -> Filters:
    """Return this request's own filters; the view's are shared by every thread.

    A column that is not searchable, an operator that does not exist, a value that is none: 400.
    """
    filters = copy.copy(template)
    filters.clear_filters()
    for name in request.args:
        match = FILTER_ARGUMENT.fullmatch(name)
        if not match:
            if name.startswith("_flt_"):
                abort(400)
            continue
        index, column = int(match[1]), match[2]
        offered = filters.get_search_filters().get(column)
        value = request.args.get(name, "").strip()
        if offered is None or index >= len(offered) or len(value) > LONGEST_SEARCH:
            abort(400)
        if value:
            _check(offered[index], value)
            filters._add_filter(offered[index], value)
    return filters


def _check(one_filter: Any, value: str) -> None:
    try:
        parse("number" if isinstance(one_filter, Related) else one_filter.kind(), value)
    except InvalidFilterError:
        abort(400)


def search_text() -> str:
    """Return what was typed in the search box."""
    return request.args.get("q", "").strip()[:LONGEST_SEARCH]


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


def controls_of(view: Any, filters: Filters) -> list[Control]:
    """Return the selects and dates of the filter form."""
    active = {(flt.column_name, flt.arg_name): str(value) for flt, value in filters.get_filters_values()}
    controls = []
    for column, offered in view._filters.get_search_filters().items():
        label = str(view.label_columns.get(column, column))
        for index, one in enumerate(offered):
            value = active.get((column, one.arg_name), "")
            control = _control(view, column, f"_flt_{index}_{column}", label, one, value)
            if control:
                controls.append(control)
    return controls


def _control(view: Any, column: str, name: str, label: str, one: Any, value: str) -> Control | None:
    if isinstance(one, Related):
        return _related_control(view, column, name, label, value)
    kind = one.kind()
    if column in view.choices_columns:
        choices = list(view.choices_columns[column].items())
        return Control(name, label, "select", value, choices) if one.arg_name == "eq" else None
    if kind == "boolean":
        return Control(name, label, "select", value, [(TRUE, "Oui"), (FALSE, "Non")])
    if kind in {"day", "instant"} and one.arg_name != "eq":
        bound = "depuis le" if one.arg_name == "gt" else "jusqu’au"
        alone = sum(column_kind(one_column) in {"day", "instant"} for one_column in _searched(view)) == 1
        return Control(name, bound.capitalize() if alone else f"{label} {bound}", "date", value)
    return None


def _searched(view: Any) -> list[Any]:
    mapped = inspect(view.datamodel.obj).columns
    return [mapped[name] for name in view.search_columns if name in mapped]


def _related_control(view: Any, column: str, name: str, label: str, value: str) -> Control:
    model = view.datamodel.get_related_model(column)
    interface = type(view.datamodel)(model)
    if column in view.plain_relations:
        rows = interface.session.scalars(interface.ordered(select(model), "", descending=False).limit(200))
        choices = sorted(((str(row.id), str(row)) for row in rows), key=lambda pair: pair[1])
        return Control(name, label, "select", value, choices)
    chosen = interface.get(value) if value else None
    choices = [(value, str(chosen))] if chosen is not None else []
    remote = url_for(f"{view.endpoint}.choix", relation=column)
    return Control(name, label, "remote", value, choices, remote)


def chips_of(view: Any, filters: Filters, controls: Sequence[Control]) -> list[Chip]:
    """Return the filters in force, each with the address that removes it."""
    labels = {(control.name, value): text for control in controls for value, text in control.choices}
    page = f"page_{type(view).__name__}"
    chips = []
    for flt, value in filters.get_filters_values():
        offered = view._filters.get_search_filters()[flt.column_name]
        index = next(i for i, one in enumerate(offered) if one.arg_name == flt.arg_name)
        name = f"_flt_{index}_{flt.column_name}"
        label = str(view.label_columns.get(flt.column_name, flt.column_name))
        parsed = parse("number" if isinstance(flt, Related) else flt.kind(), value)
        said = labels.get((name, value)) or ("introuvable" if isinstance(flt, Related) else shown(parsed))
        chips.append(Chip(f"{label}{flt.word} {said}", with_args(name, page)))
    if typed := search_text():
        chips.append(Chip(f"Recherche : {typed}", with_args("q", page)))
    return chips


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
