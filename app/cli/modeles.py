"""``flask preau modeles``: models of services listed, compared with schools, applied, undone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli import preau
from app.cli.personnes import ACTEUR, whole_base
from app.errors import NotFoundError
from app.exports import modeles as export
from app.models import ApplicationModele, Etablissement, ModeleServices
from app.operations import applications as acts
from app.queries import modeles as reads
from app.queries.etats_services import Ecole, schools

CHOOSE = "Nommez des établissements avec --etablissement, ou choisissez --tous."


@preau.group("modeles", subcommand_metavar="COMMANDE [ARGUMENTS]…")
def modeles() -> None:
    """Compare des établissements à un modèle de services, et les y ramène."""


def of_schools(command: Any) -> Any:
    """Add what chooses schools."""
    for option in (
        click.option(
            "--etablissement", "uais", metavar="UAI", multiple=True, help="Un établissement ; répétable."
        ),
        click.option("--tous", is_flag=True, help="Tous les établissements ouverts."),
    ):
        command = option(command)
    return command


@modeles.command("lister")
@click.option("--json", "as_json", is_flag=True, help="Un modèle par ligne, en JSON.")
def lister(as_json: bool) -> None:
    """Montre les modèles, par nom."""
    with whole_base() as session:
        rows = session.execute(reads.listed().order_by(ModeleServices.nom, ModeleServices.id)).all()
        for one in export.listed(rows):
            line = f"{one['id']:>6}  {one['nom']} · {one['lignes']} éléments · {one['modifie_par']}"
            click.echo(json.dumps(one, ensure_ascii=False) if as_json else line)


@modeles.command("comparer")
@click.argument("modele", metavar="NUMÉRO", type=int)
@of_schools
@click.option("--json", "as_json", is_flag=True, help="Un établissement par ligne, en JSON.")
def comparer(modele: int, uais: Sequence[str], tous: bool, as_json: bool) -> None:
    """Montre ce que des établissements ont autrement que le modèle."""
    with whole_base() as session:
        for one in export.gaps(session, _model(session, modele), _schools(session, uais, tous=tous)):
            if as_json:
                click.echo(json.dumps(one, ensure_ascii=False))
                continue
            click.echo(f"{one['uai']}  {one['nom']} · {len(one['ecarts'])} écarts")
            for gap in one["ecarts"]:
                click.echo(f"    {gap['element']} : {_word(gap['etablissement'])} → {_word(gap['modele'])}")


@modeles.command("appliquer")
@click.argument("modele", metavar="NUMÉRO", type=int)
@of_schools
@click.option("--oui", is_flag=True, help="Le fait ; sans elle, montre seulement ce qui changerait.")
def appliquer(modele: int, uais: Sequence[str], tous: bool, oui: bool) -> None:
    """Applique un modèle à des établissements, après avoir montré chaque changement."""
    with whole_base() as session:
        found = _schools(session, uais, tous=tous)
        said = f"{len(found)} établissements, en ligne de commande"
        made = acts.preparer(session, _model(session, modele), found, selection=said, acteur=ACTEUR)
        _finish(session, made, oui=oui)


@modeles.command("annuler")
@click.argument("application", metavar="NUMÉRO", type=int)
@click.option("--oui", is_flag=True, help="Le fait ; sans elle, montre seulement ce qui changerait.")
def annuler(application: int, oui: bool) -> None:
    """Rend à chaque établissement ce qu’une application lui avait changé."""
    with whole_base() as session:
        found = session.get(ApplicationModele, application)
        if found is None:
            raise NotFoundError(f"Aucune application n’a le numéro {application}.")
        _finish(session, acts.defaire(session, found, acteur=ACTEUR), oui=oui)


def _finish(session: Session, made: ApplicationModele, *, oui: bool) -> None:
    """Show what would change; do it, slice after slice, when asked to."""
    for line in export.effects_text(made.effets):
        click.echo(line)
    click.echo(f"{made.nombre} établissements à changer, {made.conformes} conformes.")
    if not oui or not made.nombre:
        session.rollback()
        if made.nombre:
            click.echo("Rien n’est fait. Ajoutez --oui pour le faire.")
        return
    acts.confirmer(session, made, commande=True, acteur=ACTEUR)
    number = made.id
    session.commit()
    if made.tache_id is not None:
        click.echo(f"Application n° {number} lancée en arrière-plan : suivez la tâche n° {made.tache_id}.")
        return
    while acts.lot(session, made, acteur=ACTEUR):
        session.commit()
    session.commit()
    counts = acts.comptes(session, number)
    click.echo(f"Application n° {number} : {counts['fait']} faits, {counts['refus']} laissés tels quels.")


def _model(session: Session, pk: int) -> ModeleServices:
    found = reads.model(session, pk)
    if found is None:
        raise NotFoundError(f"Aucun modèle n’a le numéro {pk}. Voyez « modeles lister ».")
    return found


def _schools(session: Session, uais: Sequence[str], *, tous: bool) -> dict[int, Ecole]:
    if not uais and not tous:
        raise click.UsageError(CHOOSE)
    wanted = [uai.upper() for uai in uais]
    known = set(session.scalars(select(Etablissement.uai).where(Etablissement.uai.in_(wanted))))
    if missing := [uai for uai in wanted if uai not in known]:
        raise NotFoundError(f"Aucun établissement n’a l’UAI {', '.join(missing)}.")
    clause = Etablissement.uai.in_(wanted) if wanted else Etablissement.etat == "ouvert"
    return schools(session, [clause], acts.AU_PLUS + 1)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return ", ".join(value) if isinstance(value, list) else "–" if value is None else str(value)
