"""«Mot de passe oublié»: the page writes what was typed, the worker looks for whom and answers by mail.

The page does the same work for everybody, known or not (ATTACKS L3); what was typed is forgotten as soon
as it is answered.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Compte, DemandeLien, LienMotDePasse, Personne
from app.operations import liens
from app.operations.connexions import people_of
from app.operations.deployment import Deployment
from app.operations.messages import send
from app.operations.saisies import Actor
from app.operations.titulaires import Titulaire

DUREE = timedelta(hours=1)
ACTEUR = Actor("Page de connexion")
MOST = 5


def demander(session: Session, saisie: str) -> None:
    """Write that somebody forgot the password of what they typed."""
    typed = saisie.encode("utf-8", "replace").decode().replace("\0", "").strip()
    session.add(DemandeLien(saisie=typed[:320]))
    session.flush()


def repondre(session: Session, demande: DemandeLien, deployment: Deployment) -> int:
    """Send a link to everybody the request may be about, and forget it; return how many mails are queued.

    An address several accounts share gets one link for each, with its identifier.
    """
    typed = demande.saisie
    session.delete(demande)
    sent = 0
    for who in _found(session, typed):
        if not who.address or not liens.room(session, who) or _flooded(session, who.address):
            continue
        if who.suspension:
            _tell_suspended(session, who, deployment)
        else:
            liens.issue(session, who, liens.ENT, ACTEUR, deployment=deployment, duree=DUREE, demande="oubli")
        sent += 1
    return sent


def _flooded(session: Session, address: str) -> bool:
    """Tell whether as many links as one request may send left within the hour for those who read their mail
    there: accounts that name one address do not multiply what it gets.
    """
    recent = (
        select(func.count())
        .select_from(LienMotDePasse)
        .join(Personne, Personne.id == LienMotDePasse.personne_id)
        .where(Personne.email == address, LienMotDePasse.cree_le > now() - timedelta(hours=1))
        .execution_options(hors_perimetre=True)
    )
    return session.execute(recent).scalar_one() >= MOST


def _tell_suspended(session: Session, who: Titulaire, deployment: Deployment) -> None:
    """Tell the holder of a suspended account why no link comes, once an hour at most."""
    held = who.personne or who.compte
    send(
        session,
        "courriels/compte_suspendu.html",
        who.address,
        deployment,
        cle=f"suspendu:{who.keys}:{now():%Y%m%d%H}",
        qui=who.call_name,
        motif=((held and held.motif_suspension) or "").strip(),
    )


def _found(session: Session, typed: str) -> list[Titulaire]:
    """Return who may have forgotten the password of this identifier or address."""
    wanted = typed.lower()
    if not wanted:
        return []
    accounts = session.scalars(
        select(Compte)
        .where(
            or_(
                func.lower(Compte.username) == wanted,
                func.lower(Compte.email) == wanted,
                Compte.personne_id.in_(people_of(typed, wanted)),
            )
        )
        .order_by(Compte.id)
        .limit(MOST)
    ).all()
    holders = [Titulaire(account.personne, account) for account in accounts]
    if not accounts:
        taken = select(Compte.id).where(Compte.personne_id == Personne.id).exists()
        people = session.scalars(select(Personne).where(Personne.login == wanted, ~taken))
        holders = [Titulaire(person, None) for person in people]
    return [who for who in holders if not who.deleted]
