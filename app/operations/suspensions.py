"""Suspending people and giving their accounts back as they were, one or thousands in one act (U7).

Everything is done by sets, so that ten thousand accounts are a few statements; one person is a set of
one. A row that may not be done says why, and the others are done all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import Attribution, Compte, Personne, SessionCompte
from app.operations import journal, pouvoirs
from app.operations.comptes import clean_reason
from app.operations.pouvoirs import Pouvoirs
from app.operations.saisies import SYSTEME, Actor
from app.operations.sessions import MotifFin
from app.queries.fiche_etablissement import ROLE

DEJA = "Ce compte est déjà suspendu."
PAS_SUSPENDU = "Ce compte n’est pas suspendu."
SOI = "Ce compte est le vôtre : demandez à un autre administrateur de le suspendre."
DERNIER = "C’est le dernier administrateur d’un établissement : nommez-en un autre avant de le suspendre."
ABSENTE = "Cette personne n’existe plus."
DE_L_ACADEMIE = (
    "Cette suspension vient de l’académie : elle seule rend le compte. Adressez-vous à son assistance."
)
APART: dict[str, Any] = {"hors_perimetre": True, "synchronize_session": False}


@dataclass(frozen=True)
class Cible:
    """Somebody to act on, and the school whose journal tells it; for a way back, what is put back."""

    personne_id: int
    etablissement_id: int | None
    suspendu_le: datetime | None = None
    motif: str | None = None


Suspension = tuple[datetime | None, str | None]
"""Since when, and why."""


@dataclass
class Bilan:
    """How an act on a set ended: the suspension written or lifted of each, and why some were refused."""

    faits: dict[int, Suspension] = field(default_factory=dict)
    refus: dict[int, str] = field(default_factory=dict)


def suspendre(
    session: Session,
    personne: Personne,
    motif: str,
    *,
    etablissement_id: int | None,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor = SYSTEME,
) -> None:
    """Suspend somebody: their sessions end, nothing else of theirs changes.

    :raises RuleViolationError: no reason, or the sentence of the refusal.
    """
    one = [Cible(personne.id, etablissement_id)]
    _alone(session, personne, suspendre_lot(session, one, motif, detenus=detenus, acteur=acteur))


def reactiver(
    session: Session,
    personne: Personne,
    *,
    etablissement_id: int | None,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor = SYSTEME,
) -> None:
    """Give somebody their account back as it was.

    :raises RuleViolationError: the sentence of the refusal.
    """
    one = [Cible(personne.id, etablissement_id)]
    _alone(session, personne, reactiver_lot(session, one, detenus=detenus, acteur=acteur))


def suspendre_lot(
    session: Session,
    cibles: Sequence[Cible],
    motif: str,
    *,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor = SYSTEME,
) -> Bilan:
    """Suspend a set of people for one reason, or each as they were when ``Cible`` says how.

    :raises RuleViolationError: no reason was given.
    """
    reason = clean_reason(motif)
    people, bilan = _locked(session, cibles)
    for key, person in people.items():
        if person.suspendu_le is not None:
            bilan.refus[key] = DEJA
    _refuse_others(session, people, bilan, detenus, acteur)
    _keep_administrators(session, people, bilan)
    done = [one for one in cibles if one.personne_id in people and one.personne_id not in bilan.refus]
    for since, why, ids in _by_state(done, now(), reason):
        _write(session, ids, since, why, pouvoirs.ACADEMIE if pouvoirs.academique(detenus) else None)
        bilan.faits.update(dict.fromkeys(ids, (since, why)))
    _end_sessions(session, list(bilan.faits))
    _journal(session, "compte.suspendre", done, people, acteur, reason)
    return bilan


def reactiver_lot(
    session: Session, cibles: Sequence[Cible], *, detenus: Pouvoirs = pouvoirs.TOUS, acteur: Actor = SYSTEME
) -> Bilan:
    """Lift the suspension of a set of people; ``Bilan.faits`` says what each one was.

    A ``Cible`` with a date is only given back the account that was suspended at that very instant: who
    was suspended again since stays so.
    """
    people, bilan = _locked(session, cibles)
    since = {one.personne_id: one.suspendu_le for one in cibles}
    for key, person in people.items():
        if person.suspendu_le is None:
            bilan.refus[key] = PAS_SUSPENDU
        elif since[key] is not None and person.suspendu_le != since[key]:
            bilan.refus[key] = "Ce compte a été suspendu de nouveau depuis."
        elif person.suspension_de and detenus is not pouvoirs.TOUS and not pouvoirs.academique(detenus):
            bilan.refus[key] = DE_L_ACADEMIE
    _refuse_others(session, people, bilan, detenus, acteur)
    done = [one for one in cibles if one.personne_id in people and one.personne_id not in bilan.refus]
    ids = [one.personne_id for one in done]
    bilan.faits = {key: (people[key].suspendu_le, people[key].motif_suspension) for key in ids}
    _write(session, ids, None, None, None)
    _journal(session, "compte.retablir", done, people, acteur, None)
    return bilan


def _alone(session: Session, personne: Personne, bilan: Bilan) -> None:
    if personne.id in bilan.refus:
        raise RuleViolationError(bilan.refus[personne.id])
    session.expire(personne, ["suspendu_le", "motif_suspension", "suspension_de", "modifie_le"])


def _locked(session: Session, cibles: Sequence[Cible]) -> tuple[dict[int, Any], Bilan]:
    """Read the people and keep others from changing them, in one order for all; refuse who is no more."""
    ids = sorted({one.personne_id for one in cibles})
    session.flush()
    rows = session.execute(
        select(
            Personne.id,
            Personne.nom,
            Personne.nom_usage,
            Personne.prenom,
            Personne.suspendu_le,
            Personne.motif_suspension,
            Personne.suspension_de,
        )
        .where(Personne.id.in_(ids))
        .order_by(Personne.id)
        .with_for_update()
    )
    people = {row.id: row for row in rows}
    return people, Bilan(refus={key: ABSENTE for key in ids if key not in people})


def _refuse_others(
    session: Session, people: Mapping[int, Any], bilan: Bilan, detenus: Pouvoirs, acteur: Actor
) -> None:
    """Refuse oneself, and who holds more than the actor (G2)."""
    if acteur.compte_id is not None:
        mine = session.execute(
            select(Compte.personne_id).where(Compte.id == acteur.compte_id), execution_options=APART
        ).scalar()
        if mine is not None and mine in people:
            bilan.refus[mine] = SOI
    for key in pouvoirs.au_dessus(session, people.keys(), detenus):
        bilan.refus.setdefault(key, pouvoirs.REFUS)
    for key in pouvoirs.d_ailleurs(session, people.keys(), detenus):
        bilan.refus.setdefault(key, pouvoirs.AILLEURS)


def _keep_administrators(session: Session, people: Mapping[int, Any], bilan: Bilan) -> None:
    """Refuse the last of the administrators of each school that would have none left (G5)."""
    moment = now()
    usable = (
        Attribution.role == ROLE,
        Attribution.depuis <= moment,
        or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
        Compte.active,
        Compte.supprime_le.is_(None),
        Compte.suspendu_le.is_(None),
    )
    asked = [key for key in people if key not in bilan.refus]
    held = (
        select(Attribution.etablissement_id)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(*usable, Compte.personne_id.in_(asked), Attribution.etablissement_id.is_not(None))
    )
    schools = {school for school in session.scalars(held, execution_options=APART) if school is not None}
    for school in sorted(schools):
        lock(session, f"administrateurs:{school}")
        everybody = session.execute(
            select(Compte.personne_id)
            .join(Attribution, Compte.id == Attribution.compte_id)
            .where(*usable, Attribution.etablissement_id == school)
            .order_by(Attribution.id),
            execution_options=APART,
        ).scalars()
        admins = [key for key in dict.fromkeys(everybody) if key is not None]
        going = [key for key in admins if key in people and key not in bilan.refus]
        if admins and len(going) == len(admins):
            bilan.refus[going[-1]] = DERNIER


def _by_state(
    cibles: Sequence[Cible], moment: datetime, reason: str
) -> list[tuple[datetime, str, list[int]]]:
    """Group the people who get the same suspension."""
    groups: dict[tuple[datetime, str], list[int]] = {}
    for one in cibles:
        groups.setdefault((one.suspendu_le or moment, one.motif or reason), []).append(one.personne_id)
    return [(*state, ids) for state, ids in groups.items()]


def _write(
    session: Session, ids: Sequence[int], le: datetime | None, motif: str | None, de: str | None
) -> None:
    """Write a suspension; the version of the person stays, for nobody types this on a sheet."""
    if ids:
        session.execute(
            update(Personne)
            .where(Personne.id.in_(ids))
            .values(suspendu_le=le, motif_suspension=motif, suspension_de=de, modifie_le=now()),
            execution_options=APART,
        )


def _end_sessions(session: Session, ids: Sequence[int]) -> None:
    theirs = select(Compte.id).where(Compte.personne_id.in_(ids))
    session.execute(
        update(SessionCompte)
        .where(SessionCompte.fin.is_(None), SessionCompte.compte_id.in_(theirs))
        .values(fin=now(), motif_fin=str(MotifFin.SUSPENSION)),
        execution_options=APART,
    )


def _journal(
    session: Session,
    acte: str,
    cibles: Sequence[Cible],
    people: Mapping[int, Any],
    acteur: Actor,
    motif: str | None,
) -> None:
    lines = []
    for one in cibles:
        person = people[one.personne_id]
        name = f"{(person.nom_usage or person.nom).upper()} {person.prenom}"
        before = {"motif": person.motif_suspension} if motif is None else None
        after = None if motif is None else {"motif": one.motif or motif}
        lines.append(journal.Ligne(one.personne_id, name, one.etablissement_id, before, after))
    journal.write_many(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="personne",
        lignes=lines,
    )
