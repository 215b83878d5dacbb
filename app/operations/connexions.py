"""Failed logins counted per key, and when the next attempt may come (L1).

An attempt is counted before the password is looked at, in one atomic statement per key: twenty
threads at once get no more tries than one. A success takes its attempt back.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from app.extensions import Base, now
from app.models import AssertionRecue, Compte, EssaiConnexion, Personne, VerrouPersonne
from app.operations.saisies import TITULAIRE
from app.operations.sessions import parti

DERIVE = timedelta(hours=1)
"""How late clocks may run: an assertion is remembered that long after its end."""
SHARED = 20
"""Accounts looked at for one address."""


@dataclass(frozen=True)
class Frein:
    """One counter: how many failures are free, how far the delay grows, when it is forgotten."""

    cle: str
    libres: int
    plafond: timedelta
    oubli: timedelta

    def delay(self, echecs: int) -> timedelta:
        """Return how long to wait after so many failures: 1 s, 2 s, 4 s… up to the cap."""
        extra = echecs - self.libres
        if extra <= 0:
            return timedelta(0)
        return min(self.plafond, timedelta(seconds=2 ** min(extra - 1, 20)))


def attempt(session: Session, freins: Sequence[Frein]) -> timedelta:
    """Count one attempt under every key and return zero, or count nothing and return the wait."""
    instant = now()
    ordered = sorted(freins, key=lambda frein: frein.cle)  # one order for all: no deadlock
    nested = session.begin_nested()
    counted = [(frein, *_count(session, frein, instant)) for frein in ordered]
    wait = max((prochain_le - instant for _, _, prochain_le in counted), default=timedelta(0))
    if wait > timedelta(0):
        nested.rollback()
        return wait
    for frein, echecs, _ in counted:
        session.execute(
            update(EssaiConnexion)
            .where(EssaiConnexion.cle == frein.cle)
            .values(prochain_le=instant + frein.delay(echecs))
        )
    return timedelta(0)


def succeed(session: Session, *, effacer: Sequence[str], rendre: Sequence[str]) -> None:
    """Forget the failures of some keys; take back one attempt of others."""
    session.execute(delete(EssaiConnexion).where(EssaiConnexion.cle.in_(effacer)))
    fewer = case((EssaiConnexion.echecs > 0, EssaiConnexion.echecs - 1), else_=0)
    for cle in sorted(rendre):
        session.execute(
            update(EssaiConnexion)
            .where(EssaiConnexion.cle == cle)
            .values(echecs=fewer, prochain_le=EssaiConnexion.modifie_le)
        )


def find_account(session: Session, login: str) -> Compte | None:
    """Return the account of a login or an e-mail address, whatever its case; deleted ones are unknown,
    and those of people who left.

    An address several accounts share opens none of them: their holders type the login. Whoever wrote
    somebody else's address on their own sheet does not count.
    """
    wanted = login.strip().lower()[:320]
    if not wanted or "\0" in wanted:
        return None
    found = session.scalars(
        select(Compte)
        .where(
            or_(
                func.lower(Compte.username) == wanted,
                func.lower(Compte.email) == wanted,
                Compte.personne_id.in_(people_of(wanted, login)),
            )
        )
        .where(Compte.supprime_le.is_(None))
        .order_by((func.lower(Compte.username) == wanted).desc())
        .limit(SHARED)
        .options(joinedload(Compte.personne))
    ).all()
    if len(found) > 1:
        by_login = str(found[0].username).lower() == wanted
        found = found[:1] if by_login else _given(session, found)
    return None if len(found) != 1 or parti(found[0]) else found[0]


def _given(session: Session, accounts: Sequence[Compte]) -> list[Compte]:
    """Return those of these accounts whose holder did not type the address themselves."""
    people = [account.personne_id for account in accounts]
    typed = set(
        session.scalars(
            select(VerrouPersonne.personne_id).where(
                VerrouPersonne.personne_id.in_(people),
                VerrouPersonne.champ == "email",
                VerrouPersonne.par == TITULAIRE,
            )
        )
    )
    return [account for account in accounts if account.personne_id not in typed]


def people_of(*addresses: str) -> Select[tuple[int]]:
    """Return who reads their mail at one of these, written as their sheets write it (an index answers)."""
    return select(Personne.id).where(Personne.email.in_({address.strip() for address in addresses}))


def consume_assertion(session: Session, cle: str, *, expire_le: datetime) -> bool:
    """Note that an assertion served; tell whether it was the first time. Ended ones are forgotten."""
    forgotten = now() - DERIVE
    session.execute(delete(AssertionRecue).where(AssertionRecue.expire_le < forgotten))
    digest = hashlib.sha256(cle.encode()).hexdigest()
    written = session.execute(
        _insert(session, AssertionRecue)
        .values(cle=digest, expire_le=expire_le)
        .on_conflict_do_nothing()
        .returning(AssertionRecue.cle)
    )
    return written.first() is not None


def note_login(session: Session, compte_id: int) -> None:
    """Count a login on the account and date it: what «Comptes» shows. The column has no time zone: UTC."""
    session.execute(
        update(Compte)
        .where(Compte.id == compte_id)
        .values(last_login=now().replace(tzinfo=None), login_count=func.coalesce(Compte.login_count, 0) + 1),
        execution_options={"synchronize_session": False},
    )


def wait_text(wait: timedelta) -> str:
    """Write a waiting time: «8 secondes», «2 minutes»."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    if seconds < 60:
        return f"{seconds}\u00a0seconde{'s' if seconds > 1 else ''}"
    minutes = math.ceil(seconds / 60)
    return f"{minutes}\u00a0minute{'s' if minutes > 1 else ''}"


def _count(session: Session, frein: Frein, instant: datetime) -> tuple[int, datetime]:
    """Add one to a key (start again at one when it is old); return the count and the date before."""
    insert = _insert(session, EssaiConnexion)
    old = EssaiConnexion.modifie_le < instant - frein.oubli
    statement = (
        insert.values(cle=frein.cle, echecs=1, prochain_le=instant, modifie_le=instant)
        .on_conflict_do_update(
            index_elements=[EssaiConnexion.cle],
            set_={
                "echecs": case((old, 1), else_=EssaiConnexion.echecs + 1),
                "prochain_le": case((old, insert.excluded.prochain_le), else_=EssaiConnexion.prochain_le),
                "modifie_le": insert.excluded.modifie_le,
            },
        )
        .returning(EssaiConnexion.echecs, EssaiConnexion.prochain_le)
    )
    row = session.execute(statement).one()
    return row.echecs, row.prochain_le


def _insert(session: Session, entity: type[Base]) -> Any:
    """Return the engine's own INSERT, which knows ``ON CONFLICT``."""
    return (sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert)(entity)
