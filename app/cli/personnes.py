"""``flask preau personnes``: list, read and export people, as programs do through the API."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli import preau
from app.errors import NotFoundError, UserError
from app.exports import personnes as export
from app.exports.tableur import csv_lines
from app.extensions import db
from app.models import PROFILS, Etablissement, Personne, Rattachement
from app.operations import liens, suspensions
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from app.queries.gens import ETATS, Criteres
from app.security.perimetres import TOUT, perimetre

ACTEUR = Actor("Ligne de commande")


@contextmanager
def whole_base() -> Iterator[Session]:
    """Yield a session that sees every school; a refusal is printed and ends the command with 1."""
    session = db.session()
    with perimetre(session, TOUT):
        try:
            yield session
        except UserError as error:
            session.rollback()
            click.echo(error.message, err=True)
            raise SystemExit(1) from None


@preau.group("personnes", subcommand_metavar="COMMANDE [ARGUMENTS]…")
def personnes() -> None:
    """Lit les personnes et agit sur leurs comptes."""


def of_list(command: Any) -> Any:
    """Add what narrows a list."""
    for option in (
        click.option("--etablissement", metavar="UAI", help="Se limite à cet établissement."),
        click.option("--profil", type=click.Choice(PROFILS), help="Un seul profil."),
        click.option("--etat", type=click.Choice(ETATS), help="État du compte."),
        click.option("--cherche", metavar="TEXTE", default="", help="Premières lettres du nom, login, INE…"),
    ):
        command = option(command)
    return command


@personnes.command("lister")
@of_list
@click.option("--limite", type=click.IntRange(1), default=50, show_default=True, help="Personnes montrées.")
@click.option("--json", "as_json", is_flag=True, help="Une personne par ligne, en JSON.")
def lister(limite: int, as_json: bool, **wanted: Any) -> None:
    """Montre les personnes présentes, par nom."""
    with whole_base() as session:
        _page, elements = export.one_page(session, _criteres(session, **wanted), limite)
    for one in elements:
        places = ", ".join(f"{place['etablissement']} {place['profil']}" for place in one["rattachements"])
        who = f"{one['id']:>9}  {one['login'] or '–':<28} {one['nom']} {one['prenom']}"
        line = f"{who} · {one['etat']} · {places}"
        click.echo(json.dumps(one, ensure_ascii=False) if as_json else line)


@personnes.command("lire")
@click.argument("personne", metavar="LOGIN|NUMÉRO")
def lire(personne: str) -> None:
    """Écrit tout ce que dit la fiche d’une personne, en JSON."""
    with whole_base() as session:
        found = export.complete(session, person_of(session, personne).id)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@personnes.command("exporter")
@of_list
@click.option("--json", "as_json", is_flag=True, help="Une personne par ligne, en JSON, au lieu de CSV.")
def exporter(as_json: bool, **wanted: Any) -> None:
    """Écrit toutes les personnes de la liste sur la sortie standard, en CSV."""
    with whole_base() as session:
        elements = export.every(session, _criteres(session, **wanted))
        lines = (
            (json.dumps(one, ensure_ascii=False) + "\n" for one in elements)
            if as_json
            else csv_lines(export.csv_rows(elements))
        )
        for line in lines:
            sys.stdout.write(line)


@personnes.command("suspendre")
@click.argument("qui", metavar="LOGIN|NUMÉRO…", nargs=-1, required=True)
@click.option("--motif", required=True, help="Ce que les personnes liront en se connectant.")
def suspendre(qui: tuple[str, ...], motif: str) -> None:
    """Suspend des comptes, ligne par ligne ; ce qui est refusé dit pourquoi, le reste est fait."""
    _each(
        qui,
        lambda session, one, school: suspensions.suspendre(
            session, one, motif, etablissement_id=school, acteur=ACTEUR
        ),
    )


@personnes.command("reactiver")
@click.argument("qui", metavar="LOGIN|NUMÉRO…", nargs=-1, required=True)
def reactiver(qui: tuple[str, ...]) -> None:
    """Rend des comptes suspendus, tels qu’ils étaient."""
    _each(
        qui,
        lambda session, one, school: suspensions.reactiver(
            session, one, etablissement_id=school, acteur=ACTEUR
        ),
    )


@personnes.command("nouveau-mot-de-passe")
@click.argument("qui", metavar="LOGIN|NUMÉRO…", nargs=-1, required=True)
def nouveau_mot_de_passe(qui: tuple[str, ...]) -> None:
    """Envoie aux personnes le lien qui leur fait choisir un nouveau mot de passe."""
    where = Deployment.of(current_app.extensions["reglages"])
    _each(
        qui,
        lambda session, one, school: liens.nouveau_mot_de_passe(
            session, one, ACTEUR, deployment=where, etablissement_id=school
        ),
    )


def _each(qui: Sequence[str], act: Callable[[Session, Personne, int | None], Any]) -> None:
    """Run an act on each person, each committed; exit 1 when one was refused."""
    refused = 0
    with whole_base() as session:
        for named in qui:
            try:
                one = person_of(session, named)
                act(session, one, _school_of(session, one.id))
                session.commit()
                click.echo(f"{named} : fait")
            except UserError as error:
                session.rollback()
                refused += 1
                click.echo(f"{named} : {error.message}", err=True)
    if refused:
        raise SystemExit(1)


def _school_of(session: Session, personne_id: int) -> int | None:
    """Return the school whose journal tells an act on somebody."""
    here = select(Rattachement.etablissement_id).where(
        Rattachement.personne_id == personne_id, Rattachement.fin.is_(None)
    )
    return session.scalars(here.order_by(Rattachement.id).limit(1)).first()


def person_of(session: Session, named: str) -> Personne:
    """Return the person of a login, or of a number.

    :raises NotFoundError: there is none.
    """
    clause = (
        Personne.id == int(named) if named.isascii() and named.isdigit() else Personne.login == named.lower()
    )
    found = session.scalars(select(Personne).where(clause)).first()
    if found is None:
        raise NotFoundError(f"Personne n’a l’identifiant « {named} ». Vérifiez-le avec « personnes lister ».")
    return found


def _criteres(
    session: Session, etablissement: str | None, profil: str | None, etat: str | None, cherche: str
) -> Criteres:
    school = None
    if etablissement:
        school = session.scalar(select(Etablissement.id).where(Etablissement.uai == etablissement.upper()))
        if school is None:
            raise NotFoundError(f"Aucun établissement n’a l’UAI {etablissement}.")
    return Criteres(school, profil or "", q=cherche.strip(), etat=etat or "")
