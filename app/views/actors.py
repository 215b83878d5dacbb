"""Who is acting in this request, in the words operations expect."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select

from app.extensions import db
from app.models import Academie, Tache
from app.operations.demandes_alimentation import Limites
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from app.security.manager import allowed, current_account, current_perimetre
from app.security.permissions import Resource, Verb


def actor() -> Actor:
    """Return the person signed in, as the journal names them."""
    account = current_account()
    if account is None:
        return Actor()
    return Actor(f"{account.first_name} {account.last_name}".strip()[:160], account.id)


def deployment() -> Deployment:
    """Return what acts that write mails must know of this console."""
    return Deployment.of(current_app.extensions["reglages"])


def limits() -> Limites:
    """Return which schools this person may feed: their académies whole, or their schools."""
    perimetre = current_perimetre(Resource.ALIMENTATION, Verb.ECRIRE)
    if perimetre.tout:
        return Limites()
    codes = db.session.scalars(
        select(Academie.code).where(Academie.id.in_(sorted(perimetre.academies))).order_by(Academie.code)
    ).all()
    return Limites(tout=False, academies=tuple(codes), etablissements=tuple(sorted(perimetre.etablissements)))


def may_steer(task: Tache) -> bool:
    """Tell whether this person may stop or restart a task: their own, or any for who may write them."""
    account = current_account()
    return allowed(Verb.ECRIRE, Resource.TACHE) or (account is not None and task.compte_id == account.id)
