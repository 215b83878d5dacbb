"""One row of any table, made from the model: what a new table needs is found, not written down."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, LargeBinary, Table, insert, select

from app.extensions import Base

_numbers = itertools.count(1)
_OVERRIDES: dict[str, dict[str, Any]] = {
    "rattachement": {"profil": "invite"},
    "service_enseigne": {"division_id": "division"},
}
"""Table → values its CHECK constraints ask for and do not list; a table name stands for a row of it."""
_LISTED = re.compile(r"(\w+) IN \((?:'([^']*)'|(\d+))")


def _listed(table: Table) -> dict[str, Any]:
    """Return the first value of each list a CHECK constraint holds a column to."""
    texts = [str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)]
    found = [match for text in texts for match in _LISTED.findall(text)]
    return {column: int(number) if number else word for column, word, number in found}


def add_row(connection: Connection, table: Table, known: dict[str, int], **values: Any) -> Any:
    """Insert one row with what its columns need, and return its primary key when it has one column.

    ``known`` gives a row of some tables; a row is made for the others.
    """
    wanted = {**_listed(table), **_OVERRIDES.get(table.name, {}), **values}
    row = {}
    for column in table.columns:
        if column.name in wanted:
            value = wanted[column.name]
            row[column.name] = _parent(connection, value, known) if value in Base.metadata.tables else value
        elif not column.nullable and not _given(column):
            value = _value(connection, column, known)
            if column.foreign_keys and value in _named(table, row, column):  # two people are two
                value = add_row(connection, next(iter(column.foreign_keys)).column.table, known)[0]
            row[column.name] = value
    return connection.execute(insert(table).values(row)).inserted_primary_key


def _named(table: Table, row: dict[str, Any], column: Column[Any]) -> set[Any]:
    """Return the rows of one table that other columns of this row name already."""
    target = next(iter(column.foreign_keys)).column.table
    return {
        row[other.name]
        for other in table.columns
        if other.name in row and any(key.column.table is target for key in other.foreign_keys)
    }


def _given(column: Column[Any]) -> bool:
    alone = column.primary_key and len(column.table.primary_key.columns) == 1
    made = alone and column.autoincrement is not False and not column.foreign_keys
    return column.default is not None or (
        made and getattr(column.type, "impl", column.type).python_type is int
    )


def _value(connection: Connection, column: Column[Any], known: dict[str, int]) -> Any:
    number = next(_numbers)
    if column.foreign_keys:
        return _parent(connection, next(iter(column.foreign_keys)).column.table.name, known)
    if isinstance(column.type, LargeBinary):
        return b"x"
    match getattr(column.type, "impl", column.type).python_type.__name__:
        case "int":
            return number
        case "bool":
            return False
        case "datetime":
            return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=number)  # begins before it ends
        case "date":
            return date(2026, 1, 2)
        case "dict":
            return {}
        case _:
            return f"x{number}"[: getattr(column.type, "length", None) or 40]


def _parent(connection: Connection, name: str, known: dict[str, int]) -> int:
    if name not in known:
        table = Base.metadata.tables[name]
        found = connection.execute(select(next(iter(table.primary_key.columns))).limit(1)).scalar()
        known[name] = found if found is not None else add_row(connection, table, known)[0]
    return known[name]
