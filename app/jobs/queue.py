"""The queue of task ids, on huey: a SQLite file by default, Redis or PostgreSQL between machines.

Losing the queue loses nothing: the sweep of the worker puts back every id that waits.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from flask import Flask
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.serializer import SignedSerializer
from redis.exceptions import RedisError

from app.config import Reglages
from app.jobs.runner import run

log = logging.getLogger(__name__)
EXTENSION = "preau.file_taches"
NAME = "preau"
QUEUE_DOWN = (OSError, sqlite3.Error, psycopg.Error, RedisError)


def build(settings: Reglages, secret: str) -> Huey:
    """Open the queue the settings name."""
    options: dict[str, Any] = {"results": False, "serializer": SignedSerializer(secret, salt="preau.taches")}
    address = settings.file_taches
    if address.startswith(("redis://", "rediss://", "unix://")):
        return RedisHuey(NAME, url=address, **options)
    if address.startswith("postgresql"):
        dsn = address.replace("postgresql+psycopg://", "postgresql://", 1)
        return PostgresHuey(NAME, dsn=dsn, **options)
    settings.dossier.mkdir(parents=True, exist_ok=True)
    return SqliteHuey(NAME, filename=str(settings.dossier / "huey.db"), timeout=15, **options)


def queue_of(app: Flask) -> tuple[Huey, Callable[[int], Any]]:
    """Return the queue of the application and the function that puts an id in it."""
    if EXTENSION not in app.extensions:
        queue = build(app.extensions["reglages"], app.config["SECRET_KEY"])

        @queue.task(name="tache")
        def tache(tache_id: int) -> None:
            run(app, tache_id)

        app.extensions[EXTENSION] = (queue, tache)
    pair: tuple[Huey, Callable[[int], Any]] = app.extensions[EXTENSION]
    return pair


def enqueue(app: Flask, ids: Iterable[int]) -> None:
    """Put the ids in the queue. When it cannot be reached the sweep does it later."""
    try:
        _, put = queue_of(app._get_current_object() if hasattr(app, "_get_current_object") else app)
        for id_ in ids:
            put(id_)
    except QUEUE_DOWN:
        log.warning("task queue unreachable, the sweep will catch up", exc_info=True)


def is_empty(app: Flask) -> bool:
    """Tell whether no id waits in the queue."""
    queue, _ = queue_of(app)
    return int(queue.pending_count()) == 0
