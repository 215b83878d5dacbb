"""A new e-mail address proves itself: it is one's own once the link sent to it has been opened."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import AdresseAConfirmer, Compte, Personne
from app.operations import mon_espace
from app.operations.coordonnees import clean_address
from app.operations.deployment import Deployment
from app.operations.liens import PAR_HEURE, PERIME
from app.operations.messages import send
from app.operations.sessions import digest
from app.operations.titulaires import Titulaire, holder_of

DUREE = timedelta(hours=24)
APART = {"hors_perimetre": True}


def demander(
    session: Session, personne: Personne, compte: Compte, adresse: str | None, *, deployment: Deployment
) -> str:
    """Send a link to the address somebody typed for themselves; return it, empty when nothing changes.

    :raises RuleViolationError: it is no address, none was typed, or three links left within the hour.
    """
    cleaned = clean_address(adresse)
    if cleaned == personne.email:
        return ""
    if cleaned is None:
        raise RuleViolationError(
            "Une adresse est nécessaire : c’est par elle que l’on vous joint. Remplacez-la par une autre.",
            field="email",
        )
    lock(session, f"adresses:{personne.id}")
    mine = AdresseAConfirmer.personne_id == personne.id
    session.execute(
        delete(AdresseAConfirmer).where(mine, AdresseAConfirmer.expire_le < now()),
        execution_options={**APART, "synchronize_session": False},
    )
    recent = select(func.count()).select_from(AdresseAConfirmer)
    since = AdresseAConfirmer.cree_le > now() - timedelta(hours=1)
    if session.execute(recent.where(mine, since), execution_options=APART).scalar_one() >= PAR_HEURE:
        raise RuleViolationError(
            f"{PAR_HEURE} liens sont déjà partis depuis une heure. Regardez vos courriels, ou recommencez"
            " plus tard.",
            field="email",
        )
    token = secrets.token_urlsafe(32)
    row = AdresseAConfirmer(
        personne_id=personne.id, empreinte=digest(token), adresse=cleaned, expire_le=now() + DUREE
    )
    session.add(row)
    session.flush()
    send(
        session,
        "courriels/confirmer_adresse.html",
        cleaned,
        deployment,
        cle=f"adresse:{row.id}",
        secret=f"{deployment.adresse}/connexion/adresse/{token}",
        qui=Titulaire(personne, compte).call_name,
    )
    return cleaned


def find(session: Session, token: str) -> tuple[AdresseAConfirmer, Titulaire] | None:
    """Return the address a token proves and whose it would be, while it may serve."""
    row = session.scalars(
        select(AdresseAConfirmer)
        .where(AdresseAConfirmer.empreinte == digest(token), AdresseAConfirmer.expire_le > now())
        .options(joinedload(AdresseAConfirmer.personne)),
        execution_options=APART,
    ).one_or_none()
    if row is None:
        return None
    who = holder_of(session, row.personne)
    return None if who.deleted or who.compte is None or who.suspension else (row, who)


def confirmer(session: Session, token: str, *, deployment: Deployment) -> str:
    """Make the address its holder's; the former one is told. Return it.

    :raises RuleViolationError: the link has served or expired.
    """
    found = find(session, token)
    if found is None:
        raise RuleViolationError(PERIME)
    row, who = found
    person, account, address = row.personne, who.compte, row.adresse
    session.execute(
        delete(AdresseAConfirmer).where(AdresseAConfirmer.personne_id == person.id),
        execution_options={**APART, "synchronize_session": False},
    )
    values = {name: getattr(person, name) for name in mon_espace.CHAMPS}
    if account is not None:
        mon_espace.modifier_coordonnees(
            session, person, account, {**values, "email": address}, deployment=deployment
        )
    return address
