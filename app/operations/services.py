"""Acts of a school on its services: switched on or off, whole or by component.

Each closes what held and opens what holds from now on, with its journal line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, NotFoundError, RuleViolationError
from app.extensions import now
from app.models import ComposantEtablissement, ComposantService, EtatService, ReglageService
from app.operations import bilans, journal, preuves
from app.operations.champs_service import asks_for_try
from app.operations.saisies import Actor
from app.queries.abonnements import subscribed
from app.queries.droits import ServiceIci, services_of

OBJET = "service"


def service_here(session: Session, etablissement_id: int, code: str) -> ServiceIci:
    """Return a service offered to a school.

    :raises NotFoundError: it is not.
    """
    found = services_of(session, etablissement_id, service=code)
    if not found:
        raise NotFoundError("Ce service n’est pas proposé à cet établissement.")
    return found[0]


def basculer(
    session: Session,
    etablissement_id: int,
    code: str,
    actif: bool,
    *,
    sans_essai: bool = False,
    acteur: Actor,
) -> ServiceIci:
    """Switch an optional service on or off in a school; return it as it was.

    ``sans_essai``: switched on though no try reached the address it is set to, knowingly (R7, R8).

    :raises RuleViolationError: an initial service, one whose settings are missing or were not tried.
    :raises ConflictError: it is so already.
    """
    lock(session, f"services:{etablissement_id}")
    service = service_here(session, etablissement_id, code)
    if service.nature == "initial":
        raise RuleViolationError(f"« {service.nom} » est un service initial : il est toujours actif.")
    if service.actif == actif:
        raise ConflictError(f"« {service.nom} » est déjà {'actif' if actif else 'inactif'}.")
    untried = actif and not _check_settings(
        session, etablissement_id, service.reglages, service.id, None, sans_essai=sans_essai
    )
    moment = now()
    session.execute(
        update(EtatService)
        .where(
            EtatService.etablissement_id == etablissement_id,
            EtatService.service_id == service.id,
            EtatService.fin.is_(None),
        )
        .values(fin=moment)
        .execution_options(synchronize_session=False)
    )
    session.add(
        EtatService(
            etablissement_id=etablissement_id,
            service_id=service.id,
            actif=actif,
            debut=moment,
            par=acteur.nom[:160],
        )
    )
    session.flush()
    bilans.compter_services(session, [etablissement_id])
    line(
        session, etablissement_id, service, "service.activer" if actif else "service.desactiver", acteur,
        {"actif": service.actif}, {"actif": actif, **({"sans_essai": True} if untried else {})},
    )  # fmt: skip
    return service


def basculer_composant(
    session: Session,
    etablissement_id: int,
    composant: ComposantService,
    actif: bool,
    *,
    sans_essai: bool = False,
    acteur: Actor,
) -> None:
    """Switch a software or a resource on or off in a school.

    :raises RuleViolationError: another one of its place is on, its settings are missing or were not tried,
        or it is not subscribed to.
    :raises ConflictError: it is so already.
    """
    lock(session, f"services:{etablissement_id}")
    service = service_here(session, etablissement_id, composant.service.code)
    statement = select(ComposantEtablissement).where(
        ComposantEtablissement.etablissement_id == etablissement_id,
        ComposantEtablissement.service_id == service.id,
        ComposantEtablissement.fin.is_(None),
    )
    held = {row.composant_id: row for row in session.scalars(statement)}
    if (composant.id in held) == actif:
        raise ConflictError(f"« {composant} » est déjà {'actif' if actif else 'inactif'}.")
    untried = False
    if not actif:
        held[composant.id].fin = now()
    else:
        if composant.retire_le is not None:
            raise NotFoundError("Ce choix n’est plus au catalogue.")
        if composant.sur_abonnement and composant.id not in subscribed(session, etablissement_id):
            raise RuleViolationError(f"L’établissement n’est pas abonné à « {composant} ».")
        same = [row for row in held.values() if composant.place and row.place == composant.place]
        if same:
            raise RuleViolationError(
                f"« {same[0].composant} » est déjà le logiciel {composant.place} actif."
                " Désactivez-le d’abord."
            )
        untried = not _check_settings(
            session, etablissement_id, composant.reglages, service.id, composant.id, sans_essai=sans_essai
        )
        session.add(
            ComposantEtablissement(
                etablissement_id=etablissement_id,
                composant_id=composant.id,
                service_id=service.id,
                place=composant.place,
                par=acteur.nom[:160],
            )
        )
    session.flush()
    said = {f"{composant}": actif, **({"sans_essai": True} if untried else {})}
    line(session, etablissement_id, service, "service.composant", acteur, {f"{composant}": not actif}, said)


def _check_settings(
    session: Session,
    etablissement_id: int,
    schema: Sequence[Mapping[str, Any]],
    service_id: int,
    composant_id: int | None,
    *,
    sans_essai: bool,
) -> bool:
    """Refuse to switch on what cannot work before it is set; return False when it was not tried either."""
    missing = [str(one["libelle"]) for one in schema if one.get("obligatoire")]
    if not missing:
        return True
    statement = select(ReglageService.valeurs).where(
        ReglageService.etablissement_id == etablissement_id,
        ReglageService.service_id == service_id,
        ReglageService.composant_id == composant_id,
    )
    values = session.scalars(statement.limit(1)).first()
    if values is None:
        raise RuleViolationError(f"Renseignez d’abord ses réglages : {', '.join(missing)}.")
    if not asks_for_try(schema):
        return True
    target = (session, etablissement_id, service_id, composant_id, values)
    if sans_essai:
        return preuves.reached(*target)
    preuves.check(*target)
    return True


def line(
    session: Session,
    etablissement_id: int,
    service: ServiceIci,
    acte: str,
    acteur: Actor,
    avant: Mapping[str, Any],
    apres: Mapping[str, Any],
) -> None:
    """Write the journal line of an act on a service of a school."""
    journal.write(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type=OBJET,
        objet_id=service.id,
        objet=service.nom,
        etablissement_id=etablissement_id,
        avant=avant,
        apres=apres,
    )
