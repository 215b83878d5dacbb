"""``flask preau preparer``: the schema at the newest migration and, in demo mode, a demo académie."""

from __future__ import annotations

import logging

import click
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import select

from app.cli import preau
from app.config import ROOT
from app.database import reading
from app.extensions import db
from app.models import Etablissement


@preau.command("preparer")
@click.pass_context
def prepare(context: click.Context) -> None:
    """Applique les migrations ; en démonstration, remplit une base vide."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    upgrade(directory=str(ROOT / "migrations"))
    if not current_app.extensions["reglages"].demo:
        return
    with reading():
        table = Etablissement.__table__
        empty = db.session.connection().execute(select(table.c.id).limit(1)).first() is None
        db.session.remove()
    demo = preau.get_command(context, "demo")
    if empty and demo is not None:
        context.invoke(demo)
