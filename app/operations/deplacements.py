"""Moving every row of one person to another, found by foreign keys, each move written down.

A row that the other already has in its own way (same school and profile, same child…) is absorbed:
what hangs on it moves to its twin, then it goes. Replayed backwards, the moves give everything back.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    LargeBinary,
    Table,
    UniqueConstraint,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.extensions import Base
from app.queries.references import UNDECLARED, primary_key, references_to

Row = dict[str, Any]
APART = frozenset({"ab_user", "doublon", "fusion", "verrou_personne"})
"""Tables the merge deals with itself."""
OUVERT = "fin"
"""Column that is empty while a row holds: an open place says more than a closed one."""


class Deplacements:
    """Changes rows one by one and remembers how each was."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.gestes: list[dict[str, Any]] = []

    def all_rows(self, name: str, old: int, new: int) -> None:
        """Move what references ``old`` to ``new``."""
        for column in _columns(name):
            if column.table.name in APART:
                continue
            for row in self.rows(column.table, column == old):
                self._move(column.table, column, row, new)

    def rows(self, table: Table, where: Any) -> list[Row]:
        """Return rows of a table, by primary key."""
        read = select(table).where(where).order_by(*table.primary_key.columns)
        return [dict(row) for row in self.session.connection().execute(read).mappings()]

    def change(self, table: Table, row: Row, values: Mapping[str, Any]) -> None:
        """Change columns of a row."""
        changed = {name: value for name, value in values.items() if row[name] != value}
        if not changed:
            return
        self._run(update(table).where(_is(table, row)).values(**changed))
        before = {name: row[name] for name in changed}
        after = {**row, **changed}
        self._note("change", table, {**_key(table, after)}, avant=before, apres=changed)

    def remove(self, table: Table, row: Row) -> None:
        """Remove a row."""
        self._run(delete(table).where(_is(table, row)))
        self._note("retire", table, _key(table, row), avant=row)

    def add(self, table: Table, row: Row) -> None:
        """Add a row."""
        made = self._run(insert(table).values(**row)).inserted_primary_key
        names = [column.name for column in table.primary_key.columns]
        self._note("ajoute", table, dict(zip(names, made, strict=True)))

    def _move(self, table: Table, column: Column[int], row: Row, new: int) -> None:
        twin = self._twin(table, column, row, new)
        if twin is None:
            self.change(table, row, {column.name: new, **self._companions(table, column, new)})
        else:
            self._absorb(table, column, row, twin)

    def _twin(self, table: Table, column: Column[int], row: Row, new: int) -> Row | None:
        """Return the row of ``new`` that stands where this one would."""
        wanted = {**row, column.name: new}
        for columns in _unique_sets(table):
            if column.name in columns and all(wanted[name] is not None for name in columns):
                found = self.rows(table, and_(*[table.c[name] == wanted[name] for name in columns]))
                if found:
                    return found[0]
        if _tells_apart(table):
            return None
        said = {name: value for name, value in wanted.items() if not table.c[name].primary_key}
        found = self.rows(table, and_(*[table.c[name].is_not_distinct_from(v) for name, v in said.items()]))
        return found[0] if found else None

    def _companions(self, table: Table, column: Column[int], new: int) -> Row:
        """Return the columns a foreign key of several columns copies from the row it names."""
        found: Row = {}
        for constraint in table.foreign_key_constraints:
            targets = {key.parent.name: key.column for key in constraint.elements}
            target = targets.pop(column.name, None)
            if target is not None and targets:
                named = self.rows(target.table, target == new)[0]
                found |= {name: named[referred.name] for name, referred in targets.items()}
        return found

    def _absorb(self, table: Table, column: Column[int], row: Row, twin: Row) -> None:
        """Keep what the open one of the two says, or the union when both hold."""
        key = primary_key(table)
        held, holds = row.get(OUVERT) is None, twin.get(OUVERT) is None
        if key is not None and OUVERT in row and held != holds:
            self._drop_children(table.name, (twin if held else row)[key.name])
        if held and not holds and OUVERT in row:
            fixed = {name for columns in _unique_sets(table) for name in columns} | {column.name}
            fixed |= self._companions(table, column, twin[column.name]).keys()
            self.change(table, twin, {n: v for n, v in row.items() if n not in fixed and n != "id"})
        if key is not None:
            self.all_rows(table.name, row[key.name], twin[key.name])
        self.remove(table, row)

    def _drop_children(self, name: str, row_id: int) -> None:
        for column in references_to(name):
            for row in self.rows(column.table, column == row_id):
                key = primary_key(column.table)
                if key is not None:
                    self._drop_children(column.table.name, row[key.name])
                self.remove(column.table, row)

    def _note(self, quoi: str, table: Table, key: Row, **rows: Row) -> None:
        told = {name: {column: packed(value) for column, value in row.items()} for name, row in rows.items()}
        self.gestes.append({"quoi": quoi, "table": table.name, "cle": key, **told})

    def _run(self, statement: Any) -> Any:
        return self.session.connection().execute(statement)


def undo(session: Session, gestes: Sequence[Mapping[str, Any]]) -> bool:
    """Play moves backwards; tell whether each row was found as it had been left."""
    connection = session.connection()
    for geste in reversed(gestes):
        table = Base.metadata.tables[geste["table"]]
        where = _is(table, geste["cle"])
        if geste["quoi"] == "retire":
            if connection.execute(select(*table.primary_key.columns).where(where)).first() is not None:
                return False
            connection.execute(insert(table).values(**_unpacked(table, geste["avant"])))
        elif geste["quoi"] == "ajoute":
            if not connection.execute(delete(table).where(where)).rowcount:
                return False
        else:
            before = _unpacked(table, geste["avant"])
            if not connection.execute(update(table).where(where).values(**before)).rowcount:
                return False
    return True


def packed(value: Any) -> Any:
    """Return a value as JSON keeps it; the type of its column reads it back."""
    match value:
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def _unpacked(table: Table, row: Mapping[str, Any]) -> Row:
    return {name: _read(table.c[name], value) for name, value in row.items()}


def _read(column: Column[Any], value: Any) -> Any:
    if value is None or not isinstance(value, str):
        return value
    kind = getattr(column.type, "impl", column.type).python_type
    if kind is bytes:
        return base64.b64decode(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is Decimal:
        return Decimal(value)
    return date.fromisoformat(value) if kind is date else value


def _columns(name: str) -> Iterator[Column[int]]:
    yield from references_to(name)
    for table, column in UNDECLARED.get(name, ()):
        yield Base.metadata.tables[table].c[column]


def _unique_sets(table: Table) -> list[list[str]]:
    """Return the sets of columns that name one row of a table, its primary key among them."""
    found = [[column.name for column in table.primary_key.columns]]
    keys = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys += [index.columns for index in table.indexes if index.unique]
    return [*found, *([column.name for column in columns] for columns in keys)]


def _tells_apart(table: Table) -> bool:
    """Tell whether two rows that say the same are still two: by a key of theirs, or by what no engine
    compares.
    """
    named = any(len(columns) > 1 or not table.c[columns[0]].primary_key for columns in _unique_sets(table))
    return named or any(isinstance(column.type, JSON | LargeBinary) for column in table.columns)


def _key(table: Table, row: Row) -> Row:
    return {column.name: row[column.name] for column in table.primary_key.columns}


def _is(table: Table, row: Mapping[str, Any]) -> Any:
    return and_(*[column == row[column.name] for column in table.primary_key.columns])
