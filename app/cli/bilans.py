"""``flask preau bilans``: compute at once the figures the académie view shows."""

from __future__ import annotations

import click

from app.cli import preau
from app.extensions import db
from app.security.perimetres import TOUT, perimetre


@preau.command("bilans")
def compute() -> None:
    """Calcule les indicateurs de tous les établissements."""
    from app.jobs.bilans import refresh

    with perimetre(db.session(), TOUT):
        count = refresh(db.session())
    click.echo(f"Indicateurs calculés pour {count} établissement{'s' if count > 1 else ''}.")
