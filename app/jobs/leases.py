"""Leases on tasks: taken by a conditional UPDATE, renewed while the process lives, found when lapsed."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import secrets
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.extensions import now
from app.jobs.context import LEASE, TABLE
from app.models import Battement

MAX_TRIES = 3
EXHAUSTED = (
    "Le travail s’est interrompu à plusieurs reprises. Relancez-le ; s’il échoue encore, "
    "transmettez cette page à l’assistance."
)


@functools.cache
def machine() -> str:
    """Name this machine and its process numbering, so that a process id means something."""
    sources = (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid"))
    parts = [platform.node()]
    parts += [
        str(path.readlink()) if path.is_symlink() else path.read_text() for path in sources if path.exists()
    ]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def worker_name() -> str:
    """Name this process."""
    return f"{machine()}-{os.getpid()}"


def claim(session: Session, tache_id: int) -> str | None:
    """Take the task if it is free; return the lease, or ``None`` when somebody else has it. Commits."""
    lease = f"{worker_name()}-{secrets.token_hex(4)}"
    taken = session.connection().execute(
        update(TABLE)
        .where(TABLE.c.id == tache_id, _free())
        .values(
            etat="cours",
            bail=lease,
            bail_jusqua=now() + LEASE,
            essais=TABLE.c.essais + 1,
            debut_le=func.coalesce(TABLE.c.debut_le, now()),
        )
    )
    session.commit()
    return lease if taken.rowcount else None


def renew(session: Session, leases: Collection[str]) -> None:
    """Extend the leases this process holds, and tell it is alive. Commits."""
    moment = now()
    connection = session.connection()
    table = Battement.metadata.tables[Battement.__tablename__]
    mine = table.c.travailleur == worker_name()
    if not connection.execute(update(table).where(mine).values(vu_le=moment)).rowcount:
        connection.execute(table.insert().values(travailleur=worker_name(), depuis=moment, vu_le=moment))
        connection.execute(delete(table).where(table.c.vu_le < moment - LEASE * 30))
    if leases:
        connection.execute(
            update(TABLE).where(TABLE.c.bail.in_(list(leases))).values(bail_jusqua=moment + LEASE)
        )
    session.commit()


def leave(session: Session) -> None:
    """Withdraw the sign of life of this process, which is stopping. Commits."""
    table = Battement.metadata.tables[Battement.__tablename__]
    session.connection().execute(delete(table).where(table.c.travailleur == worker_name()))
    session.commit()


def release_dead(session: Session) -> None:
    """Let lapse the leases of processes of this machine that are no more, and give up on hopeless tasks.

    Commits.
    """
    connection = session.connection()
    held = connection.execute(select(TABLE.c.bail).where(TABLE.c.etat == "cours")).scalars().all()
    dead = [lease for lease in held if lease and _is_dead(lease)]
    if dead:
        connection.execute(update(TABLE).where(TABLE.c.bail.in_(dead)).values(bail_jusqua=now()))
    connection.execute(
        update(TABLE)
        .where(TABLE.c.etat == "cours", TABLE.c.bail_jusqua <= now(), TABLE.c.essais >= MAX_TRIES)
        .values(etat="echec", message=EXHAUSTED, bail=None, bail_jusqua=None, fin_le=now())
    )
    session.commit()


def free_ids(session: Session, limit: int = 500) -> list[int]:
    """Return the tasks that wait for a worker, oldest first."""
    rows = session.connection().execute(select(TABLE.c.id).where(_free()).order_by(TABLE.c.id).limit(limit))
    return list(rows.scalars())


def _free() -> ColumnElement[bool]:
    due = or_(TABLE.c.bail_jusqua.is_(None), TABLE.c.bail_jusqua <= now())
    return or_(
        and_(TABLE.c.etat == "attente", due),
        and_(TABLE.c.etat == "cours", TABLE.c.bail_jusqua <= now(), TABLE.c.essais < MAX_TRIES),
    )


def _is_dead(lease: str) -> bool:
    host, pid, _ = lease.split("-")
    if host != machine():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
