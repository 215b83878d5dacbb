"""The filter form of a generated list: what the address filters on, its inputs, its chips."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

from flask import abort, request, url_for
from flask_appbuilder.models.filters import Filters
from sqlalchemy import inspect, select

from app.views.filters import FALSE, TRUE, InvalidFilterError, Related, column_kind, parse
from app.views.list_parts import Chip, Facet
from app.views.rendering import shown

LONGEST_SEARCH = 200
FILTER_ARGUMENT = re.compile(r"_flt_(\d)_(\w+)")


def with_args(*without: str, **changes: str) -> str:
    """Return this page's address with some arguments changed or removed."""
    kept = {
        name: values
        for name, values in request.args.to_dict(flat=False).items()
        if name not in without and name not in changes
    }
    values: dict[str, Any] = {**(request.view_args or {}), **kept, **{k: v for k, v in changes.items() if v}}
    return url_for(request.endpoint or "", **values)


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


def facets_of(view: Any, filters: Filters) -> list[Facet]:
    """Return the selects and dates of the filter form."""
    active = {(flt.column_name, flt.arg_name): str(value) for flt, value in filters.get_filters_values()}
    facets = []
    for column, offered in view._filters.get_search_filters().items():
        label = str(view.label_columns.get(column, column))
        for index, one in enumerate(offered):
            value = active.get((column, one.arg_name), "")
            facet = _facet(view, column, f"_flt_{index}_{column}", label, one, value)
            if facet:
                facets.append(facet)
    return facets


def _facet(view: Any, column: str, name: str, label: str, one: Any, value: str) -> Facet | None:
    if isinstance(one, Related):
        return _related_facet(view, column, name, label, value)
    kind = one.kind()
    if column in view.choices_columns:
        choices = list(view.choices_columns[column].items())
        return Facet(name, label, value, choices) if one.arg_name == "eq" else None
    if kind == "boolean":
        return Facet(name, label, value, [(TRUE, "Oui"), (FALSE, "Non")])
    if kind in {"day", "instant"} and one.arg_name != "eq":
        bound = "depuis le" if one.arg_name == "gt" else "jusqu’au"
        alone = sum(column_kind(one_column) in {"day", "instant"} for one_column in _searched(view)) == 1
        return Facet(name, bound.capitalize() if alone else f"{label} {bound}", value, kind="date")
    return None


def _searched(view: Any) -> list[Any]:
    mapped = inspect(view.datamodel.obj).columns
    return [mapped[name] for name in view.search_columns if name in mapped]


def _related_facet(view: Any, column: str, name: str, label: str, value: str) -> Facet:
    model = view.datamodel.get_related_model(column)
    interface = type(view.datamodel)(model)
    if column in view.plain_relations:
        rows = interface.session.scalars(interface.ordered(select(model), "", descending=False).limit(200))
        choices = sorted(((str(row.id), str(row)) for row in rows), key=lambda pair: pair[1])
        return Facet(name, label, value, choices)
    chosen = interface.get(value) if value else None
    choices = [(value, str(chosen))] if chosen is not None else []
    remote = url_for(f"{view.endpoint}.choix", relation=column)
    return Facet(name, label, value, choices, "remote", remote)


def chips_of(view: Any, filters: Filters, facets: Sequence[Facet]) -> list[Chip]:
    """Return the filters in force, each with the address that removes it."""
    labels = {(facet.name, value): text for facet in facets for value, text in facet.choices}
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
