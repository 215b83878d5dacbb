"""Which columns of which tables point at a person, an account or any other row, read off the model.

Whatever moves, empties or exports a person walks this list: a table added tomorrow is in it as soon
as it declares its foreign key. The few columns that keep a number without one are named here.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Column, Table

from app.extensions import Base

UNDECLARED: dict[str, tuple[tuple[str, str], ...]] = {
    "personne": (("ecart", "personne_id"), ("citation_responsable", "eleve_id")),
    "ab_user": (("journal", "compte_id"),),
}
"""Table → columns that hold its ids without a foreign key: working rows of feeds, and the journal."""


@cache
def references_to(name: str) -> tuple[Column[int], ...]:
    """Return the columns with a foreign key to the primary key of a table, by table and name."""
    return tuple(
        column
        for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name)
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == name and key.column.primary_key
    )


@cache
def owned_by(name: str) -> frozenset[str]:
    """Return the tables that reference a table, directly or through others."""
    found: set[str] = set()
    todo = [name]
    while todo:
        for column in references_to(todo.pop()):
            if column.table.name not in found:
                found.add(column.table.name)
                todo.append(column.table.name)
    return frozenset(found)


def primary_key(table: Table) -> Column[int] | None:
    """Return the one column of a primary key, None when it is made of several."""
    columns = list(table.primary_key.columns)
    return columns[0] if len(columns) == 1 else None
