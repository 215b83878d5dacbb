"""``flask preau worker``: the worker process; ``verifier-journal``: check the journal's chains."""

from __future__ import annotations

import click
from flask import current_app
from sqlalchemy import select

from app import logs
from app.cli import preau
from app.database import reading
from app.extensions import db
from app.operations import journal


@preau.command("worker")
def run_worker() -> None:
    """Exécute les travaux de fond et envoie le courrier, jusqu’à l’arrêt demandé."""
    from app.jobs import worker

    logs.configure(current_app.extensions["reglages"].journal_niveau)
    raise SystemExit(worker.main(current_app._get_current_object()))  # type: ignore[attr-defined]


@preau.command("verifier-journal")
def verify_journal() -> None:
    """Vérifie que nulle ligne du journal n’a été modifiée, retirée ou ajoutée."""
    table = journal.TABLE
    with reading():
        chains = list(db.session.connection().execute(select(table.c.chaine).distinct()).scalars())
        broken = {chain: number for chain in chains if (number := journal.verify(db.session(), chain))}
        db.session.rollback()
    for chain, number in broken.items():
        click.echo(f"Chaîne {chain} : la ligne {number} a été modifiée, retirée ou ajoutée.", err=True)
    if broken:
        raise SystemExit(1)
    click.echo(f"Journal intact : {len(chains)} chaîne(s) vérifiée(s).")
