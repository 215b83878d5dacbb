"""Taking a list of identifiers away for a service: who did, for how many people (R5, R8)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.operations import journal
from app.operations.saisies import Actor
from app.queries import acces
from app.queries.droits import ServiceIci


def noter_export(
    session: Session,
    etablissement_id: int,
    service: ServiceIci,
    liste: str,
    profils: Sequence[str],
    *,
    acteur: Actor,
) -> int:
    """Write who takes a list away; return how many lines it has.

    :raises RuleViolationError: nobody is in it.
    """
    count = acces.count(session, etablissement_id, profils)
    if not count:
        raise RuleViolationError(f"Personne n’a accès à « {service.nom} » : la liste serait vide.")
    journal.write(
        session,
        acte="service.exporter",
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="service",
        objet_id=service.id,
        objet=service.nom,
        etablissement_id=etablissement_id,
        apres={"liste": liste, "profils": list(profils), "personnes": count},
    )
    return count
