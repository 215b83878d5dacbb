"""Acts on académies and collectivités."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.models import Academie, Alimentation, Attribution, Collectivite, Etablissement
from app.operations import saisies
from app.operations.saisies import Actor, clean_text

TYPES_COLLECTIVITE = ("commune", "departement", "region", "autre")


def save_academie(session: Session, academie: Academie, *, acteur: Actor) -> None:
    """Create or change an académie.

    :raises RuleViolationError: when its code is not two or three characters, or its name is missing.
    """
    code = clean_text(academie.code, field="code", longest=3, required="Donnez le code de l’académie.") or ""
    if not re.fullmatch(r"[0-9][0-9AB]|[0-9]{3}", code.upper()):
        raise RuleViolationError(
            "Le code d’une académie compte deux ou trois chiffres, par exemple 18.", field="code"
        )
    academie.code = code.upper()
    academie.nom = (
        clean_text(academie.nom, field="nom", longest=80, required="Donnez le nom de l’académie.") or ""
    )
    saisies.save(session, academie, acteur)


def save_collectivite(session: Session, collectivite: Collectivite, *, acteur: Actor) -> None:
    """Create or change a collectivité.

    :raises RuleViolationError: when its code, its name or its type is not right.
    """
    required = "Donnez un code, par exemple le numéro SIREN."
    code = clean_text(collectivite.code, field="code", longest=14, required=required) or ""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,14}", code):
        raise RuleViolationError(
            "Le code s’écrit avec des lettres et des chiffres, sans espace.", field="code"
        )
    collectivite.code = code.upper()
    required = "Donnez le nom de la collectivité."
    collectivite.nom = clean_text(collectivite.nom, field="nom", longest=120, required=required) or ""
    if collectivite.type not in TYPES_COLLECTIVITE:
        raise RuleViolationError("Choisissez le type dans la liste.", field="type")
    saisies.save(session, collectivite, acteur)


def remove(session: Session, item: Academie | Collectivite, *, acteur: Actor) -> None:
    """Remove an académie or a collectivité nothing refers to.

    :raises RuleViolationError: while a school, a role or a feed refers to it.
    """
    column = "academie_id" if isinstance(item, Academie) else "collectivite_id"
    users = [(Etablissement, "des établissements en dépendent"), (Attribution, "des rôles y sont attribués")]
    if isinstance(item, Academie):
        users.append((Alimentation, "des alimentations la concernent"))
    for model, reason in users:
        if session.execute(select(func.count()).where(getattr(model, column) == item.id)).scalar_one():
            raise RuleViolationError(f"« {item.nom} » ne peut pas être supprimée : {reason}.")
    saisies.remove(session, item, acteur, kept=("code", "nom"))
