"""Models put on many schools in the background: slice after slice, with their author's rights of today."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.errors import NotFoundError, UserError
from app.jobs.context import Contexte
from app.jobs.registry import handler
from app.models import ApplicationModele, Compte
from app.operations import applications as acts
from app.operations.saisies import Actor
from app.operations.sessions import may_connect
from app.security.acteur import perimetre_of
from app.security.perimetres import perimetre
from app.security.permissions import Resource, Verb


@handler(acts.TYPE)
def run(context: Contexte) -> dict[str, Any]:
    """Do what waits of an application; each slice is committed with what it says of its schools."""
    session = context.session
    number = context.parametres["application_id"]
    application = session.get(ApplicationModele, number)
    if application is None:
        raise NotFoundError("Cette application n’existe plus.")
    counts = acts.comptes(session, number)
    total, done = sum(counts.values()), counts["fait"] + counts["refus"]
    nom, commande = str(context.parametres["acteur"]), bool(context.parametres.get("commande"))
    while step := one_slice(session, application, nom, commande=commande):
        done += step
        context.progress(done, total)
    counts = acts.comptes(session, number)
    return {"application_id": number, "faits": counts["fait"], "refus": counts["refus"]}


def one_slice(session: Session, application: ApplicationModele, nom: str, *, commande: bool) -> int:
    """Do one slice within what its author may write now; the command line writes everywhere.

    :raises UserError: their account does not open any more.
    """
    if commande:
        return acts.lot(session, application, acteur=Actor(nom))
    compte = session.scalars(
        select(Compte)
        .where(Compte.id == application.compte_id)
        .options(joinedload(Compte.attributions), joinedload(Compte.personne))
        .execution_options(populate_existing=True)
    ).first()
    if compte is None or not may_connect(compte):
        raise UserError("Le compte qui a demandé cet acte ne s’ouvre plus. Recommencez l’acte avec un autre.")
    with perimetre(session, perimetre_of(compte, Resource.MODELE, Verb.ECRIRE)):
        return acts.lot(session, application, acteur=Actor(nom, compte.id))
