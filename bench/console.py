"""The console with a million people: its pages beside Django's admin on the same base and machine.

Both run under gunicorn with two processes and are read by signed-in people; every answer is checked
against what a witness reads straight from the tables, since a fast refusal is not a fast page.
Run: ``python -m bench.console [--personnes 1000000] [--moteur sqlite|postgresql|tous] [--garder DOSSIER]``.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url

from bench.commun import Rapport
from bench.million import charge
from bench.million.mesures import measure

SERVEUR = os.environ.get("PREAU_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--personnes", type=int, default=1_000_000)
    parser.add_argument("--moteur", choices=["sqlite", "postgresql", "tous"], default="tous")
    parser.add_argument("--garder", type=Path, help="dossier où garder les bases d’une mesure à l’autre")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    folder = options.garder or Path(tempfile.mkdtemp(prefix="preau-console-"))
    name = f"preau_console_{options.personnes if options.garder else os.getpid()}"
    url = make_url(SERVEUR).set(database=name).render_as_string(hide_password=False)
    bases = {"sqlite": "", "postgresql": url}
    missed = 0
    for engine in bases if options.moteur == "tous" else [options.moteur]:
        home, base = folder / f"{engine}-{options.personnes}", bases[engine]
        try:
            app = charge.prepare(home, base, options.personnes)
            rapport = Rapport(f"Console, {options.personnes} personnes, {engine}")
            measure(app, home, base, rapport)
            missed |= rapport.imprimer()
        finally:
            if not options.garder:
                charge.drop(home, base)
    if not options.garder:
        shutil.rmtree(folder, ignore_errors=True)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
