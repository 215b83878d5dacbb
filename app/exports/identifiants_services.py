"""Lists of identifiers a service asks for, so that people enter it without another password (R5, R8).

The identifier is opaque: derived with the key kept outside the database, the same for a person in every
file of one list, another in each list, so that two publishers cannot compare theirs. Never a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.operations import coffre
from app.queries import acces
from app.queries.personnes import PROFIL_LABELS

LENGTH = 24


@dataclass(frozen=True)
class Liste:
    """What a list holds: its title, its columns."""

    titre: str
    pour: str
    colonnes: tuple[str, ...]


LISTES = {
    "paraschool": Liste(
        "Identifiants pour Paraschool",
        "l’éditeur Paraschool",
        ("Identifiant", "Nom", "Prénom", "Profil", "Classe", "UAI"),
    ),
    "gibii": Liste(
        "Identifiants pour GiBii",
        "l’administrateur académique de GiBii",
        ("Identifiant", "Nom", "Prénom", "Profil", "Classe", "Date de naissance", "Numéro SIECLE", "UAI"),
    ),
}


def opaque(key: str, liste: str, personne_id: int) -> str:
    """Return the identifier of somebody in a list."""
    return coffre.keyed_digest(key, f"export.{liste}", str(personne_id))[:LENGTH]


def rows(
    session: Session, etablissement_id: int, uai: str, liste: str, profils: Sequence[str], key: str
) -> Iterator[Sequence[Any]]:
    """Yield the header, then a line for each person and profile."""
    columns = LISTES[liste].colonnes
    yield columns
    siecle = acces.numbers(session, etablissement_id, "eleve_id") if "Numéro SIECLE" in columns else {}
    for row in acces.people(session, etablissement_id, profils):
        born = f"{row.date_naissance:%d/%m/%Y}" if row.date_naissance else ""
        values = {
            "Identifiant": opaque(key, liste, row.personne_id),
            "Nom": row.nom_usage or row.nom,
            "Prénom": row.prenom,
            "Profil": PROFIL_LABELS[row.profil],
            "Classe": row.classe,
            "Date de naissance": born,
            "Numéro SIECLE": siecle.get(row.personne_id, ""),
            "UAI": uai,
        }
        yield [values[name] for name in columns]
