"""``flask preau sauvegarder`` and ``restaurer``: the database and the demo's keys in one file, and back.

SQLite is copied by its online backup, so nothing need stop; PostgreSQL by ``pg_dump`` and
``pg_restore``. The file holds personal data and, on a demo, keys: it is readable by its owner only.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path

import click
from flask import current_app
from sqlalchemy.engine import URL

from app.cli import preau
from app.extensions import db, now

FORMAT = "preau-sauvegarde-1"
DATABASE, KEYS, LABEL = "base", "cles.json", "sauvegarde.json"


@preau.command("sauvegarder")
@click.argument("fichier", type=click.Path(path_type=Path, dir_okay=False))
def back_up(fichier: Path) -> None:
    """Écrit la base et les clés de démonstration dans FICHIER, sans rien arrêter."""
    if fichier.exists():
        raise click.ClickException(f"{fichier} existe déjà : choisissez un autre nom.")
    url = db.engine.url
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        copy = Path(folder) / DATABASE
        _copy_sqlite(Path(url.database or ""), copy) if _is_sqlite(url) else _dump(url, copy)
        draft = Path(folder) / "sauvegarde"
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            label = {"format": FORMAT, "moteur": url.get_backend_name(), "le": now().isoformat()}
            archive.writestr(LABEL, json.dumps(label))
            archive.write(copy, DATABASE)
            if _keys().exists():
                archive.write(_keys(), KEYS)
        draft.chmod(0o600)
        shutil.move(draft, fichier)
    click.echo(f"Sauvegarde écrite : {fichier} ({fichier.stat().st_size // 1024} Kio).")


@preau.command("restaurer")
@click.argument("fichier", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--oui", is_flag=True, help="Ne demande pas de confirmation.")
def restore(fichier: Path, oui: bool) -> None:
    """Remplace la base par celle de FICHIER. Arrêtez Préau d’abord."""
    url = db.engine.url
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        copy = _unpack(fichier, Path(folder), url)
        if not oui:
            _confirm("Tout ce que contient la base sera remplacé. Continuer ?")
        db.session.remove()
        db.engine.dispose()
        if _is_sqlite(url):
            _copy_sqlite(copy, Path(url.database or ""))
        else:
            _run("pg_restore", url, "--clean", "--if-exists", "--single-transaction", "--no-owner", str(copy))
        keys = Path(folder) / KEYS
        if keys.exists():
            keys.chmod(0o600)
            keys.replace(_keys())
    click.echo("Base restaurée.")


def _confirm(question: str) -> None:
    """Ask, and go no further without a yes; Click's own question only knows ``y`` and ``n``."""
    choices = click.Choice(["oui", "non"], case_sensitive=False)
    if click.prompt(question, type=choices, default="non") != "oui":
        raise click.Abort


def _unpack(fichier: Path, folder: Path, url: URL) -> Path:
    """Check the file and take its parts out, by their known names only."""
    try:
        with zipfile.ZipFile(fichier) as archive:
            label = json.loads(archive.read(LABEL))
            for name in {DATABASE, KEYS} & set(archive.namelist()):
                archive.extract(name, folder)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise click.ClickException(f"{fichier} n’est pas une sauvegarde de Préau.") from error
    if label.get("format") != FORMAT or not (folder / DATABASE).exists():
        raise click.ClickException(f"{fichier} n’est pas une sauvegarde de Préau.")
    if label["moteur"] != url.get_backend_name():
        raise click.ClickException(
            f"Cette sauvegarde vient de {label['moteur']} ; PREAU_BASE désigne {url.get_backend_name()}."
        )
    return folder / DATABASE


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy page by page in one transaction of the target."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as origin,
        closing(sqlite3.connect(target, timeout=15)) as copy,
    ):
        origin.backup(copy)


def _dump(url: URL, target: Path) -> None:
    _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={target}")


def _run(program: str, url: URL, *arguments: str) -> None:
    """Run a PostgreSQL program; the password goes through the environment, never the command line."""
    path = shutil.which(program)
    if path is None:
        raise click.ClickException(f"{program} est introuvable : installez le client PostgreSQL.")
    address = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    run = subprocess.run(  # noqa: S603  (a fixed program, arguments built here)
        [path, f"--dbname={address}", *arguments],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )
    if run.returncode:
        raise click.ClickException(f"{program} a échoué :\n{run.stderr.strip()}")


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _folder() -> Path:
    folder: Path = current_app.extensions["reglages"].dossier
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keys() -> Path:
    return _folder() / KEYS
