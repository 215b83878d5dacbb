"""``flask preau generer``: write a fictional académie as the files its real counterpart sends."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click

from app.cli import preau
from app.errors import UserError


@preau.command("generer")
@click.argument("dossier", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--etablissements",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    metavar="N",
    help="Nombre de collèges et lycées.",
)
@click.option(
    "--eleves",
    type=click.IntRange(1),
    default=2400,
    show_default=True,
    metavar="N",
    help="Nombre d’élèves en tout.",
)
@click.option(
    "--graine", type=int, default=1, show_default=True, metavar="N", help="Même graine, mêmes fichiers."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["aaf", "siecle", "annuaire"]),
    default="aaf",
    show_default=True,
    help="Format des fichiers écrits.",
)
@click.option(
    "--date",
    "jour",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2026-11-16",
    show_default=True,
    metavar="AAAA-MM-JJ",
    help="Date du premier export.",
)
@click.option(
    "--variante",
    type=click.FloatRange(0, 50),
    default=0.0,
    metavar="POURCENT",
    help="Export suivant de la même académie, avec ce pourcentage de changements.",
)
@click.option(
    "--rang",
    type=click.IntRange(1, 12),
    default=1,
    show_default=True,
    metavar="N",
    help="Avec --variante : combien d’exports plus tard.",
)
@click.option("--sans-zip", is_flag=True, help="Laisse les fichiers XML, sans archive.")
def generer(
    dossier: Path,
    etablissements: int,
    eleves: int,
    graine: int,
    format_: str,
    jour: datetime,
    variante: float,
    rang: int,
    sans_zip: bool,
) -> None:
    """Écrit dans DOSSIER une académie fictive : familles, élèves, personnels, classes."""
    from app.exports.fictif import Options, generate

    options = Options(
        etablissements=etablissements,
        eleves=eleves,
        graine=graine,
        format=format_,
        jour=jour.date(),
        variante=variante,
        rang=rang,
        zip=not sans_zip,
    )
    start = time.monotonic()
    try:
        bilan = generate(dossier, options)
    except UserError as error:
        click.echo(error.message, err=True)
        raise SystemExit(2) from None
    seconds = time.monotonic() - start
    for kind, count in bilan.comptes.items():
        click.echo(f"{count:>9}  {kind}")
    click.echo(
        f"{len(bilan.fichiers)} fichier(s) dans {dossier}, {bilan.personnes} personnes en {seconds:.1f} s."
    )
