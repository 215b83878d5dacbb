"""``flask preau preparer``: the schema at the newest migration, the catalogue, in demo mode an académie."""

from __future__ import annotations

import logging

import click
from flask import current_app
from flask_migrate import upgrade

from app.cli import catalogue, preau
from app.config import ROOT


@preau.command("preparer")
@click.pass_context
def prepare(context: click.Context) -> None:
    """Applique les migrations, met à jour le catalogue ; en démonstration, remplit une base vide."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    upgrade(directory=str(ROOT / "migrations"))
    catalogue.refresh()
    if not current_app.extensions["reglages"].demo:
        return
    demo = preau.get_command(context, "demo")
    if demo is not None:
        context.invoke(demo, sans_comptes=True)  # does nothing on a base that holds something
