"""``flask preau alimenter``: read files, show what would change, apply it when asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from app.cli import preau
from app.errors import UserError
from app.extensions import db
from app.models import Alimentation, AlimentationEtablissement
from app.security.perimetres import TOUT, perimetre

COMPTES = ("crees", "modifies", "reconnus", "inchanges", "departs", "retours", "anomalies")
TITRES = ("créés", "modifiés", "reconnus", "inchangés", "départs", "retours", "anomalies")
ACTEUR = "Ligne de commande"


@preau.command("alimenter")
@click.argument("chemins", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--apercu", is_flag=True, help="Montre ce qui changerait, sans rien écrire (par défaut).")
@click.option("--appliquer", is_flag=True, help="Écrit les changements, établissement par établissement.")
@click.option("--etablissement", metavar="UAI", help="Se limite à cet établissement.")
@click.option("--accepter-departs", is_flag=True, help="Applique même si les départs dépassent le seuil.")
@click.option("--json", "as_json", is_flag=True, help="Écrit un seul objet JSON sur la sortie standard.")
def alimenter(
    chemins: tuple[Path, ...],
    apercu: bool,
    appliquer: bool,
    etablissement: str | None,
    accepter_departs: bool,
    as_json: bool,
) -> None:
    """Lit des fichiers AAF, SIECLE, STS ou l’annuaire, et en montre ou applique les différences."""
    if apercu and appliquer:
        raise click.UsageError("Choisissez --apercu ou --appliquer.")
    session = db.session()
    refused: list[str] = []
    with perimetre(session, TOUT):
        try:
            feed, lines = _read(session, chemins, etablissement)
            counts = _counts(feed, lines, etablissement)
            if appliquer:
                refused = _apply(session, feed, etablissement, accepter_departs)
        except UserError as error:
            session.rollback()
            click.echo(error.message, err=True)
            if as_json:
                click.echo(json.dumps({"refus": [error.message]}, ensure_ascii=False))
            raise SystemExit(1) from None
    _print(counts, refused, applied=appliquer, as_json=as_json)
    if refused:
        raise SystemExit(1)


def _read(
    session: Session, chemins: tuple[Path, ...], etablissement: str | None
) -> tuple[Alimentation, list[AlimentationEtablissement]]:
    from app.jobs.alimentation import read_and_compare

    feed = read_and_compare(session, chemins, acteur=ACTEUR, progress=_progress)
    _end_of_progress()
    lines = session.query(AlimentationEtablissement).filter_by(alimentation_id=feed.id).all()
    if etablissement and etablissement not in {line.uai for line in lines}:
        raise UserError(
            f"L’établissement {etablissement} ne figure pas dans ces fichiers, ou rien n’y change."
        )
    return feed, lines


def _apply(session: Session, feed: Alimentation, etablissement: str | None, accept: bool) -> list[str]:
    from app.jobs.alimentation import apply

    refused = apply(
        session,
        feed,
        acteur=ACTEUR,
        uais={etablissement} if etablissement else None,
        accepter_departs=accept,
        progress=_progress,
    )
    _end_of_progress()
    for sentence in refused:
        click.echo(sentence, err=True)
    return refused


def _counts(
    feed: Alimentation, lines: list[AlimentationEtablissement], etablissement: str | None
) -> dict[str, dict[str, int]]:
    """Return kind of object → counts, of the whole feed or of one school."""
    found: dict[str, Any] = feed.comptes
    if etablissement:
        found = next(line.comptes for line in lines if line.uai == etablissement)
    return {kind: {name: counts.get(name, 0) for name in COMPTES} for kind, counts in found.items()}


def _print(counts: dict[str, dict[str, int]], refused: list[str], *, applied: bool, as_json: bool) -> None:
    changes = sum(
        value
        for kind in counts.values()
        for name, value in kind.items()
        if name not in ("inchanges", "anomalies")
    )
    if as_json:
        click.echo(json.dumps({**counts, **({"refus": refused} if refused else {})}, ensure_ascii=False))
        return
    click.echo(f"{'':<15}" + "".join(f"{title:>11}" for title in TITRES))
    for kind, values in counts.items():
        click.echo(f"{kind:<15}" + "".join(f"{values[name]:>11}" for name in COMPTES))
    if not changes:
        click.echo("Rien à faire : la base dit déjà ce que disent ces fichiers.")
    elif applied:
        click.echo("Appliqué." if not refused else "Appliqué en partie : voyez les refus ci-dessus.")
    else:
        click.echo("Aperçu seulement : rien n’est écrit. Relancez avec --appliquer.")


def _progress(done: int, total: int | None) -> None:
    if sys.stderr.isatty():
        text = f"{done} objets lus" if total is None else f"{done} établissement(s) sur {total}"
        click.echo(f"\r{text}", nl=False, err=True)


def _end_of_progress() -> None:
    if sys.stderr.isatty():
        click.echo("", err=True)
