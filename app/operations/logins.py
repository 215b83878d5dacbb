"""Logins ``prenom.nom``: unique on the platform, homonyms numbered, never changed once given (I5)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, lock, rows_of
from app.models import RacineLogin
from app.queries.noms import login_root

PREMIER_HOMONYME = 2


def allocate(session: Session, people: Sequence[tuple[str, str]]) -> list[str]:
    """Reserve one login per (first name, last name), in order, and return them.

    The first bearer of a name takes ``prenom.nom``, the next ``prenom.nom2``, then ``3``…;
    one already in use (typed by hand, or an account's) is passed over. Other transactions that
    allocate wait until this one ends.
    """
    if not people:
        return []
    lock(session, "racine_login")
    roots = [login_root(prenom, nom) for prenom, nom in people]
    last: dict[str, int] = {
        row[0]: row[1]
        for row in rows_of(
            session,
            "SELECT racine, dernier FROM racine_login WHERE racine IN :racines",
            racines=sorted(set(roots)),
        )
    }
    known = set(last)
    given: dict[int, str] = {}
    taken: set[str] = set()
    pending = list(range(len(people)))
    while pending:
        proposed: dict[int, str] = {}
        for index in pending:
            root = roots[index]
            last[root] = number = last.get(root, 0) + 1
            proposed[index] = root if number < PREMIER_HOMONYME else f"{root}{number}"
        used = _in_use(session, sorted(proposed.values()))
        pending = []
        for index, login in proposed.items():
            if login in used or login in taken:
                pending.append(index)
            else:
                taken.add(login)
                given[index] = login
    _remember(session, last, known)
    return [given[index] for index in range(len(people))]


def _in_use(session: Session, logins: list[str]) -> set[str]:
    rows = rows_of(
        session,
        "SELECT login FROM personne WHERE login IN :logins"
        " UNION ALL SELECT lower(username) FROM ab_user WHERE lower(username) IN :logins",
        logins=logins,
    )
    return {row[0] for row in rows}


def _remember(session: Session, last: dict[str, int], known: set[str]) -> None:
    """Write the last number given on each root."""
    table = RacineLogin.metadata.tables[RacineLogin.__tablename__]
    new = sorted((root, number) for root, number in last.items() if root not in known)
    bulk_insert(session, table, ("racine", "dernier"), new)
    bulk_update(session, table, "racine", ("dernier",), [(last[root], root) for root in sorted(known)])
