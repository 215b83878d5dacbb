"""``flask preau catalogue``: bring the catalogue of services to what this version delivers."""

from __future__ import annotations

import click

from app.cli import preau
from app.extensions import db
from app.security.perimetres import TOUT, perimetre


@preau.command("catalogue")
def load_catalogue() -> None:
    """Met à jour le catalogue des services ; ce qui a été saisi à la main reste."""
    bilan = refresh()
    click.echo(f"Catalogue des services à jour : {bilan[0]} ajouts, {bilan[1]} modifications.")


def refresh() -> tuple[int, int]:
    """Load the catalogue and commit; return how many rows were added and changed."""
    from app.operations import catalogue

    session = db.session()
    with perimetre(session, TOUT):
        bilan = catalogue.charger(session)
        session.commit()
    return bilan.ajoutes, bilan.modifies
