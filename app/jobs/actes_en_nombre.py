"""Acts on many accounts in the background: slice after slice, with the rights their author has today."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.errors import NotFoundError, UserError
from app.jobs.context import Contexte
from app.jobs.registry import handler
from app.models import ActeEnNombre, Compte
from app.operations import actes_en_nombre as acts
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from app.operations.sessions import may_connect
from app.security.acteur import perimetre_of
from app.security.delegation import pouvoirs_of
from app.security.perimetres import perimetre
from app.security.permissions import Resource, Verb


@handler(acts.TYPE)
def run(context: Contexte) -> dict[str, Any]:
    """Do what waits of an act; each slice is committed with what it says of its rows."""
    session = context.session
    number = context.parametres["acte_en_nombre_id"]
    acte = session.get(ActeEnNombre, number)
    if acte is None:
        raise NotFoundError("Cet acte n’existe plus.")
    total, done = acte.nombre, acte.nombre - acts.comptes(session, number)["attente"]
    while step := one_slice(session, acte, str(context.parametres["acteur"])):
        done += step
        context.progress(done, total)
    counts = acts.comptes(session, number)
    return {"acte_en_nombre_id": number, "faits": counts["fait"], "refus": counts["refus"]}


def one_slice(session: Session, acte: ActeEnNombre, nom: str) -> int:
    """Do one slice within what its author may write now.

    :raises UserError: their account does not open any more.
    """
    compte = session.scalars(
        select(Compte)
        .where(Compte.id == acte.compte_id)
        .options(joinedload(Compte.attributions), joinedload(Compte.personne))
        .execution_options(populate_existing=True)
    ).first()
    if compte is None or not may_connect(compte):
        raise UserError("Le compte qui a demandé cet acte ne s’ouvre plus. Recommencez l’acte avec un autre.")
    held, acteur = pouvoirs_of(compte), Actor(nom, compte.id)
    with perimetre(session, perimetre_of(compte, Resource.PERSONNE, Verb.ECRIRE)):
        return acts.lot(
            session,
            acte,
            detenus=held,
            deployment=Deployment.of(current_app.extensions["reglages"]),
            acteur=acteur,
        )
