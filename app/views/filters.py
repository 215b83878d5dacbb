"""Filters of generated lists: safe on any value, French names, keys compared without accents.

Flask-AppBuilder's own filters leave ``%`` and ``_`` unescaped and turn an unreadable value into
NULL; these refuse it, and the list answers 400.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from flask_appbuilder.models.filters import BaseFilter, BaseFilterConverter, FilterRelation
from sqlalchemy import Boolean, Date, DateTime, Integer, String, TypeDecorator
from sqlalchemy.sql.elements import ColumnElement

from app.extensions import PARIS
from app.queries.noms import search_key
from app.queries.recherche import prefix

MAX_ID = 2**31 - 1
TRUE, FALSE = "oui", "non"
KEY_SUFFIX = "_recherche"


class InvalidFilterError(ValueError):
    """The address asks for something no list can answer."""


def column_kind(column: Any) -> str:
    """Return what a column holds: text, number, boolean, day, instant or other."""
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    for cls, name in (
        (Boolean, "boolean"),
        (Integer, "number"),
        (DateTime, "instant"),
        (Date, "day"),
        (String, "text"),
    ):
        if isinstance(kind, cls):
            return name
    return "other"


def key_column(model: Any, name: str) -> Any:
    """Return the normalised twin of a text column (``nom_recherche`` for ``nom``), or None."""
    if name.endswith(KEY_SUFFIX):
        return getattr(model, name, None)
    return getattr(model, name + KEY_SUFFIX, None)


def starts_with(model: Any, name: str, typed: str) -> ColumnElement[bool]:
    """Return «the column starts with what was typed», accents and case ignored where a key allows it."""
    key = key_column(model, name)
    if key is not None:
        return prefix(key, search_key(typed))
    return getattr(model, name).istartswith(typed, autoescape=True)


def parse(kind: str, raw: str) -> Any:
    """Return the value a filter compares with.

    :raises InvalidFilterError: when the text is not such a value.
    """
    text = raw.strip()
    if kind == "boolean":
        if text not in {TRUE, FALSE}:
            raise InvalidFilterError(text)
        return text == TRUE
    try:
        if kind == "number":
            return bounded(int(text))
        if kind in {"day", "instant"}:
            return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidFilterError(text) from error
    return text


def bounded(value: int) -> int:
    """Return the integer when a database can hold it."""
    if not -MAX_ID <= value <= MAX_ID:
        raise InvalidFilterError(str(value))
    return value


def midnight(value: date) -> datetime:
    """Return the instant a day starts in Paris."""
    return datetime(value.year, value.month, value.day, tzinfo=PARIS).astimezone(UTC)


class PreauFilter(BaseFilter):
    """One way to narrow a column; ``word`` is what the chip says between label and value."""

    word: ClassVar[str] = " :"

    def column(self) -> Any:
        return getattr(self.model, self.column_name)

    def kind(self) -> str:
        return column_kind(self.column().property.columns[0])

    def apply(self, query: Any, value: Any) -> Any:
        return query.where(self.clause(parse(self.kind(), str(value))))

    def clause(self, value: Any) -> ColumnElement[bool]:
        raise NotImplementedError


class StartsWith(PreauFilter):
    """A text that starts with what was typed."""

    name = "commence par"
    arg_name = "sw"
    word = " commence par"

    def clause(self, value: Any) -> ColumnElement[bool]:
        return starts_with(self.model, self.column_name, value)


class Equal(PreauFilter):
    """The very value."""

    name = "égal à"
    arg_name = "eq"

    def clause(self, value: Any) -> ColumnElement[bool]:
        if self.kind() == "instant":
            start = midnight(value)
            return (self.column() >= start) & (self.column() < start + timedelta(days=1))
        clause: ColumnElement[bool] = self.column() == value
        return clause


class From(PreauFilter):
    """A day or an instant, that day included, and later."""

    name = "à partir de"
    arg_name = "gt"
    word = " à partir du"

    def clause(self, value: Any) -> ColumnElement[bool]:
        clause: ColumnElement[bool] = self.column() >= (
            midnight(value) if self.kind() == "instant" else value
        )
        return clause


class UpTo(PreauFilter):
    """A day or an instant, that day included, and earlier."""

    name = "jusqu’à"
    arg_name = "lt"
    word = " jusqu’au"

    def clause(self, value: Any) -> ColumnElement[bool]:
        if self.kind() == "instant":
            end: ColumnElement[bool] = self.column() < midnight(value) + timedelta(days=1)
            return end
        clause: ColumnElement[bool] = self.column() <= value
        return clause


class Related(FilterRelation):
    """The row points to one row of another table, by its number."""

    name = "est"
    arg_name = "rel_o_m"
    word: ClassVar[str] = " :"

    def apply(self, query: Any, value: Any) -> Any:
        relation = self.model.__mapper__.relationships[self.column_name]
        local = next(iter(relation.local_columns))
        return query.where(local == parse("number", str(value)))


class PreauFilterConverter(BaseFilterConverter):
    """Which filters a column offers; the first one is the default."""

    def convert(self, col_name: str) -> list[BaseFilter] | None:
        model = self.datamodel.obj
        if col_name in model.__mapper__.relationships:
            many_to_one = model.__mapper__.relationships[col_name].direction.name == "MANYTOONE"
            return [Related(col_name, self.datamodel)] if many_to_one else None
        if col_name not in model.__mapper__.columns:
            return None
        kind = column_kind(model.__mapper__.columns[col_name])
        classes: tuple[type[PreauFilter], ...] = {
            "text": (StartsWith, Equal),
            "number": (Equal, From, UpTo),
            "boolean": (Equal,),
            "day": (From, UpTo, Equal),
            "instant": (From, UpTo, Equal),
        }.get(kind, ())
        return [cls(col_name, self.datamodel) for cls in classes] or None
