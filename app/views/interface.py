"""The bridge between generated views and the session: no commit, capped counts, safe keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_appbuilder.models.filters import Filters
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Select, func, inspect, select
from sqlalchemy.orm import aliased, selectinload

from app.views.filters import MAX_ID, PreauFilterConverter, key_column

COUNT_CAP = 10_000
LONGEST_KEY = 200


class DomainInterface(SQLAInterface):
    """Flask-AppBuilder's interface without its commit: the view owns the transaction."""

    filter_converter_class = PreauFilterConverter

    # -- writing: flush only, constraints answer at once

    def add(self, item: Any, commit: bool = True) -> None:
        self.session.add(item)
        self.session.flush()

    def edit(self, item: Any, commit: bool = True) -> None:
        self.session.flush()

    def delete(self, item: Any, commit: bool = True) -> None:
        self.session.delete(item)
        self.session.flush()

    def delete_all(self, items: Sequence[Any]) -> None:
        for item in items:
            self.session.delete(item)
        self.session.flush()

    # -- reading: plain SELECTs of the session, so the perimeter wall applies to each

    def key(self, raw: Any) -> Any:
        """Return a primary key as its column holds it, or None when no row can have it."""
        column = inspect(self.obj).primary_key[0]
        if column.type.python_type is not int:
            return str(raw)[:LONGEST_KEY]
        text = str(raw)
        if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_ID)):
            return None
        return value if 0 < (value := int(text)) <= MAX_ID else None

    def get(
        self,
        id: Any,  # noqa: A002  (Flask-AppBuilder's name)
        filters: Filters | None = None,
        select_columns: Sequence[str] | None = None,
        *,
        for_update: bool = False,
    ) -> Any:
        """Return one row of the perimeter, or None: absent, foreign or unreadable key alike."""
        key = self.key(id)
        if key is None:
            return None
        statement = self.narrow(select(self.obj).where(inspect(self.obj).primary_key[0] == key), filters)
        if for_update:
            statement = statement.with_for_update(of=self.obj)
        return self.session.scalars(statement.execution_options(populate_existing=for_update)).first()

    def get_many(self, raw_keys: Sequence[str]) -> Sequence[Any]:
        """Return the rows of several keys in one statement."""
        keys = [key for raw in raw_keys if (key := self.key(raw)) is not None]
        column = inspect(self.obj).primary_key[0]
        return self.session.scalars(select(self.obj).where(column.in_(keys))).all()

    def narrow(self, statement: Select[Any], filters: Filters | None) -> Select[Any]:
        """Apply filters to a statement."""
        return filters.apply_all(statement) if filters else statement

    def ordered(self, statement: Select[Any], column: str, *, descending: bool) -> Select[Any]:
        """Order by a column, names by their key, ties by primary key so that pages never overlap."""
        primary = inspect(self.obj).primary_key[0]
        sorts: list[Any] = []
        if column:
            statement, chosen = self._sort_column(statement, column)
            sorts.append(chosen)
        sorts.append(primary)
        return statement.order_by(*[sort.desc() if descending else sort.asc() for sort in sorts])

    def _sort_column(self, statement: Select[Any], column: str) -> tuple[Select[Any], Any]:
        relation, _, leaf = column.rpartition(".")
        model = self.obj
        if relation:
            model = aliased(getattr(self.obj, relation).property.mapper.class_)
            statement = statement.outerjoin(getattr(self.obj, relation).of_type(model))
        key = key_column(model, leaf)
        return statement, key if key is not None else getattr(model, leaf)

    def loads(self, columns: Sequence[str]) -> list[Any]:
        """Return the eager loads of the relations that columns name: one statement each, rows apart."""
        relations = inspect(self.obj).relationships
        roots = dict.fromkeys(name.split(".")[0] for name in columns)
        return [selectinload(getattr(self.obj, root)) for root in roots if root in relations]

    def count(self, statement: Select[Any]) -> int:
        """Count the rows of a statement, up to one more than the cap: further nobody counts."""
        # the mapped attribute, not the table's column: the wall only limits entities
        primary = getattr(self.obj, inspect(self.obj).primary_key[0].key)
        capped = statement.with_only_columns(primary).order_by(None).limit(COUNT_CAP + 1)
        return int(self.session.execute(select(func.count()).select_from(capped.subquery())).scalar_one())

    def query(
        self,
        filters: Filters | None = None,
        order_column: str = "",
        order_direction: str = "",
        page: int | None = None,
        page_size: int | None = None,
        select_columns: Sequence[str] | None = None,
    ) -> tuple[int, Sequence[Any]]:
        """Answer Flask-AppBuilder's own calls with at most one page."""
        size = min(page_size or 100, 100)
        narrowed = self.narrow(select(self.obj), filters)
        ordered = self.ordered(narrowed, order_column, descending=order_direction == "desc")
        rows = self.session.scalars(ordered.offset((page or 0) * size).limit(size)).all()
        return self.count(narrowed), rows
