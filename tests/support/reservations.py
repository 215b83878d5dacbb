"""A school that lends: its people by role of the service, its resources, slots of next week."""

from __future__ import annotations

from datetime import date, time, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Compte, Personne, Rattachement, Ressource
from app.operations.deployment import Deployment
from app.operations.reservations import Demande
from app.operations.saisies import Actor
from app.queries import creneaux

ICI = Deployment("Touraine", "https://preau.exemple.fr", "k" * 40)
QUI = Actor("Claire Montagné")
TOUJOURS: list[list[int | str]] = [[day, "08:00", "18:00"] for day in range(5)]


def lundi(weeks: int = 1) -> date:
    """Return the Monday of a coming week."""
    return creneaux.monday(creneaux.today(now())) + timedelta(weeks=weeks)


def a(debut: str, fin: str, *, jours: int = 0, **more: Any) -> Demande:
    """Ask for hours of next Monday, or of a day after it."""
    return Demande(
        lundi() + timedelta(days=jours), time.fromisoformat(debut), time.fromisoformat(fin), **more
    )


def ressource(session: Session, school: int, nom: str = "Vidéoprojecteur", **more: Any) -> Ressource:
    """Write a resource open on school days."""
    values = {"categorie": "Audiovisuel", "ouvertures": TOUJOURS, **more}
    row = Ressource(etablissement_id=school, nom=nom, **values)
    session.add(row)
    session.flush()
    return row


def membre(
    session: Session, school: int, nom: str, profil: str = "enseignant", *, civilite: str = "MME"
) -> SimpleNamespace:
    """Write somebody of a school, with an account."""
    person = Personne(
        nom=nom,
        prenom="Anne",
        civilite=civilite,
        nom_recherche=nom.lower(),
        email=f"{nom.lower()}@exemple.fr",
    )
    session.add(person)
    session.flush()
    session.add(Rattachement(personne_id=person.id, etablissement_id=school, profil=profil))
    account = Compte(
        username=nom.lower(), first_name="Anne", last_name=nom, email=f"{nom.lower()}@exemple.fr",
        active=True, password="", personne_id=person.id,
    )  # fmt: skip
    session.add(account)
    session.flush()
    return SimpleNamespace(personne=person, compte=account, id=person.id)
