"""``flask preau …``: the command line. Parses, calls an operation, commits, prints."""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask
from flask.cli import AppGroup

from app.cli import francais

preau = AppGroup("preau", help="Commandes de Préau.", subcommand_metavar="COMMANDE [ARGUMENTS]…")


def register(app: Flask) -> None:
    """Add the commands to the application; each module of a command adds its own to ``preau``."""
    francais.install()
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    app.cli.add_command(preau)
