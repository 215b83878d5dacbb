"""Local administrators of a school: name one, withdraw one; a school that has some keeps one (M2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import PARIS, now
from app.models import Attribution, Compte, Etablissement, Personne, Rattachement
from app.operations import comptes, pouvoirs
from app.operations.pouvoirs import Pouvoirs
from app.operations.saisies import Actor, past
from app.operations.sessions import may_connect
from app.queries.fiche_etablissement import NOMMABLES, ROLE

CHEF = "chef_etablissement"
PROFILS_NOMMABLES = {ROLE: NOMMABLES, CHEF: ("enseignant", "personnel")}
"""Role held over one school → profiles one may hold it under there."""
NOMS = {ROLE: "administrateur local", CHEF: "chef d’établissement"}
NI_INVITE = {ROLE: ", ni invité", CHEF: ""}


def nommer(
    session: Session,
    etablissement: Etablissement,
    personne: Personne,
    *,
    dernier_jour: date | None = None,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor,
    role: str = ROLE,
) -> Attribution:
    """Make somebody of the school its local administrator, until the end of a day when one is given.

    ``role`` is another role held over one school, given under the same rules.

    :raises RuleViolationError: wrong profile, no usable account, already one, or a day that is past.
    """
    check_may_be_named(session, etablissement, personne, role=role, detenus=detenus)
    compte = session.scalars(select(Compte).where(Compte.personne_id == personne.id)).first()
    if compte is None:
        raise RuleViolationError(
            f"{personne} n’a pas encore activé son compte. Remettez-lui ses identifiants de première"
            " connexion, puis recommencez.",
            field="personne",
        )
    if not may_connect(compte):
        raise RuleViolationError(
            f"Le compte de {personne} est suspendu. Réactivez-le avant de lui donner des droits.",
            field="personne",
        )
    held = select(Attribution).where(*_now_of(etablissement.id, role), Attribution.compte_id == compte.id)
    if session.scalars(held).first() is not None:
        raise RuleViolationError(f"{personne} est déjà {NOMS[role]} de cet établissement.", field="personne")
    _forget_ended(session, compte.id, etablissement.id, role)
    return comptes.attribuer(
        session,
        compte,
        role,
        etablissement_id=etablissement.id,
        jusqua=end_of(dernier_jour),
        acteur=acteur,
    )


def check_may_be_named(
    session: Session, etablissement: Etablissement, personne: Personne, *, role: str, detenus: Pouvoirs
) -> None:
    """Make sure the actor may give the role, and the person have it; others wait until the act is over.

    :raises RuleViolationError: the actor does not hold it, or the person has no place that allows it.
    """
    _check_held(etablissement, detenus, role)
    serialise(session, etablissement.id)
    if not attached(session, personne.id, etablissement.id, role):
        raise RuleViolationError(
            f"{personne} n’est ni enseignant, ni personnel{NI_INVITE[role]} de cet établissement."
            " Choisissez une personne de la liste.",
            field="personne",
        )


def retirer(
    session: Session,
    attribution: Attribution,
    *,
    soi_confirme: bool,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor,
) -> None:
    """Withdraw the rights of a local administrator; what they had open closes at once.

    :raises RuleViolationError: for the last one, and for oneself when it was not said in so many words.
    """
    school_id = attribution.etablissement_id or 0
    person_id = attribution.compte.personne_id
    if person_id is not None and attribution.compte_id != acteur.compte_id:
        pouvoirs.verifier(session, person_id, detenus)
    serialise(session, school_id)
    if attribution.compte_id == acteur.compte_id and not soi_confirme:
        raise RuleViolationError(
            "Ces droits sont les vôtres. Cochez la case pour dire que vous y renoncez.", field="soi"
        )
    if seul(session, attribution):
        raise RuleViolationError(
            f"{attribution.compte} est le seul administrateur de cet établissement."
            " Nommez-en un autre avant de lui retirer ses droits."
        )
    comptes.retirer(session, attribution, acteur=acteur)


def seul(session: Session, attribution: Attribution) -> bool:
    """Tell whether a school would have no administrator who may connect without this one (G5)."""
    others = (
        select(func.count())
        .select_from(Attribution)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(*_now_of(attribution.etablissement_id or 0, ROLE), Attribution.id != attribution.id)
        .where(Compte.active, Compte.suspendu_le.is_(None), Compte.supprime_le.is_(None))
    )
    return not session.execute(others, execution_options={"hors_perimetre": True}).scalar_one()


def _check_held(school: Etablissement, detenus: Pouvoirs, role: str) -> None:
    """Nobody grants more than they hold (M2, G1)."""
    where = (role, school.academie_id, school.collectivite_id, school.id)
    if detenus is not pouvoirs.TOUS and not any(held.covers(*where) for held in detenus):
        raise RuleViolationError(
            "Vous n’administrez pas cet établissement : vous ne pouvez pas en donner les droits.",
            field="personne",
        )


def _now_of(etablissement_id: int, role: str) -> tuple[ColumnElement[bool], ...]:
    moment = now()
    return (
        Attribution.etablissement_id == etablissement_id,
        Attribution.role == role,
        Attribution.depuis <= moment,
        or_(Attribution.jusqua.is_(None), Attribution.jusqua > moment),
    )


def attached(session: Session, personne_id: int, etablissement_id: int, role: str = ROLE) -> bool:
    """Tell whether somebody has a place in a school that lets them hold the role there."""
    place = select(Rattachement.id).where(
        Rattachement.personne_id == personne_id,
        Rattachement.etablissement_id == etablissement_id,
        Rattachement.profil.in_(PROFILS_NOMMABLES[role]),
        Rattachement.fin.is_(None),
    )
    return session.scalars(place.limit(1)).first() is not None


def _forget_ended(session: Session, compte_id: int, etablissement_id: int, role: str) -> None:
    """Remove a grant whose term is over: the same one may be given again."""
    ended = select(Attribution).where(
        Attribution.compte_id == compte_id,
        Attribution.etablissement_id == etablissement_id,
        Attribution.role == role,
    )
    for row in session.scalars(ended):
        session.delete(row)
    session.flush()


def end_of(day: date | None) -> datetime | None:
    """Return the instant a day of Paris is over.

    :raises RuleViolationError: it is past.
    """
    if day is None:
        return None
    end = datetime.combine(day + timedelta(days=1), time(), PARIS).astimezone(UTC)
    if end <= now():
        raise past(day)
    return end


def serialise(session: Session, etablissement_id: int) -> None:
    """Two acts at once on the administrators of one school come one after the other."""
    lock(session, f"administrateurs:{etablissement_id}")
