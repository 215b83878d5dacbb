"""What becomes of a request: accepted, refused with a reason, withdrawn by its author or a manager (R6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError, RuleViolationError
from app.extensions import now
from app.models import Compte, Occupation, Reservation
from app.operations import reservations_courriels as mails
from app.operations.deployment import Deployment
from app.operations.saisies import Actor, clean_text, record
from app.queries.reservations import TENUES

ALREADY = {
    "validee": "Cette demande est déjà acceptée",
    "refusee": "Cette demande est déjà refusée",
    "annulee": "Cette réservation est déjà annulée",
}
LONGEST = 400


@dataclass(frozen=True)
class Ligne:
    """What became of one request of several."""

    reservation_id: int
    faite: bool
    message: str = ""


def decider(
    session: Session,
    etablissement_id: int,
    pk: int,
    *,
    accepter: bool,
    reponse: str,
    acteur: Actor,
    deployment: Deployment,
) -> Reservation:
    """Accept or refuse one request of a school; its author is written to.

    :raises NotFoundError: no such request in the school.
    :raises RuleViolationError: answered already, over, or refused without a reason.
    """
    said = clean_text(
        reponse,
        field="reponse",
        longest=LONGEST,
        required=None if accepter else "Dites pourquoi : la raison est envoyée à la personne.",
    )
    row = _locked(session, etablissement_id, pk)
    if row.etat != "demandee":
        raise RuleViolationError(f"{ALREADY[row.etat]}{_by(session, row)}.")
    if row.fin <= now():
        raise RuleViolationError("Le créneau demandé est passé : il n’y a plus rien à décider.")
    _close(session, row, "validee" if accepter else "refusee", said or "", acteur)
    mails.decided(session, row, deployment=deployment)
    return row


def decider_plusieurs(
    session: Session,
    etablissement_id: int,
    pks: Sequence[int],
    *,
    accepter: bool,
    reponse: str,
    acteur: Actor,
    deployment: Deployment,
) -> list[Ligne]:
    """Accept or refuse several requests; those that cannot be are told and leave the others alone.

    :raises RuleViolationError: refused without a reason.
    """
    if not accepter:
        clean_text(
            reponse,
            field="reponse",
            longest=LONGEST,
            required="Dites pourquoi : la raison est envoyée à chaque personne.",
        )
    told = []
    for pk in sorted(set(pks)):
        try:
            decider(
                session,
                etablissement_id,
                pk,
                accepter=accepter,
                reponse=reponse,
                acteur=acteur,
                deployment=deployment,
            )
        except (RuleViolationError, NotFoundError) as error:
            told.append(Ligne(pk, faite=False, message=error.message))
        else:
            told.append(Ligne(pk, faite=True))
    return told


def annuler(
    session: Session,
    etablissement_id: int,
    pk: int,
    *,
    titulaire_id: int | None,
    motif: str = "",
    acteur: Actor,
    deployment: Deployment,
) -> Reservation:
    """Withdraw a booking: one's own (``titulaire_id``), or anybody's for a manager, who says why.

    :raises NotFoundError: no such booking in the school, or not one's own.
    :raises RuleViolationError: no longer held, over, or withdrawn for somebody else without a reason.
    """
    row = _locked(session, etablissement_id, pk)
    if titulaire_id is not None and row.personne_id != titulaire_id:
        raise NotFoundError("Cette réservation n’existe pas.")
    manager = titulaire_id is None
    said = clean_text(
        motif,
        field="motif",
        longest=LONGEST,
        required="Dites pourquoi : la raison est envoyée à la personne." if manager else None,
    )
    if row.etat not in TENUES:
        raise RuleViolationError(f"{ALREADY[row.etat]} : il n’y a rien à annuler.")
    if row.fin <= now():
        raise RuleViolationError("Cette réservation est passée : elle ne s’annule plus.")
    _close(session, row, "annulee", said or "", acteur)
    if manager:
        mails.withdrawn(session, row, deployment=deployment)
    return row


def _locked(session: Session, etablissement_id: int, pk: int) -> Reservation:
    """Return a booking of the school, held until the end of the transaction."""
    row = session.scalars(
        select(Reservation)
        .where(Reservation.id == pk, Reservation.etablissement_id == etablissement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFoundError("Cette réservation n’existe pas.")
    return row


def _close(session: Session, row: Reservation, etat: str, reponse: str, acteur: Actor) -> None:
    before, row.etat, row.reponse = row.etat, etat, reponse
    row.decidee_le, row.decideur_id = now(), acteur.compte_id
    session.flush()
    if etat not in TENUES:
        session.execute(
            delete(Occupation).where(Occupation.reservation_id == row.id),
            execution_options={"synchronize_session": False, "hors_perimetre": True},
        )
    verb = {"validee": "accepter", "refusee": "refuser", "annulee": "annuler"}[etat]
    changes = {"etat": (before, etat), **({"raison": (None, reponse)} if reponse else {})}
    record(
        session, row, f"reservation.{verb}", acteur, changes=changes, etablissement_id=row.etablissement_id
    )


def _by(session: Session, row: Reservation) -> str:
    who = session.execute(
        select(Compte.first_name, Compte.last_name).where(Compte.id == row.decideur_id),
        execution_options={"hors_perimetre": True},
    ).first()
    return f" par {who.first_name} {who.last_name}" if who else ""
