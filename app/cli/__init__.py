"""``flask preau …``: the command line. Parses, calls an operation, commits, prints."""

from __future__ import annotations

from flask import Flask
from flask.cli import AppGroup

preau = AppGroup("preau", help="Commandes de Préau.")


def register(app: Flask) -> None:
    """Add the commands to the application."""
    app.cli.add_command(preau)
