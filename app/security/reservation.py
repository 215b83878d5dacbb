"""What somebody may do with what a school lends: their roles in its service, or their place in the console.

A profile without a role finds nothing there (404). Whoever administers the school keeps its resources
and answers requests besides; whoever only reads it looks on.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.models import Etablissement
from app.queries.droits import roles_of_person, services_of
from app.security.acteur import current_account, current_perimetre
from app.security.mur import Perimetre
from app.security.permissions import Resource, Verb

SERVICE = "reservation"


@dataclass(frozen=True)
class Acces:
    """What the person of the request may do here."""

    personne_id: int | None = None
    voir: bool = False
    demander: bool = False
    valider: bool = False
    gerer: bool = False
    console: bool = False
    """They come from the console: the page is drawn inside the school."""
    actif: bool = True
    """Whether the service is on in the school; off, only the console sees it."""


def access_here(session: Session, school: Etablissement) -> Acces:
    """Return what the person of the request may do with what a school lends."""
    account = current_account()
    if account is None:
        return Acces()
    reads, writes = (
        _holds(current_perimetre(Resource.RESERVATION, verb), school) for verb in (Verb.LIRE, Verb.ECRIRE)
    )
    roles = roles_in(session, account.personne_id, school.id)
    active = bool(roles) or _active(session, school.id)
    return Acces(
        personne_id=account.personne_id,
        voir=bool(roles) or reads,
        demander=bool(roles & {"lecteur", "gestionnaire"}),
        valider="validateur" in roles or (writes and active),
        gerer="gestionnaire" in roles or writes,
        console=reads,
        actif=active,
    )


def roles_in(session: Session, personne_id: int | None, etablissement_id: int) -> frozenset[str]:
    """Return the roles somebody has in the service of a school; none for nobody."""
    if personne_id is None:
        return frozenset()
    return roles_of_person(session, personne_id, etablissement_id, service=SERVICE).get(SERVICE, frozenset())


def _active(session: Session, etablissement_id: int) -> bool:
    found = services_of(session, etablissement_id, service=SERVICE)
    return bool(found) and found[0].actif


def _holds(held: Perimetre, school: Etablissement) -> bool:
    return (
        held.tout
        or school.id in held.etablissements
        or school.academie_id in held.academies
        or school.collectivite_id in held.collectivites
    )
