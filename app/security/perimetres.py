"""The perimeter wall: every SELECT of the session is limited to the actor's rows (A1, rule 5).

A perimeter is stated on the session (``session.info``): by the request for its actor, by jobs
and the command line with ``with perimetre(session, TOUT):``. A query that touches a walled table
without any perimeter raises: forgetting fails closed. What is walled and how stands in
``app.security.mur``.

The one way round is the execution option ``hors_perimetre=True``, for an operation that must
read what its actor may not (the last line of a journal chain, a login already taken).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Join, Select, TextClause, event, inspect, select
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session
from sqlalchemy.sql import visitors
from sqlalchemy.sql.schema import Table
from sqlalchemy.sql.selectable import AliasedReturnsRows, FromClause

from app.database import derived
from app.errors import NotFoundError, PerimetreAbsentError
from app.models import Etablissement
from app.security.mur import RIEN, TOUT, Perimetre, criteria, row_clause, walled_tables

__all__ = ["RIEN", "TOUT", "Perimetre", "perimetre", "set_perimetre"]

KEY = "perimetre"
OPTION = "hors_perimetre"


def set_perimetre(session: Session, value: Perimetre) -> None:
    """State the perimeter of the session from here on; what was loaded before is forgotten."""
    if session.info.get(KEY) != value:
        session.info[KEY] = value
        session.expire_all()


@contextmanager
def perimetre(session: Session, value: Perimetre) -> Iterator[None]:
    """State the perimeter of a block. What a wider block loaded is checked again afterwards."""
    before = session.info.get(KEY)
    known = set(session.identity_map.keys())
    session.info[KEY] = value
    try:
        yield
        if before not in {None, value} and not before.tout:
            session.flush()
    finally:
        if before is None:
            session.info.pop(KEY, None)
        else:
            session.info[KEY] = before
            if not before.tout and before != value:
                # held while they are expired: one may be all that keeps another in the session
                loaded = [session.identity_map.get(key) for key in set(session.identity_map.keys()) - known]
                for row in loaded:
                    if row is not None:
                        session.expire(row)


@event.listens_for(Session, "do_orm_execute")
def _wall(state: ORMExecuteState) -> None:
    """Limit the statement to the rows of the session's perimeter, or refuse it."""
    if state.execution_options.get(OPTION) or state.is_insert:
        return
    actor: Perimetre | None = state.session.info.get(KEY)
    if actor is not None and actor.tout:
        state.statement = _with_criteria(state.statement, ())
        return
    if actor is None or not state.is_orm_statement:
        touched = _walled_in(state.statement)
        if touched and actor is None:
            raise PerimetreAbsentError(f"no perimeter stated for {', '.join(sorted(touched))}")
        if touched:
            raise PerimetreAbsentError(
                f"{', '.join(sorted(touched))} read outside the ORM: the wall cannot limit it"
            )
        return
    state.statement = _limited(state.statement, actor)
    if state.is_column_load and state.bind_mapper is not None:
        # SQLAlchemy leaves loader criteria out when it refreshes one object
        clause = row_clause(actor, state.bind_mapper.local_table)
        state.statement = state.statement if clause is None else cast(Any, state.statement).where(clause)


def _limited(statement: Any, actor: Perimetre) -> Any:
    """Return the statement limited to a perimeter; the same for the same two, so worked out once."""

    def limit() -> Any:
        return _limit_nested(_with_criteria(statement, _wanted(statement, criteria(actor))), actor)

    return derived(statement, actor, limit)


def _wanted(statement: Any, every: dict[str, Any]) -> tuple[Any, ...]:
    """Return the criteria a statement needs: of the tables it names when it reads columns alone.

    Anything that loads an object takes all of them, since what hangs on the object may be loaded
    along; so does what is not a plain SELECT.
    """
    columns = isinstance(statement, Select) and not any(
        isinstance(clause, FromClause) for clause in statement._raw_columns
    )
    if not columns or statement._with_options:
        return tuple(every.values())
    named = _named_tables(statement)
    return tuple(criterion for table, criterion in every.items() if table in named)


def _named_tables(statement: Any) -> set[str]:
    """Return the tables a statement reads from, as such or under another name, however deep."""
    found: set[str] = set()
    for element in visitors.iterate(statement):
        sources = element.get_final_froms() if isinstance(element, Select) else [element]
        for source in [*sources, getattr(element, "table", None)]:
            for leaf in _leaves(source):
                base = leaf.element if isinstance(leaf, AliasedReturnsRows) else leaf
                if isinstance(base, Table):
                    found.add(base.name)
    return found


def _limit_nested(statement: Any, actor: Perimetre) -> Any:
    """Limit the SELECTs inside the WHERE clause (``any()``, ``has()``, ``exists()``).

    SQLAlchemy applies loader criteria to entities that are loaded or joined, not to these.
    """
    where = getattr(statement, "_where_criteria", ())
    if not any(isinstance(element, Select) for clause in where for element in visitors.iterate(clause)):
        return statement

    def limit(element: Any) -> None:
        tables = [table for source in element.get_final_froms() for table in _leaves(source)]
        clauses = [row_clause(actor, table) for table in tables]
        element._where_criteria += tuple(clause for clause in clauses if clause is not None)

    limited = statement._generate()
    limited._where_criteria = tuple(
        visitors.cloned_traverse(clause, {}, {"select": limit}) for clause in where
    )
    return limited


def _leaves(source: Any) -> Iterator[Any]:
    if isinstance(source, Join):
        yield from _leaves(source.left)
        yield from _leaves(source.right)
    else:
        yield source


def _with_criteria(statement: Any, wanted: tuple[Any, ...]) -> Any:
    """Put the criteria of now in place of those an object carries from when it was loaded."""
    options = getattr(statement, "_with_options", ())
    kept = tuple(option for option in options if not isinstance(option, LoaderCriteriaOption))
    if not wanted and len(kept) == len(options):
        return statement
    limited = statement._generate()
    limited._with_options = kept + wanted
    return limited


def _walled_in(statement: Any) -> frozenset[str]:
    """Return the walled tables a statement names, wherever they stand in it."""
    names = walled_tables()
    if isinstance(statement, TextClause):
        return names & set(re.findall(r"\w+", statement.text.lower()))
    found = {element.name for element in visitors.iterate(statement) if isinstance(element, Table)}
    for clause in getattr(statement, "_raw_columns", ()):
        table = getattr(clause, "local_table", None) if inspect(clause, raiseerr=False) is not None else None
        if isinstance(table, Table):
            found.add(table.name)
    return names & found


@event.listens_for(Session, "before_flush")
def _refuse_foreign_rows(session: Session, _context: Any, _instances: Any) -> None:
    """Refuse to write a row into a school the actor does not hold (forged foreign keys)."""
    actor: Perimetre | None = session.info.get(KEY)
    if actor is None or actor.tout:
        return
    for instance in [*session.new, *session.dirty]:
        if isinstance(instance, Etablissement) and _moved_out(instance, actor):
            raise NotFoundError("Cette académie n’est pas dans votre périmètre.", field="academie")
    schools = {
        instance.etablissement_id
        for instance in [*session.new, *session.dirty]
        if type(instance).__tablename__ in walled_tables(written=True)
        and instance.etablissement_id is not None
    } - actor.etablissements
    if not schools:
        return
    with session.no_autoflush:
        found = set(session.scalars(select(Etablissement.id).where(Etablissement.id.in_(sorted(schools)))))
    if schools - found:
        raise NotFoundError("Cet établissement n’existe pas ou n’est pas dans votre périmètre.")


def _moved_out(school: Etablissement, actor: Perimetre) -> bool:
    """Tell whether a new or changed school names an académie its author does not hold."""
    history = inspect(school).attrs.academie_id.history
    if not (history.added or inspect(school).pending):
        return False
    academie = school.academie_id or (school.academie.id if school.academie is not None else None)
    return academie not in actor.academies
