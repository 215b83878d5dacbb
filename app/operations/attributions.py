"""Roles over others: given, given for longer, withdrawn, one or many at once (M1, M2, G1, G2, G5).

A role over one school is given by whoever holds as much over it, a role over more than a school by whoever
holds everything. Nobody gives themselves a role, nor lengthens their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database import lock
from app.errors import RuleViolationError, UserError
from app.extensions import PARIS, now
from app.models import Attribution, Compte, Etablissement, Nomination, Personne
from app.operations import administrateurs, comptes, liens, nominations, pouvoirs
from app.operations.administrateurs import CHEF, PROFILS_NOMMABLES, ROLE, end_of
from app.operations.deployment import Deployment
from app.operations.pouvoirs import Pouvoirs
from app.operations.saisies import Actor
from app.operations.sessions import may_connect

D_ECOLE = (ROLE, CHEF)
"""Roles held over one school."""
SOMMET = "assistant_n2"
TROP_HAUT = "Vous ne tenez pas tous ces droits : seule l’assistance de niveau 2 les donne et les retire."
SOI = "Ces droits sont les vôtres : demandez à un autre administrateur de les changer."
APART = {"hors_perimetre": True}


@dataclass(frozen=True)
class Etendue:
    """Over what a role is held: one of the three, or the whole platform."""

    academie_id: int | None = None
    collectivite_id: int | None = None
    etablissement: Etablissement | None = None


@dataclass
class Bilan:
    """How an act on several roles ended, role by role."""

    faits: list[int] = field(default_factory=list)
    refus: dict[int, str] = field(default_factory=dict)


def donner_dans_ecole(
    session: Session,
    role: str,
    etablissement: Etablissement,
    personne: Personne,
    *,
    dernier_jour: date | None,
    detenus: Pouvoirs = pouvoirs.TOUS,
    deployment: Deployment,
    acteur: Actor,
) -> Attribution | Nomination:
    """Give somebody of a school a role over it; who has not activated their account gets it that day.

    They are sent what they first connect with when their e-mail is known.

    :raises RuleViolationError: the role is not the actor's to give, or the person may not have it.
    """
    _not_oneself(session, personne, acteur)
    known = select(Compte.id).where(Compte.personne_id == personne.id)
    if session.scalars(known, execution_options=APART).first() is not None:
        return administrateurs.nommer(
            session,
            etablissement,
            personne,
            dernier_jour=dernier_jour,
            detenus=detenus,
            acteur=acteur,
            role=role,
        )
    administrateurs.check_may_be_named(session, etablissement, personne, role=role, detenus=detenus)
    if personne.suspendu_le is not None:
        raise RuleViolationError(
            f"Le compte de {personne} est suspendu. Réactivez-le avant de lui donner des droits.",
            field="personne",
        )
    promise = nominations.promettre(
        session, personne, role, etablissement, jusqua=end_of(dernier_jour), acteur=acteur
    )
    if personne.email and personne.login:
        liens.nouveau_mot_de_passe(
            session, personne, acteur, deployment=deployment, etablissement_id=etablissement.id
        )
    return promise


def donner(
    session: Session,
    role: str,
    etendue: Etendue,
    compte: Compte,
    *,
    dernier_jour: date | None,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor,
) -> Attribution:
    """Give an account a role over an académie, a collectivité or the platform.

    :raises RuleViolationError: the actor does not hold everything, or the account may not have it.
    """
    _check_holds_everything(role, detenus)
    if compte.id == acteur.compte_id:
        raise RuleViolationError(SOI, field="compte")
    if not may_connect(compte):
        raise RuleViolationError(
            f"Le compte de {compte} est fermé ou suspendu. Rouvrez-le avant de lui donner des droits.",
            field="compte",
        )
    lock(session, f"attributions:{compte.id}")
    same = select(Attribution).where(
        Attribution.compte_id == compte.id,
        Attribution.role == role,
        _is(Attribution.academie_id, etendue.academie_id),
        _is(Attribution.collectivite_id, etendue.collectivite_id),
    )
    for row in session.scalars(same, execution_options=APART).all():
        if row.jusqua is None or row.jusqua > now():
            raise RuleViolationError(f"{compte} tient déjà ce rôle sur ce périmètre.", field="compte")
        session.delete(row)
    session.flush()
    return comptes.attribuer(
        session,
        compte,
        role,
        academie_id=etendue.academie_id,
        collectivite_id=etendue.collectivite_id,
        jusqua=end_of(dernier_jour),
        acteur=acteur,
    )


def retirer(
    session: Session,
    attribution: Attribution,
    *,
    remplacant: Personne | None = None,
    soi_confirme: bool = False,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor,
) -> None:
    """Withdraw a role; the last local administrator of a school goes when another is named in the same act.

    :raises RuleViolationError: above the actor, one's own without saying so, or nobody left to administer.
    """
    check_may_change(session, attribution, detenus, acteur)
    if attribution.role == ROLE:
        school = attribution.etablissement
        if remplacant is not None and school is not None:
            administrateurs.nommer(session, school, remplacant, detenus=detenus, acteur=acteur)
        administrateurs.retirer(
            session, attribution, soi_confirme=soi_confirme, detenus=detenus, acteur=acteur
        )
        return
    if attribution.compte_id == acteur.compte_id and not soi_confirme:
        raise RuleViolationError(
            "Ces droits sont les vôtres. Cochez la case pour dire que vous y renoncez.", field="soi"
        )
    if attribution.role == SOMMET and _last_of_all(session, attribution):
        raise RuleViolationError(
            f"{attribution.compte} est le dernier assistant de niveau 2 qui puisse se connecter."
            " Donnez ce rôle à un autre avant de le lui retirer."
        )
    comptes.retirer(session, attribution, acteur=acteur)


def fixer_echeance(
    session: Session,
    attribution: Attribution,
    dernier_jour: date | None,
    *,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor,
) -> bool:
    """Say until the end of which day a role is held, None for no end; tell whether that changed anything.

    :raises RuleViolationError: above the actor, one's own, a day that is past, or an ended role whose
        holder has left the school.
    """
    check_may_change(session, attribution, detenus, acteur)
    if attribution.compte_id == acteur.compte_id:
        raise RuleViolationError(SOI)
    until = end_of(dernier_jour)
    before = attribution.jusqua
    if before == until:
        return False
    if before is not None and before <= now():
        _check_still_there(session, attribution)
    attribution.jusqua = until
    comptes.record(
        session,
        "role.fixer_echeance",
        attribution.compte,
        acteur,
        attribution.etablissement_id,
        avant={"dernier_jour": last_day(before)},
        apres={"dernier_jour": dernier_jour},
    )
    return True


def chacun(
    session: Session, attributions: Sequence[Attribution], act: Callable[[Attribution], object]
) -> Bilan:
    """Do an act on each of these roles; one that is refused keeps no other from being done."""
    bilan = Bilan()
    for one in attributions:
        number = one.id
        try:
            with session.begin_nested():
                act(one)
                session.flush()
        except UserError as error:
            bilan.refus[number] = error.message
        else:
            bilan.faits.append(number)
    return bilan


def check_may_change(session: Session, attribution: Attribution, detenus: Pouvoirs, acteur: Actor) -> None:
    """Make sure the actor may change this role of this account (G1, G2).

    :raises RuleViolationError: the role, or another the account holds, is above theirs.
    """
    if attribution.role not in D_ECOLE:
        _check_holds_everything(attribution.role, detenus)
    if attribution.compte_id == acteur.compte_id:
        return
    if pouvoirs.comptes_au_dessus(session, [attribution.compte_id], detenus):
        raise RuleViolationError(pouvoirs.REFUS)


def may_give(role: str, detenus: Pouvoirs) -> bool:
    """Tell whether the actor may give a role somewhere at least."""
    if detenus is pouvoirs.TOUS:
        return True
    return any(role in held.roles and (role in D_ECOLE or held.tout) for held in detenus)


def last_day(until: datetime | None) -> date | None:
    """Return the last day of Paris a role is held, None when it has no end."""
    return (until - timedelta(seconds=1)).astimezone(PARIS).date() if until else None


def _check_holds_everything(role: str, detenus: Pouvoirs) -> None:
    if detenus is not pouvoirs.TOUS and not any(held.tout and role in held.roles for held in detenus):
        raise RuleViolationError(TROP_HAUT)


def _not_oneself(session: Session, personne: Personne, acteur: Actor) -> None:
    if acteur.compte_id is None:
        return
    mine = select(Compte.personne_id).where(Compte.id == acteur.compte_id)
    if session.execute(mine, execution_options=APART).scalar() == personne.id:
        raise RuleViolationError(SOI, field="personne")


def _check_still_there(session: Session, attribution: Attribution) -> None:
    """Give an ended role back only to who still has a place in the school."""
    person, school = attribution.compte.personne_id, attribution.etablissement_id
    if attribution.role not in PROFILS_NOMMABLES or person is None or school is None:
        return
    if not administrateurs.attached(session, person, school, attribution.role):
        raise RuleViolationError(
            f"{attribution.compte} n’a plus de place dans cet établissement :"
            " ces droits ne se prolongent pas."
        )


def _last_of_all(session: Session, attribution: Attribution) -> bool:
    lock(session, "attributions:sommet")
    others = (
        select(func.count())
        .select_from(Attribution)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(
            Attribution.role == SOMMET,
            Attribution.id != attribution.id,
            Attribution.compte_id != attribution.compte_id,
            Attribution.depuis <= now(),
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > now()),
            Compte.active,
            Compte.suspendu_le.is_(None),
            Compte.supprime_le.is_(None),
        )
    )
    return not session.execute(others, execution_options=APART).scalar_one()


def _is(column: InstrumentedAttribute[int | None], value: int | None) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value
