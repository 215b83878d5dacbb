"""``flask preau purger``: anonymise at once who left longer ago than the delay."""

from __future__ import annotations

from datetime import timedelta

import click
from flask import current_app

from app.cli import preau
from app.database import reading
from app.extensions import db, now
from app.operations import anonymisation
from app.security.perimetres import TOUT, perimetre

MANY = 1_000_000


@preau.command("purger")
@click.option("--apercu", is_flag=True, help="Dit combien de personnes le seraient, sans rien changer.")
def purge(apercu: bool) -> None:
    """Anonymise les personnes parties depuis plus longtemps que le délai de restauration."""
    from app.jobs.purge import round_once

    jours = current_app.extensions["reglages"].suppressions_jours
    with perimetre(db.session(), TOUT):
        if apercu:
            with reading():
                limit = now() - timedelta(days=jours)
                count = len(anonymisation.purgeables(db.session(), limit, limit=MANY))
                db.session.rollback()
            click.echo(f"{_people(count)} à anonymiser : départ constaté depuis plus de {jours} jours.")
            return
        count = sum(round_once(db.session()))
    click.echo(f"{_people(count)} {'anonymisées' if count > 1 else 'anonymisée'}. Cela ne s’annule pas.")


def _people(count: int) -> str:
    return f"{count} personne{'s' if count > 1 else ''}"
