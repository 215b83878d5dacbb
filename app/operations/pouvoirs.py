"""Nobody acts on the account of somebody who holds more than they do (G1, G2).

Whoever changes the e-mail of an account, suspends it or has its password renewed holds it in hand; that
asks for every right the account has, over all its perimeter. What the actor holds is worked out by
``app.security.delegation`` and handed in, for rights are code and live there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import PROFILS, Attribution, Compte, Etablissement, Rattachement

REFUS = (
    "Cette personne tient des droits que vous n’avez pas : seule l’assistance de l’académie agit"
    " sur son compte."
)
AILLEURS = (
    "Le compte de cette personne, invitée ici, est tenu par un autre établissement\u00a0:"
    " adressez-vous à lui, ou à l’assistance de l’académie."
)


@dataclass(frozen=True)
class Pouvoir:
    """One role the actor holds: the roles it is worth, and over what."""

    roles: frozenset[str]
    tout: bool = False
    academies: frozenset[int] = frozenset()
    collectivites: frozenset[int] = frozenset()
    etablissements: frozenset[int] = frozenset()

    def covers(self, role: str, academie: int | None, collectivite: int | None, ecole: int | None) -> bool:
        """Tell whether this is worth a role over a school (with its académie and collectivité) or more."""
        return role in self.roles and self.reaches(academie, collectivite, ecole)

    def reaches(self, academie: int | None, collectivite: int | None, ecole: int | None) -> bool:
        """Tell whether this is held over a school, known with its académie and collectivité."""
        return (
            self.tout
            or academie in self.academies
            or collectivite in self.collectivites
            or ecole in self.etablissements
        )


ACADEMIE = "academie"


TOUS: None = None
"""What Préau itself holds: everything."""
Pouvoirs = Sequence[Pouvoir] | None


def academique(pouvoirs: Pouvoirs) -> bool:
    """Tell whether the actor acts for an académie, or for the whole platform."""
    return pouvoirs is not TOUS and any(held.tout or held.academies for held in pouvoirs)


def au_dessus(session: Session, personne_ids: Collection[int], pouvoirs: Pouvoirs) -> set[int]:
    """Return those of these people whose account holds a right the actor does not.

    Their roles are read wherever they are held, beyond the perimeter of the actor too.
    """
    return _above(session, Compte.personne_id, personne_ids, pouvoirs)


def comptes_au_dessus(session: Session, compte_ids: Collection[int], pouvoirs: Pouvoirs) -> set[int]:
    """Return those of these accounts that hold a right the actor does not; nobody may hold some of them."""
    return _above(session, Compte.id, compte_ids, pouvoirs)


def _above(
    session: Session, key: InstrumentedAttribute[Any], ids: Collection[int], pouvoirs: Pouvoirs
) -> set[int]:
    if pouvoirs is TOUS or not ids:
        return set()
    instant = now()
    rows = session.execute(
        select(
            key,
            Attribution.role,
            Attribution.academie_id,
            Attribution.collectivite_id,
            Attribution.etablissement_id,
            Etablissement.academie_id,
            Etablissement.collectivite_id,
        )
        .join(Compte, Compte.id == Attribution.compte_id)
        .outerjoin(Etablissement, Etablissement.id == Attribution.etablissement_id)
        .where(
            key.in_(list(ids)),
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > instant),
            Attribution.role.not_in(PROFILS),
        ),
        execution_options={"hors_perimetre": True},
    )
    above = set()
    for holder, role, academie, collectivite, school, of_academie, of_collectivite in rows:
        where = (academie or of_academie, collectivite or of_collectivite, school)
        if not any(held.covers(role, *where) for held in pouvoirs):
            above.add(holder)
    return above


def d_ailleurs(session: Session, personne_ids: Collection[int], pouvoirs: Pouvoirs) -> set[int]:
    """Return those of these people whom the actor only has as guests, or not at all, and another school had
    before: anybody may let in a guest whose login they know, and would hold their account by it.
    """
    if pouvoirs is TOUS or not personne_ids:
        return set()
    rows = session.execute(
        select(
            Rattachement.personne_id,
            Rattachement.profil,
            Etablissement.academie_id,
            Etablissement.collectivite_id,
            Etablissement.id,
        )
        .join(Etablissement, Etablissement.id == Rattachement.etablissement_id)
        .where(Rattachement.personne_id.in_(list(personne_ids)), Rattachement.fin.is_(None))
        .order_by(Rattachement.profil == "invite", Rattachement.id),
        execution_options={"hors_perimetre": True},
    ).all()
    theirs: dict[int, bool] = {}
    mine: set[int] = set()
    for person, profil, *where in rows:
        reached = any(held.reaches(*where) for held in pouvoirs)
        theirs.setdefault(person, not reached)  # the first place is the one that holds the account
        if reached and profil != "invite":
            mine.add(person)
    return {person for person, away in theirs.items() if away and person not in mine}


def verifier(session: Session, personne_id: int, pouvoirs: Pouvoirs) -> None:
    """Make sure the actor may act on the account of this person.

    :raises RuleViolationError: they hold more than the actor.
    """
    if au_dessus(session, [personne_id], pouvoirs):
        raise RuleViolationError(REFUS)


def verifier_tenu(session: Session, personne_id: int, pouvoirs: Pouvoirs) -> None:
    """Make sure the actor may take the account of this person in hand: change what opens it.

    :raises RuleViolationError: they hold more than the actor, or are another school's guest.
    """
    verifier(session, personne_id, pouvoirs)
    if d_ailleurs(session, [personne_id], pouvoirs):
        raise RuleViolationError(AILLEURS)
