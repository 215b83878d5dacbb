"""Logins ``prenom.nom``: unique on the platform, homonyms numbered, never changed once given (I5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.database import lock, rows_of
from app.queries.noms import login_root

PREMIER_HOMONYME = 2


def allocate(session: Session, people: Sequence[tuple[str, str]]) -> list[str]:
    """Reserve one login per (first name, last name), in order, and return them.

    The first bearer of a name takes ``prenom.nom``, the next ``prenom.nom2``, then ``3``…;
    one already in use (typed by hand, or an account's) is passed over. Other transactions that
    allocate wait until this one ends.
    """
    return allocate_roots(session, [login_root(prenom, nom) for prenom, nom in people])


def allocate_roots(session: Session, roots: Sequence[str]) -> list[str]:
    """Reserve one login per root, in order, as ``allocate`` does."""
    if not roots:
        return []
    lock(session, "racine_login")
    given: dict[int, str] = {}
    taken: set[str] = set()
    pending: list[int] = list(range(len(roots)))
    while pending:
        first = _reserve(session, [roots[index] for index in pending])
        proposed: dict[int, str] = {}
        for index in pending:
            root = roots[index]
            number = first[root]
            first[root] = number + 1
            proposed[index] = root if number < PREMIER_HOMONYME else f"{root}{number}"
        used = _in_use(session, sorted(proposed.values()))
        pending = []
        for index, login in proposed.items():
            if login in used or login in taken:
                pending.append(index)
            else:
                taken.add(login)
                given[index] = login
    return [given[index] for index in range(len(roots))]


def _reserve(session: Session, roots: list[str]) -> dict[str, int]:
    """Take as many numbers as each root is listed; return the first of each."""
    asked = Counter(roots)
    return {
        row[0]: row[1] - asked[row[0]] + 1
        for row in rows_of(
            session,
            "INSERT INTO racine_login (racine, dernier)"
            " SELECT value, COUNT(*) FROM LIST :racines GROUP BY value ORDER BY value"
            " ON CONFLICT (racine) DO UPDATE SET dernier = racine_login.dernier + excluded.dernier"
            " RETURNING racine, dernier",
            racines=roots,
        )
    }


def _in_use(session: Session, logins: list[str]) -> set[str]:
    rows = rows_of(
        session,
        "SELECT login FROM personne WHERE login IN :logins"
        " UNION ALL SELECT lower(username) FROM ab_user WHERE lower(username) IN :logins",
        logins=logins,
    )
    return {row[0] for row in rows}
