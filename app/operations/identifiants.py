"""Handing out first-connection identifiers: each export and each new code leaves its line (U14).

Whoever takes codes away is in the journal, with whose they were; the codes themselves never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import rows_of
from app.errors import RuleViolationError
from app.models import Compte, Division, Personne, Rattachement, Tache
from app.operations import journal, taches
from app.operations.saisies import Actor
from app.queries import identifiants as reads
from app.queries.identifiants import Choix

IMPRIMER = "identifiants.imprimer"
NOMS_AU_JOURNAL = 50


def note_export(session: Session, choix: Choix, *, personnes: int, codes: int, acteur: Actor) -> None:
    """Write who took whose identifiers away as a file."""
    _write(session, "identifiants.exporter", choix, acteur, {"personnes": personnes, "codes": codes})


def ask_cards(
    session: Session, choix: Choix, *, par_page: int, nouveaux: bool, adresse: str, acteur: Actor
) -> Tache:
    """Ask for the cards of those who never activated, with new codes or with those they have.

    :raises RuleViolationError: nobody is left to give a card to.
    """
    never = reads.count(session, choix).jamais if choix.profil != "supprime" else 0
    if not never:
        raise RuleViolationError(
            "Aucune de ces personnes n’attend de code : elles ont activé leur compte, ou elles sont parties."
        )
    tache = taches.request(
        session,
        IMPRIMER,
        libelle=f"Cartes de première connexion : {_cards(never)}",
        parametres={
            "choix": asdict(choix),
            "par_page": par_page,
            "nouveaux": nouveaux,
            "adresse": adresse,
            "acteur": acteur.nom,
            "acteur_id": acteur.compte_id,
        },
        compte_id=acteur.compte_id,
        etablissement_id=choix.etablissement_id,
    )
    said = {"cartes": never, "par_page": par_page, "nouveaux": nouveaux}
    _write(session, "identifiants.imprimer", choix, acteur, said)
    return tache


def renew_codes(session: Session, place_ids: Sequence[int], etablissement_id: int, *, acteur: Actor) -> int:
    """Give new codes to those of these attachments who never activated; a line each. Return how many."""
    people = session.execute(
        select(Personne.id, Personne.nom, Personne.nom_usage, Personne.prenom)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .outerjoin(Compte, Compte.personne_id == Personne.id)
        .where(Rattachement.id.in_(place_ids), Compte.id.is_(None), Personne.suspendu_le.is_(None))
        .order_by(Personne.id)
    ).all()
    rows_of(
        session,
        "UPDATE personne SET code_generation = code_generation + 1 WHERE id IN :ids",
        ids=[row.id for row in people],
    )
    for row in people:
        journal.write(
            session,
            acte="code.renouveler",
            acteur=acteur.nom,
            compte_id=acteur.compte_id,
            objet_type="personne",
            objet_id=row.id,
            objet=f"{(row.nom_usage or row.nom).upper()} {row.prenom}",
            etablissement_id=etablissement_id,
        )
    return len(people)


def _cards(count: int) -> str:
    return "1 personne" if count == 1 else f"{count} personnes"


def _write(session: Session, acte: str, choix: Choix, acteur: Actor, more: dict[str, Any]) -> None:
    said: dict[str, Any] = {"profil": choix.profil}
    if choix.par_classe and choix.niveau:
        said["niveau"] = choix.niveau
    if choix.par_classe and choix.division_id:
        division = session.get(Division, choix.division_id)
        said["classe"] = division.libelle or division.code if division else ""
    if choix.etat:
        said["etat"] = choix.etat
    if choix.q:
        said["recherche"] = choix.q
    if 0 < len(choix.places) <= NOMS_AU_JOURNAL:
        rows = reads.rows_of_places(session, choix, choix.places)
        said["noms"] = [f"{(row.nom_usage or row.nom).upper()} {row.prenom}" for row in rows]
    journal.write(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="etablissement",
        objet_id=choix.etablissement_id,
        objet="Identifiants de première connexion",
        etablissement_id=choix.etablissement_id,
        apres={**said, **more},
    )
