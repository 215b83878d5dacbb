"""``flask preau cle-api``: make, list and withdraw the keys of outside programs."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli import preau
from app.cli.personnes import ACTEUR, whole_base
from app.errors import NotFoundError, RuleViolationError
from app.models import Academie, CleApi, Collectivite, Compte, Etablissement
from app.operations import cles_api
from app.security.cles import may_give
from app.security.roles import ROLE_PORTEES, Portee, Role

ROLES = [str(role) for role in Role if ROLE_PORTEES[role] is not Portee.SOI]


@preau.group("cle-api", subcommand_metavar="COMMANDE [ARGUMENTS]…")
def cle_api() -> None:
    """Clés avec lesquelles des programmes appellent l’API."""


@cle_api.command("creer")
@click.option("--nom", required=True, help="Le programme qui s’en servira.")
@click.option("--au-nom-de", "login", required=True, metavar="LOGIN", help="Compte qui en répond.")
@click.option("--role", type=click.Choice(ROLES), required=True, help="La clé fait ce que ce rôle permet.")
@click.option("--academie", metavar="CODE", help="Académie sur laquelle elle porte.")
@click.option("--collectivite", metavar="CODE", help="Collectivité sur laquelle elle porte.")
@click.option("--etablissement", metavar="UAI", help="Établissement sur lequel elle porte.")
@click.option("--ecriture", is_flag=True, help="Permet d’écrire ; sans cela, la clé ne fait que lire.")
@click.option("--jours", type=int, default=365, show_default=True, help="Durée de la clé.")
def creer(
    nom: str,
    login: str,
    role: str,
    academie: str | None,
    collectivite: str | None,
    etablissement: str | None,
    ecriture: bool,
    jours: int,
) -> None:
    """Crée une clé et l’écrit, cette seule fois, sur la sortie standard."""
    with whole_base() as session:
        compte = session.scalars(select(Compte).where(Compte.username == login)).first()
        if compte is None:
            raise NotFoundError(f"Aucun compte n’a l’identifiant « {login} ».")
        portee = cles_api.Portee(
            _id(session, Academie, Academie.code, academie),
            _id(session, Collectivite, Collectivite.code, collectivite),
            _id(session, Etablissement, Etablissement.uai, etablissement),
        )
        school = session.get(Etablissement, portee.etablissement_id) if portee.etablissement_id else None
        if not may_give(compte, role, portee, school):
            raise RuleViolationError(
                f"« {login} » ne tient pas ce rôle sur ce périmètre : la clé ne peut pas le recevoir."
            )
        _key, secret = cles_api.creer(
            session, nom=nom, role=role, portee=portee, ecriture=ecriture, jours=jours, compte=compte,
            acteur=ACTEUR,
        )  # fmt: skip
        session.commit()
    click.echo(secret)


@cle_api.command("lister")
def lister() -> None:
    """Montre les clés, sans leur secret."""
    with whole_base() as session:
        for key in session.scalars(select(CleApi).order_by(CleApi.id)):
            seen = f"dernier appel le {key.vue_le:%d/%m/%Y}" if key.vue_le else "jamais employée"
            click.echo(f"{key.id:>5}  {key.prefixe}…  {key.nom} · {key.role} · {key.etat} · {seen}")


@cle_api.command("revoquer")
@click.argument("numero", type=int)
def revoquer(numero: int) -> None:
    """Révoque une clé : son prochain appel est refusé."""
    with whole_base() as session:
        key = session.get(CleApi, numero)
        if key is None:
            raise NotFoundError(f"Aucune clé n’a le numéro {numero}.")
        cles_api.revoquer(session, key, acteur=ACTEUR)
        session.commit()
    click.echo("Clé révoquée.")


def _id(session: Session, model: type[Any], column: Any, code: str | None) -> int | None:
    if code is None:
        return None
    found = session.scalar(select(model.id).where(column == code))
    if found is None:
        raise NotFoundError(f"« {code} » n’existe pas.")
    return int(found)
