"""Speed and memory of feeds, against bare lxml and a bare bulk insert of the same rows.

Each measure runs in a process of its own, so that its memory is its own; times are wall times of
the same machine in the same run.
Run: ``python -m bench.alimentation [--eleves 100000] [--moteur sqlite|postgresql|tous]``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
from lxml import etree
from sqlalchemy.engine import make_url

SEUIL_VITESSE = 1 / 3
SEUIL_RELECTURE = 3.0
SEUIL_MEMOIRE = 400
PARENTE_MEMOIRE = 1.25
SERVEUR = os.environ.get("PREAU_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
TABLES = (
    "academie", "etablissement", "mef", "matiere", "discipline", "fonction", "division", "division_mef",
    "groupe_enseignement", "groupe_division", "personne", "variante_nom", "identifiant", "rattachement",
    "responsabilite", "eleve_groupe", "option_suivie", "service_enseigne", "professeur_principal",
    "fonction_exercee",
)  # fmt: skip
"""What a feed fills, in the order foreign keys want: the rows the bare insert writes."""


def schools_for(pupils: int) -> int:
    return max(4, pupils // 550)


def generate(folder: Path, pupils: int, day: date) -> dict[str, Any]:
    """Write the export of one day; return what the generator counted."""
    from app.exports.fictif import Options
    from app.exports.fictif import generate as write

    made = write(folder, Options(schools_for(pupils), pupils, 41, jour=day))
    return {"fichiers": [str(path) for path in made.fichiers], "comptes": dict(made.comptes)}


def application(folder: Path, base: str | None) -> Any:
    from flask_migrate import upgrade

    from app import create_app

    app = create_app(demo=True, dossier=folder, **({"base": base} if base else {}))
    with app.app_context():
        upgrade()
    return app


class Enfants(Thread):
    """The peak memory (Kio) of the process that reads the files ahead, watched from beside.

    ``RUSAGE_CHILDREN`` would not do: it counts as the child's the pages of the parent it was born with.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._over = Event()
        self._mine = Path("/proc/self/cmdline").read_bytes()

    def __enter__(self) -> Enfants:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(0.1):
            for task in Path("/proc/self/task").iterdir():
                self._look_at(task)

    def _look_at(self, task: Path) -> None:
        for pid in (task / "children").read_text().split() if task.exists() else ():
            self._weigh(Path("/proc", pid))

    def _weigh(self, process: Path) -> None:
        try:
            if (process / "cmdline").read_bytes() in (b"", self._mine):
                return  # not yet the program it is to become, or over
            lines = (process / "status").read_text().splitlines()
        except OSError:
            return
        highest = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
        self.peak = max(self.peak, *highest, 0)


def feed(folder: Path, base: str | None, paths: list[str], *, apply: bool) -> dict[str, Any]:
    """Feed a base end to end; return the time, the peak memory and what it holds."""
    from sqlalchemy import text

    from app.extensions import db
    from app.jobs import alimentation
    from app.security.perimetres import TOUT, perimetre

    app = application(folder, base)
    with app.app_context():
        session = db.session()
        with perimetre(session, TOUT), Enfants() as children:
            start = time.perf_counter()
            made = alimentation.read_and_compare(session, [Path(path) for path in paths], acteur="Mesure")
            if apply:
                refused = alimentation.apply(session, made, acteur="Mesure")
                assert not refused, refused
            spent = time.perf_counter() - start
            held = {
                name: session.connection().execute(text(f"SELECT COUNT(*) FROM {name}")).scalar()
                for name in TABLES
            }
            pupils = session.connection().execute(
                text("SELECT COUNT(*) FROM rattachement WHERE profil = 'eleve' AND fin IS NULL")
            )
            held["eleves"] = pupils.scalar()
        comptes = made.comptes
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + children.peak) / 1024
    return {"temps": spent, "memoire": peak, "tenu": held, "comptes": comptes}


def bare_parse(paths: list[str]) -> int:
    """Parse with lxml and take every value out, no more."""
    read = 0
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as stream:
                    for _event, element in etree.iterparse(
                        stream, tag="addRequest", load_dtd=False, no_network=True, resolve_entities=False
                    ):
                        _values = {
                            attr.get("name"): [value.text for value in attr]
                            for attr in element.find("attributes")
                        }
                        read += 1
                        element.clear()
                        while element.getprevious() is not None:
                            del element.getparent()[0]
    return read


def bare(folder: Path, base: str | None, paths: list[str], filled: str) -> dict[str, Any]:
    """Parse, then insert the same final rows into an empty base: the machine's own speed."""
    application(folder, base)
    rows = _rows(filled, base)
    start = time.perf_counter()
    read = bare_parse(paths)
    parsed = time.perf_counter() - start
    start = time.perf_counter()
    if base:
        _copy(base, rows)
    else:
        _executemany(folder / "preau.db", rows)
    return {"analyse": parsed, "ecriture": time.perf_counter() - start, "fiches": read}


def _rows(filled: str, base: str | None) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    if base:
        with psycopg.connect(make_url(filled).set(drivername="postgresql").render_as_string(False)) as source:
            return {name: _table(source.execute(f"SELECT * FROM {name} ORDER BY 1")) for name in TABLES}
    with sqlite3.connect(filled) as local:
        return {name: _table(local.execute(f"SELECT * FROM {name} ORDER BY 1")) for name in TABLES}


def _table(cursor: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    return [column[0] for column in cursor.description], cursor.fetchall()


def _executemany(path: Path, rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> None:
    with sqlite3.connect(path) as target:
        target.execute("PRAGMA journal_mode=WAL")
        target.execute("PRAGMA synchronous=NORMAL")
        target.execute("PRAGMA foreign_keys=ON")
        for name, (columns, values) in rows.items():
            marks = ", ".join("?" * len(columns))
            target.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", values)


def _copy(base: str, rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> None:
    with psycopg.connect(make_url(base).set(drivername="postgresql").render_as_string(False)) as target:
        for name, (columns, values) in rows.items():
            statement = f"COPY {name} ({', '.join(columns)}) FROM STDIN"
            with target.cursor().copy(statement.encode()) as copy:
                for row in values:
                    copy.write_row(row)


def alone(step: str, *arguments: Any) -> dict[str, Any]:
    """Run one step in a process of its own, so that memory is its own."""
    command = [sys.executable, "-m", "bench.alimentation", "--etape", step, json.dumps(arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def do_step(step: str, arguments: list[Any]) -> dict[str, Any]:
    if step == "generer":
        return generate(Path(arguments[0]), arguments[1], date.fromisoformat(arguments[2]))
    if step == "alimenter":
        return feed(Path(arguments[0]), arguments[1], arguments[2], apply=True)
    return bare(Path(arguments[0]), arguments[1], arguments[2], arguments[3])


class Mesures:
    """The goals, met or missed, as they are printed."""

    def __init__(self) -> None:
        self.missed = False

    def goal(self, sentence: str, value: float, least: float, *, most: bool = False) -> None:
        met = value <= least if most else value >= least
        self.missed |= not met
        sign = "≤" if most else "≥"
        print(f"{'✓' if met else '✗'} {sentence} : {value:.2f} (but : {sign} {least:.2f})", flush=True)


def databases(engine: str, name: str) -> str | None:
    """Return the address of a new, empty database, or None for SQLite."""
    if engine == "sqlite":
        return None
    url = make_url(SERVEUR)
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(False), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())
        server.execute(f'CREATE DATABASE "{name}"'.encode())
    return url.set(database=name).render_as_string(hide_password=False)


def drop(base: str | None) -> None:
    if base:
        url = make_url(SERVEUR)
        with psycopg.connect(
            url.set(drivername="postgresql").render_as_string(False), autocommit=True
        ) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{make_url(base).database}" WITH (FORCE)'.encode())


def measure(engine: str, folder: Path, first: dict[str, Any], later: dict[str, Any], goals: Mesures) -> float:
    """Measure one engine; return the peak memory of the first feed."""
    base = databases(engine, f"preau_mesure_{os.getpid()}")
    empty = databases(engine, f"preau_temoin_{os.getpid()}")
    try:
        home = folder / engine
        made = alone("alimenter", str(home), base, first["fichiers"])
        again = alone("alimenter", str(home), base, later["fichiers"])
        filled = base or str(home / "preau.db")
        witness = alone("temoin", str(folder / f"{engine}-temoin"), empty, first["fichiers"], filled)
    finally:
        drop(base)
        drop(empty)
    people = made["tenu"]["personne"]
    floor = witness["analyse"] + witness["ecriture"]
    rate = people / made["temps"]
    print(
        f"  {engine} : {people} personnes en {made['temps']:.1f} s ({rate:.0f}/s) ; lxml seul"
        f" {witness['analyse']:.1f} s + écriture seule {witness['ecriture']:.1f} s"
        f" ({people / floor:.0f}/s) ; relecture {again['temps']:.1f} s"
    )
    goals.goal(
        f"{engine} : vitesse, part de celle de lxml + écriture nue", floor / made["temps"], SEUIL_VITESSE
    )
    goals.goal(f"{engine} : relecture sans changement, fois la première", made["temps"] / again["temps"],
               SEUIL_RELECTURE)  # fmt: skip
    goals.goal(f"{engine} : mémoire la plus haute (Mio)", made["memoire"], SEUIL_MEMOIRE, most=True)
    check(made, again, first, goals)
    return float(made["memoire"])


def check(made: dict[str, Any], again: dict[str, Any], first: dict[str, Any], goals: Mesures) -> None:
    """The base holds what was generated, and the second run changed nothing."""
    written = first["comptes"]["eleves"]
    goals.goal("élèves en base, part de ceux générés", made["tenu"]["eleves"] / written, 1.0)
    changed = sum(
        counts[name]
        for counts in again["comptes"].values()
        for name in ("crees", "modifies", "departs", "retours")
    )
    goals.goal("changements trouvés par la relecture", changed, 0, most=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--eleves", type=int, default=100_000)
    parser.add_argument("--moteur", choices=["sqlite", "postgresql", "tous"], default="tous")
    parser.add_argument("--etape", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.etape:
        print(json.dumps(do_step(options.etape[0], json.loads(options.etape[1]))))
        return 0
    goals = Mesures()
    day = date(2026, 11, 16)
    folder = Path(tempfile.mkdtemp(prefix="preau-mesure-"))
    try:
        peaks = {}
        for pupils in dict.fromkeys((max(options.eleves // 10, 1), options.eleves)):
            first = alone("generer", str(folder / f"{pupils}-a"), pupils, day.isoformat())
            if pupils != options.eleves:
                made = alone("alimenter", str(folder / f"petit-{pupils}"), None, first["fichiers"])
                peaks[pupils] = made["memoire"]
                continue
            later = alone(
                "generer", str(folder / f"{pupils}-b"), pupils, (day + timedelta(days=1)).isoformat()
            )
            engines = ["sqlite", "postgresql"] if options.moteur == "tous" else [options.moteur]
            for engine in engines:
                peak = measure(engine, folder, first, later, goals)
                peaks.setdefault(pupils, peak)
        if len(peaks) > 1:
            small, large = peaks.values()
            goals.goal("mémoire, dix fois plus d’élèves", large / small, PARENTE_MEMOIRE, most=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if goals.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
