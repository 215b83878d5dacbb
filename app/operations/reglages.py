"""How a school sets a service: values read after the schema the catalogue gives, secrets sealed.

A field of the schema says ``code``, ``libelle``, ``type``, ``obligatoire``, ``aide`` and, for a choice,
``choix`` (pairs of a value and its label). Types: ``texte``, ``url``, ``hote``, ``port``, ``choix``,
``oui_non``, ``profils``, ``secret``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, RuleViolationError
from app.models import PROFILS, ComposantService, ReglageService, Service
from app.operations import coffre, journal
from app.operations.deployment import Deployment
from app.operations.saisies import Actor, clean_text, clean_url

USE = "reglage_service"
TYPES = ("texte", "url", "hote", "port", "choix", "oui_non", "profils", "secret")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)
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
    deployment: Deployment,
    acteur: Actor,
) -> ReglageService:
    """Write what a school typed for a service, or for one component; return the row.

    A secret left empty stays as it was. ``version``: of the row the person saw, None when there was none.

    :raises RuleViolationError: a value the schema refuses, on its field.
    :raises ConflictError: somebody saved other values since.
    """
    lock(session, f"services:{etablissement_id}")
    schema = (composant or service).reglages
    row = reglage_of(session, etablissement_id, service, composant)
    if version != (row.version if row else None):
        raise ConflictError(STALE)
    values = {field["code"]: _read(field, saisie.get(field["code"])) for field in schema}
    kept = secrets_of(row, deployment) if row else {}
    typed = {f["code"]: values.pop(f["code"]) for f in schema if f["type"] == "secret"}
    secrets = {code: text or kept.get(code) for code, text in typed.items()}
    _check_required(schema, {**values, **secrets})
    if row is None:
        row = ReglageService(
            etablissement_id=etablissement_id,
            service_id=service.id,
            composant_id=composant.id if composant else None,
            valeurs={},
        )
        session.add(row)
    before, changed = dict(row.valeurs), sorted(code for code, text in typed.items() if text)
    row.valeurs, row.par = values, acteur.nom[:160]
    held = {code: text for code, text in secrets.items() if text}
    row.secrets = coffre.seal(deployment.cle, USE, json.dumps(held)) if held else None
    session.flush()
    _journal(session, row, composant or service, before, changed, acteur)
    return row


def secrets_of(row: ReglageService, deployment: Deployment) -> dict[str, str]:
    """Return the secrets of a row, opened. Never to a page."""
    if row.secrets is None:
        return {}
    opened: dict[str, str] = json.loads(coffre.unseal(deployment.cle, USE, row.secrets))
    return opened


def check_schema(schema: Any) -> None:
    """Refuse a schema of settings no page could draw.

    :raises RuleViolationError: with what is wrong.
    """
    if not isinstance(schema, list):
        raise RuleViolationError("Les réglages s’écrivent comme une liste de champs.", field="reglages")
    seen: set[str] = set()
    for one in schema:
        code = one.get("code") if isinstance(one, dict) else None
        if not isinstance(code, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", code) or code in seen:
            raise RuleViolationError(
                "Chaque champ porte un « code » différent, en minuscules sans accent.", field="reglages"
            )
        seen.add(code)
        if not isinstance(one.get("libelle"), str) or not one["libelle"].strip():
            raise RuleViolationError(f"Le champ « {code} » n’a pas de « libelle ».", field="reglages")
        if one.get("type") not in TYPES:
            raise RuleViolationError(
                f"Le « type » du champ « {code} » est l’un de : {', '.join(TYPES)}.", field="reglages"
            )
        if one["type"] == "choix" and not _choices(one):
            raise RuleViolationError(
                f"Le champ « {code} » donne ses « choix » : des couples valeur, libellé.", field="reglages"
            )


def _choices(field: Mapping[str, Any]) -> list[str]:
    said = field.get("choix")
    pairs = said if isinstance(said, list) else []
    sound = all(isinstance(p, list) and len(p) == 2 and all(isinstance(w, str) for w in p) for p in pairs)
    return [pair[0] for pair in pairs] if sound else []


def _read(field: Mapping[str, Any], typed: Any) -> Any:
    code, kind = field["code"], field["type"]
    if kind == "oui_non":
        return bool(typed)
    if kind == "profils":
        wanted = set(typed or ())
        return [profil for profil in PROFILS if profil in wanted]
    text = typed if isinstance(typed, str) or typed is None else str(typed)
    if kind == "url":
        return clean_url(text, field=code)
    cleaned = clean_text(text, field=code, longest=255)
    if cleaned is None:
        return None
    if kind == "hote" and not _HOST.fullmatch(cleaned):
        raise RuleViolationError(
            "Écrivez le nom du serveur seul. Exemple : fichiers.college-exemple.fr", field=code
        )
    if kind == "port":
        if not re.fullmatch(r"[0-9]{1,5}", cleaned) or not 1 <= int(cleaned) <= 65535:
            raise RuleViolationError("Un port est un nombre de 1 à 65535.", field=code)
        return int(cleaned)
    if kind == "choix" and cleaned not in _choices(field):
        raise RuleViolationError("Choisissez dans la liste.", field=code)
    return cleaned


def _check_required(schema: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> None:
    for field in schema:
        if field.get("obligatoire") and values[field["code"]] in (None, "", []):
            raise RuleViolationError(f"Remplissez « {field['libelle']} ».", field=field["code"])


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
