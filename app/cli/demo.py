"""``flask preau demo``: fill an empty base with a fictional académie and one account per role."""

from __future__ import annotations

import time

import click
from flask import current_app

from app.cli import preau
from app.errors import UserError
from app.extensions import db
from app.security.perimetres import TOUT, perimetre

FICHIER_COMPTES = "comptes-demo.txt"


@preau.command("demo")
@click.option("--sans-comptes", is_flag=True, help="Ne pas afficher les comptes créés.")
def create_demo(sans_comptes: bool = False) -> None:
    """Remplit une base vide d’une académie fictive, avec un compte par rôle (PREAU_DEMO=1)."""
    from app.jobs import comptes_demonstration, demonstration

    settings = current_app.extensions["reglages"]
    if not settings.demo:
        click.echo(
            "La démonstration crée des comptes au mot de passe connu : elle est réservée au mode"
            " démonstration. Lancez Préau avec PREAU_DEMO=1 sur une base à part.",
            err=True,
        )
        raise SystemExit(1)
    session = db.session()
    with perimetre(session, TOUT):
        if not demonstration.is_needed(session):
            return
        start = time.monotonic()
        try:
            demonstration.create(session, settings.dossier / "demo", click.echo)
        except UserError as error:
            session.rollback()
            click.echo(error.message, err=True)
            raise SystemExit(1) from None
        text = accounts_text(comptes_demonstration.demo_accounts(session))
        session.rollback()
    (settings.dossier / FICHIER_COMPTES).write_text(text, encoding="utf-8")
    if not sans_comptes:
        click.echo(text)
    click.echo(f"Académie de démonstration prête en {time.monotonic() - start:.0f} s.")


def accounts_text(accounts: list[tuple[str, str, str]]) -> str:
    """Return the accounts as the launcher prints them."""
    width = max((len(role) for role, _login, _password in accounts), default=0)
    lines = [f"  {role:<{width}}  {login}" for role, login, _password in accounts]
    password = accounts[0][2] if accounts else ""
    return "\n".join([f"Comptes de démonstration (mot de passe : {password})", *lines, ""])
