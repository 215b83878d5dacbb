"""Who takes over the contents of a service whose owner is gone, in a school (U9)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import GestionnaireService, Personne, Rattachement
from app.operations.saisies import Actor
from app.operations.services import line, service_here
from app.queries.droits import PROFIL_LABELS, ServiceIci, living

GESTIONNAIRE = "gestionnaire"


def designer_gestionnaire(
    session: Session, etablissement_id: int, code: str, personne: Personne, profil: str, *, acteur: Actor
) -> GestionnaireService:
    """Name who takes over the contents of a service whose owner is gone (U9).

    :raises RuleViolationError: contents nobody takes over, a profile that does not manage the service
        here, somebody who is not of the school under it, or who is designated already.
    """
    lock(session, f"services:{etablissement_id}")
    service = service_here(session, etablissement_id, code)
    if not service.reprise_contenus:
        raise RuleViolationError(f"Les contenus de « {service.nom} » ne se reprennent pas.")
    role = service.role(GESTIONNAIRE)
    if role is None or profil not in PROFIL_LABELS or not service.decision(role, profil).accorde:
        raise RuleViolationError(
            f"Ce profil ne gère pas « {service.nom} ». Donnez-lui le droit, ou choisissez-en un autre.",
            field="profil",
        )
    place = select(Rattachement.id).join(Personne, Personne.id == Rattachement.personne_id)
    here = place.where(
        Rattachement.personne_id == personne.id,
        Rattachement.etablissement_id == etablissement_id,
        Rattachement.profil == profil,
        Rattachement.fin.is_(None),
        *living(now()),
    )
    if session.scalars(here.limit(1)).first() is None:
        raise RuleViolationError(
            f"{personne} n’est pas de ce profil dans l’établissement, ou son compte est suspendu.",
            field="personne",
        )
    before = gestionnaire_of(session, etablissement_id, service.id)
    if before is not None and before.personne_id == personne.id and before.profil == profil:
        raise RuleViolationError(f"{personne} est déjà désigné.", field="personne")
    if before is not None:
        before.fin = now()
        session.flush()
    row = GestionnaireService(
        etablissement_id=etablissement_id,
        service_id=service.id,
        personne_id=personne.id,
        profil=profil,
        par=acteur.nom[:160],
    )
    session.add(row)
    session.flush()
    said = {"gestionnaire": str(before.personne) if before else None}, {"gestionnaire": str(personne)}
    line(session, etablissement_id, service, "service.designer", acteur, *said)
    return row


def retirer_gestionnaire(session: Session, etablissement_id: int, code: str, *, acteur: Actor) -> None:
    """Take the contents of a service back from whoever was designated.

    :raises ConflictError: nobody was.
    """
    lock(session, f"services:{etablissement_id}")
    service = service_here(session, etablissement_id, code)
    row = gestionnaire_of(session, etablissement_id, service.id)
    if row is None:
        raise ConflictError(f"Personne n’est désigné pour « {service.nom} ».")
    row.fin = now()
    session.flush()
    said = {"gestionnaire": str(row.personne)}, {"gestionnaire": None}
    line(session, etablissement_id, service, "service.retirer_gestionnaire", acteur, *said)


def gestionnaire_of(session: Session, etablissement_id: int, service_id: int) -> GestionnaireService | None:
    """Return the designation that holds for a service of a school."""
    return session.scalars(
        select(GestionnaireService).where(
            GestionnaireService.etablissement_id == etablissement_id,
            GestionnaireService.service_id == service_id,
            GestionnaireService.fin.is_(None),
        )
    ).first()


def profils_gestionnaires(service: ServiceIci) -> list[str]:
    """Return the profiles that manage a service here: those one chooses a person from."""
    role = service.role(GESTIONNAIRE)
    return [] if role is None else [p for p in PROFIL_LABELS if service.decision(role, p).accorde]
