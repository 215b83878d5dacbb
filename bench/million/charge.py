"""Writing the large base: rows straight into the tables, indexes afterwards, and what to keep of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.engine import make_url

from app import create_app
from app.extensions import db
from app.jobs import bilans
from app.security.passwords import hash_password
from app.security.perimetres import TOUT, perimetre
from bench.commun import ROOT, chrono
from bench.million import gens, plan

MOT_DE_PASSE = "mesure de la console du préau"
PAQUET = 100_000
SERIAL = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), (SELECT max(id) FROM {0}))"


def application(folder: Path, base: str) -> Flask:
    """Return the application on a base brought to the newest schema (``base`` empty: SQLite)."""
    app = create_app(demo=True, dossier=folder, base=base)
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        db.engine.dispose()
    return app


def fingerprint(personnes: int) -> str:
    """Return what makes a kept base still the one wanted: its size and the code that draws it."""
    sources = [Path(module.__file__ or "") for module in (plan, gens)] + [Path(__file__)]
    digest = hashlib.sha256(str(personnes).encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def prepare(folder: Path, base: str, personnes: int) -> Flask:
    """Fill a base, or take again the one of the same people a former run kept in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "million.json"
    wanted = {"empreinte": fingerprint(personnes)}
    if note.exists() and json.loads(note.read_text()) == wanted:
        return application(folder, base)
    note.unlink(missing_ok=True)
    _empty(folder, base)
    app = application(folder, base)
    with chrono() as time:
        _fill(folder, base, personnes)
        _figures(app)
    print(f"  {personnes} personnes écrites en {time.secondes:.0f} s", file=sys.stderr, flush=True)
    note.write_text(json.dumps(wanted))
    return app


def _empty(folder: Path, base: str) -> None:
    if not base:
        for path in folder.glob("preau.db*"):
            path.unlink()
        return
    url = make_url(base)
    with psycopg.connect(_dsn(url.set(database="postgres")), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'.encode())
        server.execute(f'CREATE DATABASE "{url.database}"'.encode())


def drop(folder: Path, base: str) -> None:
    """Remove a base nobody keeps."""
    shutil.rmtree(folder, ignore_errors=True)
    if base:
        url = make_url(base)
        with psycopg.connect(_dsn(url.set(database="postgres")), autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'.encode())


def _dsn(url: Any) -> str:
    return str(url.set(drivername="postgresql").render_as_string(hide_password=False))


def _fill(folder: Path, base: str, personnes: int) -> None:
    drawn = plan.draw(personnes)
    rows = chain(plan.rows(drawn), gens.everybody(drawn, hash_password(MOT_DE_PASSE)))
    if base:
        _fill_postgresql(_dsn(make_url(base)), rows)
    else:
        _fill_sqlite(folder / "preau.db", rows)


def _write(rows: Iterable[plan.Row], put: Callable[[str, list[tuple[Any, ...]]], None]) -> None:
    """Hand the rows over by packets of one table."""
    held: dict[str, list[tuple[Any, ...]]] = {name: [] for name in plan.COLUMNS}
    for table, row in rows:
        packet = held[table]
        packet.append(row)
        if len(packet) >= PAQUET:
            put(table, packet)
            packet.clear()
    for table, packet in held.items():
        put(table, packet)


def _fill_sqlite(path: Path, rows: Iterable[plan.Row]) -> None:
    with sqlite3.connect(path, isolation_level=None) as target:
        for setting in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-1500000"):
            target.execute(f"PRAGMA {setting}")
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        indexes = target.execute(query).fetchall()
        target.execute("BEGIN")
        for name, _sql in indexes:
            target.execute(f'DROP INDEX "{name}"')

        def put(table: str, packet: list[tuple[Any, ...]]) -> None:
            marks = ", ".join("?" * len(plan.COLUMNS[table]))
            names = ", ".join(plan.COLUMNS[table])
            target.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", packet)

        _write(rows, put)
        for _name, sql in indexes:
            target.execute(sql)
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert not target.execute("PRAGMA foreign_key_check").fetchall(), "clés étrangères sans ligne"


def _fill_postgresql(dsn: str, rows: Iterable[plan.Row]) -> None:
    with psycopg.connect(dsn) as target:
        target.execute("SET session_replication_role = replica")
        target.execute("SET maintenance_work_mem = '512MB'")
        query = (
            "SELECT schemaname, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT IN (SELECT conindid::regclass::text FROM pg_constraint WHERE conindid <> 0)"
        )
        indexes = target.execute(query).fetchall()
        for _schema, name, _sql in indexes:
            target.execute(f'DROP INDEX "{name}"'.encode())

        def put(table: str, packet: list[tuple[Any, ...]]) -> None:
            names = ", ".join(plan.COLUMNS[table])
            with target.cursor().copy(f"COPY {table} ({names}) FROM STDIN".encode()) as copy:
                copy.write("".join(map(_line, packet)))

        _write(rows, put)
        for _schema, _name, sql in indexes:
            target.execute(sql.encode())
        for table, columns in plan.COLUMNS.items():
            if columns[0] == "id":
                target.execute(SERIAL.format(table).encode())
    with psycopg.connect(dsn, autocommit=True) as target:
        target.execute("VACUUM ANALYZE")


def _line(row: tuple[Any, ...]) -> str:
    return "\t".join("\\N" if value is None else str(value) for value in row) + "\n"


def _figures(app: Flask) -> None:
    """Compute what the application computes ahead, with its own code."""
    with app.app_context(), perimetre(db.session(), TOUT):
        bilans.refresh(db.session())
        db.session().close()
        db.engine.dispose()
