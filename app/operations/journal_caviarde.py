"""Removing names from the journal without breaking its chains.

A line keeps its act, instant, number and digest; the names and values it held go. One line more, in
the same chain, states the digest of what is left of each: ``journal.verify`` accepts these lines and
no other change. What is kept says that something happened, never about whom.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from app.operations import journal
from app.operations.journal import NOBODY, TABLE

LOT = 500
"""Lines one attestation accounts for."""


def caviarder(
    session: Session, objets: Mapping[str, Sequence[int]], comptes: Sequence[int], noms: Sequence[str] = ()
) -> int:
    """Remove from the journal the names of these objects (type → ids) and of the authors ``comptes``.

    ``noms`` are also taken out of the values of lines about something else. Return how many lines.
    """
    wanted = _about(objets, comptes)
    done: dict[int, dict[str, str]] = defaultdict(dict)
    for row in _rows(session, wanted):
        left = _redacted(row, objets, set(comptes))
        _write(session, row, left)
        done[row["chaine"]][str(row["numero"])] = journal.digest({**row, **left})
    for row, left in _naming(session, sorted({name for name in noms if name})):
        _write(session, row, left)
        done[row["chaine"]][str(row["numero"])] = journal.digest({**row, **left})
    for chaine, lines in sorted(done.items()):
        numbers = sorted(lines, key=int)
        for start in range(0, len(numbers), LOT):
            part = {number: lines[number] for number in numbers[start : start + LOT]}
            journal.write(
                session, acte=journal.CAVIARDER, etablissement_id=chaine or None, apres={"lignes": part}
            )
    return sum(map(len, done.values()))


def _about(objets: Mapping[str, Sequence[int]], comptes: Sequence[int]) -> ColumnElement[bool]:
    clauses = [
        and_(TABLE.c.objet_type == kind, TABLE.c.objet_id.in_(ids)) for kind, ids in objets.items() if ids
    ]
    if comptes:
        clauses.append(TABLE.c.compte_id.in_(comptes))
    return and_(TABLE.c.acte != journal.CAVIARDER, or_(*clauses) if clauses else TABLE.c.id < 0)


def _rows(session: Session, where: ColumnElement[bool]) -> list[Mapping[str, Any]]:
    session.flush()
    found = session.connection().execute(select(TABLE).where(where).order_by(TABLE.c.id)).mappings()
    return [dict(row) for row in found]


def _redacted(
    row: Mapping[str, Any], objets: Mapping[str, Sequence[int]], comptes: set[int]
) -> dict[str, Any]:
    """Return what is left of a line: whose object, whose author, or both, are gone."""
    left: dict[str, Any] = {}
    if row["objet_id"] in objets.get(row["objet_type"], ()):
        left |= {"objet": NOBODY, "avant": _emptied(row["avant"]), "apres": _emptied(row["apres"])}
    if row["compte_id"] in comptes:
        left["acteur"] = NOBODY
    return left


def _emptied(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Keep which fields a line told of, without their values."""
    return None if values is None else dict.fromkeys(values)


def _naming(session: Session, names: Sequence[str]) -> list[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Return the other lines that name somebody in what they tell, with what is left of them.

    Lines about accounts and people are found by their number; feeds count and name nobody.
    """
    if not names:
        return []
    told = and_(
        TABLE.c.objet_type.not_in(("personne", "compte", "alimentation")),
        or_(TABLE.c.apres.is_not(None), TABLE.c.avant.is_not(None), TABLE.c.objet != ""),
        TABLE.c.acte != journal.CAVIARDER,
    )
    whole = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)
    found: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for row in session.connection().execute(select(TABLE).where(told)).mappings():
        left = {name: _without(row[name], whole) for name in ("objet", "avant", "apres")}
        if any(left[name] != row[name] for name in left):
            found.append((dict(row), left))
    return found


def _without(value: Any, names: re.Pattern[str]) -> Any:
    match value:
        case str():
            return NOBODY if names.search(value) else value
        case Mapping():
            return {_without(key, names): _without(item, names) for key, item in value.items()}
        case list():
            return [_without(item, names) for item in value]
        case _:
            return value


def _write(session: Session, row: Mapping[str, Any], left: Mapping[str, Any]) -> None:
    session.connection().execute(update(TABLE).where(TABLE.c.id == row["id"]).values(**left))
