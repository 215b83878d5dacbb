"""Guardians found through the children they answer for, when no identifier is common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.alimentation.champs import Record

NOBODY: dict[tuple[str, str], int] = {}


def adultes_des_enfants(
    session: Session,
    espace: str,
    fiches: Mapping[str, Record],
    *,
    deja: Mapping[tuple[str, str], int] = NOBODY,
    alimentation_id: int = 0,
) -> dict[str, set[int]]:
    """Return guardian's key → the people the base knows as guardians of the same children.

    SIECLE lists the children beside the adult (``enfants``); AAF pupils cite theirs, kept while
    the feed ``alimentation_id`` is read. ``deja`` is who keys not written yet mean.
    """
    if not fiches:
        return {}
    children = _children(session, espace, fiches, deja)
    if alimentation_id:
        for cle, eleve_id in rows_of(
            session,
            "SELECT cle, eleve_id FROM citation_responsable WHERE alimentation_id = :feed"
            " AND cle IN :cles AND eleve_id > 0",
            feed=alimentation_id,
            cles=sorted(fiches),
        ):
            children[cle].add(eleve_id)
    known: dict[int, set[int]] = defaultdict(set)
    if ids := sorted({child for ids in children.values() for child in ids}):
        for eleve_id, responsable_id in rows_of(
            session, "SELECT eleve_id, responsable_id FROM responsabilite WHERE eleve_id IN :ids", ids=ids
        ):
            known[eleve_id].add(responsable_id)
    return {cle: {adult for child in ids for adult in known[child]} for cle, ids in children.items()}


def _children(
    session: Session, espace: str, fiches: Mapping[str, Record], deja: Mapping[tuple[str, str], int]
) -> dict[str, set[int]]:
    keys = {cle: [str(child) for child in record.get("enfants") or ()] for cle, record in fiches.items()}
    listed = {child for cited in keys.values() for child in cited}
    people = {child: deja["eleve", child] for child in listed if ("eleve", child) in deja}
    if wanted := sorted(listed - people.keys()):
        people |= {
            row[0]: row[1]
            for row in rows_of(
                session,
                "SELECT cle, personne_id FROM fiche_source WHERE espace = :espace AND objet = 'eleve'"
                " AND cle IN :cles AND personne_id IS NOT NULL",
                espace=espace,
                cles=wanted,
            )
        }
    found: dict[str, set[int]] = defaultdict(set)
    for cle, cited in keys.items():
        found[cle] = {people[child] for child in cited if child in people}
    return found
