"""How a school sets a service: values read after the schema the catalogue gives, secrets sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError
from app.models import (
    ComposantEtablissement,
    ComposantService,
    EssaiService,
    EtatService,
    ReglageService,
    Service,
)
from app.operations import champs_service, coffre, journal, preuves
from app.operations.deployment import Deployment
from app.operations.saisies import Actor

USE = "reglage_service"
STALE = "Ces réglages ont été modifiés entre-temps. Relisez-les, puis enregistrez de nouveau."


def reglage_of(
    session: Session, etablissement_id: int, service: Service, composant: ComposantService | None = None
) -> ReglageService | None:
    """Return how a school set a service, or one of its components; None while it did not."""
    statement = select(ReglageService).where(
        ReglageService.etablissement_id == etablissement_id,
        ReglageService.service_id == service.id,
        ReglageService.composant_id == (composant.id if composant else None),
    )
    return session.scalars(statement).one_or_none()


def enregistrer_reglages(
    session: Session,
    etablissement_id: int,
    service: Service,
    saisie: Mapping[str, Any],
    *,
    composant: ComposantService | None = None,
    version: int | None = None,
    sans_essai: bool = False,
    deployment: Deployment,
    acteur: Actor,
) -> ReglageService:
    """Write what a school typed for a service, or for one component; return the row.

    A secret left empty stays as it was. ``version``: of the row the person saw, None when there was none.
    ``sans_essai``: what is on may be given an address no try reached, knowingly.

    :raises RuleViolationError: a value the schema refuses, on its field.
    :raises ConflictError: somebody saved other values since.
    """
    lock(session, f"services:{etablissement_id}")
    schema = (composant or service).reglages
    row = reglage_of(session, etablissement_id, service, composant)
    if version != (row.version if row else None):
        raise ConflictError(STALE)
    values, held, changed = typed_values(schema, saisie, row, deployment)
    champs_service.check_required(schema, {**values, **held})
    if not sans_essai and champs_service.moved(schema, row.valeurs if row else {}, values):
        _check_try(session, etablissement_id, service, composant, values)
    if row is None:
        row = ReglageService(
            etablissement_id=etablissement_id,
            service_id=service.id,
            composant_id=composant.id if composant else None,
            valeurs={},
        )
        session.add(row)
    before = dict(row.valeurs)
    row.valeurs, row.par = values, acteur.nom[:160]
    row.secrets = seal(held, deployment)
    session.flush()
    _journal(session, row, composant or service, before, changed, acteur)
    return row


def typed_values(
    schema: champs_service.Schema,
    saisie: Mapping[str, Any],
    row: ReglageService | None,
    deployment: Deployment,
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Read what was typed over a row; return values, secrets that hold, and which of these changed.

    :raises RuleViolationError: a value the schema refuses, on its field.
    """
    values = champs_service.read(schema, saisie)
    typed = {code: values.pop(code) for code in champs_service.secret_codes(schema)}
    kept = secrets_of(row, deployment) if row else {}
    moved = champs_service.moved(schema, row.valeurs if row else {}, values)
    held = champs_service.keep_secrets(schema, saisie, typed, kept, moved=moved)
    return values, held, sorted(code for code in typed if held.get(code) != kept.get(code) or typed[code])


def _check_try(
    session: Session,
    etablissement_id: int,
    service: Service,
    composant: ComposantService | None,
    values: Mapping[str, Any],
) -> None:
    """Refuse to give what is on an address no try reached."""
    if champs_service.asks_for_try((composant or service).reglages) and _is_on(
        session, etablissement_id, service, composant
    ):
        preuves.check(session, etablissement_id, service.id, composant.id if composant else None, values)


def _is_on(
    session: Session, etablissement_id: int, service: Service, composant: ComposantService | None
) -> bool:
    if composant is not None:
        held = select(ComposantEtablissement.id).where(
            ComposantEtablissement.etablissement_id == etablissement_id,
            ComposantEtablissement.composant_id == composant.id,
            ComposantEtablissement.fin.is_(None),
        )
        return session.scalars(held).first() is not None
    state = select(EtatService.actif).where(
        EtatService.etablissement_id == etablissement_id,
        EtatService.service_id == service.id,
        EtatService.fin.is_(None),
    )
    said = session.scalars(state).first()
    return service.nature == "initial" if said is None else said


def seal(secrets: Mapping[str, str], deployment: Deployment) -> str | None:
    """Return secrets as the base keeps them, None when there are none."""
    return coffre.seal(deployment.cle, USE, json.dumps(dict(secrets))) if secrets else None


def secrets_of(row: ReglageService | EssaiService, deployment: Deployment) -> dict[str, str]:
    """Return the secrets of a row, opened; none that another key sealed. Never to a page."""
    if row.secrets is None:
        return {}
    try:
        opened: dict[str, str] = json.loads(coffre.unseal(deployment.cle, USE, row.secrets))
    except coffre.CoffreFermeError:
        return {}
    return opened


def _journal(
    session: Session,
    row: ReglageService,
    item: Service | ComposantService,
    before: Mapping[str, Any],
    secrets: Sequence[str],
    acteur: Actor,
) -> None:
    """Write what changed; of a secret, that it did."""
    labels = {field["code"]: field["libelle"] for field in item.reglages}
    names = [code for code in labels if before.get(code) != row.valeurs.get(code)]
    if not names and not secrets:
        return
    after: dict[str, Any] = {code: row.valeurs.get(code) for code in names}
    if secrets:
        after["champs_proteges"] = [labels[code] for code in secrets]
    journal.write(
        session,
        acte="service.regler",
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type=item.__tablename__,
        objet_id=item.id,
        objet=str(item),
        etablissement_id=row.etablissement_id,
        avant={code: before.get(code) for code in names},
        apres=after,
    )
