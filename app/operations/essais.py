"""«Tester»: asked for by somebody, done in the background, kept with who asked and what it found.

The connection is made outside any transaction: nothing waits for a server that does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import ComposantService, EssaiService, Service
from app.operations import journal, reglages, sondes, taches
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from app.operations.sondes import Cible, Resultat

TESTER = "services.tester"
A_MINUTE = 6
KEPT = timedelta(days=90)
TOO_MANY = "Cet établissement a déjà fait {count} essais en une minute. Attendez un peu, puis recommencez."
NOTHING = "Écrivez d’abord l’adresse à tester."


def demander_essai(
    session: Session,
    etablissement_id: int,
    service: Service,
    saisie: Mapping[str, Any],
    *,
    composant: ComposantService | None = None,
    deployment: Deployment,
    acteur: Actor,
) -> EssaiService:
    """Ask for a try of what somebody typed; nothing of it is saved as a setting.

    A secret left empty is the one kept, when one connects where it was typed for.

    :raises RuleViolationError: a value the schema refuses, nothing to try, or too many tries.
    """
    lock(session, f"services:{etablissement_id}")
    item = composant or service
    row = reglages.reglage_of(session, etablissement_id, service, composant)
    values, held, _changed = reglages.typed_values(item.reglages, saisie, row, deployment)
    target = sondes.target_of(item.reglages, values, held)
    if target is None:
        raise RuleViolationError(NOTHING)
    _throttle(session, etablissement_id)
    tried = EssaiService(
        etablissement_id=etablissement_id,
        service_id=service.id,
        composant_id=composant.id if composant else None,
        cible=str(target)[:300],
        valeurs=values,
        secrets=reglages.seal(held, deployment),
        par=acteur.nom[:160],
        compte_id=acteur.compte_id,
    )
    session.add(tried)
    session.flush()
    taches.request(
        session,
        TESTER,
        libelle=f"Essai de connexion : {item}",
        parametres={"essai_id": tried.id},
        compte_id=acteur.compte_id,
        etablissement_id=etablissement_id,
    )
    return tried


def _throttle(session: Session, etablissement_id: int) -> None:
    """Refuse the try too many; forget those of long ago."""
    moment = now()
    mine = EssaiService.etablissement_id == etablissement_id
    recent = select(func.count()).where(mine, EssaiService.demande_le > moment - timedelta(minutes=1))
    if (session.scalar(recent) or 0) >= A_MINUTE:
        raise RuleViolationError(TOO_MANY.format(count=A_MINUTE))
    session.execute(
        delete(EssaiService)
        .where(mine, EssaiService.demande_le < moment - KEPT)
        .execution_options(synchronize_session=False)
    )


def cible_of(tried: EssaiService, deployment: Deployment) -> Cible | None:
    """Return what a try connects to; None when its service is no longer set that way."""
    schema = (tried.composant or tried.service).reglages
    return sondes.target_of(schema, tried.valeurs, reglages.secrets_of(tried, deployment))


def conclure(session: Session, tried: EssaiService, found: Resultat) -> None:
    """Write what a try found, with its line in the journal; the secrets it used go."""
    tried.reussi, tried.phrase, tried.statut = found.reussi, found.phrase[:300], found.statut
    tried.duree_ms, tried.fini_le, tried.secrets = round(found.secondes * 1000), now(), None
    session.flush()
    item = tried.composant or tried.service
    journal.write(
        session,
        acte="service.tester",
        acteur=tried.par,
        compte_id=tried.compte_id,
        objet_type=item.__tablename__,
        objet_id=item.id,
        objet=str(item),
        etablissement_id=tried.etablissement_id,
        apres={
            "adresse": tried.cible,
            "reussi": tried.reussi,
            "resultat": tried.phrase,
            **({"statut": tried.statut} if tried.statut else {}),
        },
    )
