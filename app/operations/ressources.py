"""What a school lends, kept by its managers: described, pictured, opened, withdrawn, deleted (R6)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import time
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import Occupation, Reservation, Ressource
from app.operations import images
from app.operations.saisies import Actor, clean_text, pending_changes, record
from app.queries.creneaux import clock_of

CATEGORIES = ("Salles", "Véhicules", "Audiovisuel", "Informatique", "Sport", "Sciences", "Musique", "Autre")
"""What a category is proposed from; a school writes its own."""
OUVERTURES = [[day, "08:00", "18:00"] for day in range(5)]
"""When a new resource is open: school days."""
LONGEST = 4000
MOST_UNITS = 500
MOST_HERE = 500
"""Resources a school describes: a list shows no more."""
DURATIONS = (0, 30, 60, 120, 240, 480, 1440, 4320, 10080)
NOTICES = (0, 60, 240, 1440, 2880, 10080)
TEXTS = {"description": "description", "regles": "règles"}


def enregistrer(session: Session, item: Ressource, values: Mapping[str, Any], *, acteur: Actor) -> bool:
    """Write a resource, new or changed; tell whether anything was. The caller commits.

    ``values``: nom, categorie, lieu, description, regles, quantite, duree_max, preavis, a_valider,
    ouvertures, and photo (bytes or a picture made anew to keep, "" to remove, None to leave).

    :raises RuleViolationError: with the field at fault.
    """
    created = item.id is None
    if created:
        _check_room(session, item.etablissement_id)
    else:
        lock(session, f"ressource {item.id}")
    with session.no_autoflush:
        _fill(item, values)
        quantite = _number(values.get("quantite"), "quantite", 1, MOST_UNITS, "Combien y en a-t-il ?")
        if not created and quantite < item.quantite:
            _check_fewer(session, item.id, quantite)
        item.quantite = quantite
        changes = pending_changes(item)
        if "photo" in changes or "photo_empreinte" in changes:
            changes = {name: pair for name, pair in changes.items() if not name.startswith("photo")}
            changes["image"] = ("", "changée" if item.photo_empreinte else "retirée")
    if not changes:
        return False
    session.add(item)
    session.flush()
    said = f"ressource.{'creer' if created else 'modifier'}"
    record(session, item, said, acteur, changes=changes, etablissement_id=item.etablissement_id)
    return True


def _fill(item: Ressource, values: Mapping[str, Any]) -> None:
    nom = clean_text(values.get("nom"), field="nom", longest=120, required="Donnez-lui un nom.")
    categorie = clean_text(
        values.get("categorie"),
        field="categorie",
        longest=60,
        required="Choisissez ou écrivez une catégorie.",
    )
    wanted: dict[str, Any] = {
        "nom": nom,
        "categorie": categorie,
        "lieu": clean_text(values.get("lieu"), field="lieu", longest=120) or "",
        "a_valider": bool(values.get("a_valider")),
        "duree_max": _minutes(values.get("duree_max"), "duree_max"),
        "preavis": _minutes(values.get("preavis"), "preavis"),
        "ouvertures": check_openings(values.get("ouvertures") or ()),
        **{name: _paragraphs(values.get(name), name) for name in TEXTS},
    }
    for name, value in wanted.items():
        if getattr(item, name) != value:
            setattr(item, name, value)
    sent = values.get("photo")
    if sent is None:
        return
    content = _picture(sent) if sent else None
    digest = hashlib.sha256(content).hexdigest() if content else None
    if digest != item.photo_empreinte:
        item.photo, item.photo_empreinte = content, digest


def _picture(sent: bytes | images.Refaite) -> bytes:
    """Return a photo made anew (T1, T3); a drawing is no photo."""
    made = sent if isinstance(sent, images.Refaite) else images.refaire(sent, field="photo")
    if made.type != images.WEBP:
        raise RuleViolationError("Choisissez une photo : JPEG, PNG, WebP ou GIF.", field="photo")
    return made.contenu


def _paragraphs(value: str | None, field: str) -> str:
    """Return a text of several lines, each of them cleaned."""
    lines = (value or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [
        clean_text(line.replace("\t", " "), field=field, longest=LONGEST) or "" if line.strip() else ""
        for line in lines
    ]
    text = "\n".join(kept).strip()
    if len(text) > LONGEST:
        raise RuleViolationError(f"Ce texte compte {len(text)} caractères ; {LONGEST} au plus.", field=field)
    return text


def _number(value: Any, field: str, least: int, most: int, missing: str) -> int:
    text = str(value if value is not None else "").strip()
    if not text:
        raise RuleViolationError(missing, field=field)
    if not (text.isascii() and text.isdigit() and len(text) < 8 and least <= int(text) <= most):
        raise RuleViolationError(f"Écrivez un nombre entier, de {least} à {most}.", field=field)
    return int(text)


def _minutes(value: Any, field: str) -> int:
    return _number(value or 0, field, 0, 60 * 24 * 60, "Choisissez une durée.")


def check_openings(rows: Sequence[Sequence[int | str]]) -> list[list[int | str]]:
    """Return opening slots in order.

    :raises RuleViolationError: none, or one that ends before it starts, or two that overlap.
    """
    found: list[list[int | str]] = []
    for day, start, end in rows:
        try:
            a, b = clock_of(start), clock_of(end)
        except ValueError as error:
            raise RuleViolationError("Écrivez des heures, par exemple 08:30.", field="ouvertures") from error
        if a >= b:
            raise RuleViolationError(
                f"Une ouverture finit avant de commencer : {start} – {end}. Corrigez l’une des deux heures.",
                field="ouvertures",
            )
        found.append([int(day), f"{a:%H:%M}", "24:00" if b == time.max else f"{b:%H:%M}"])
    found.sort(key=lambda row: (int(row[0]), str(row[1])))
    for before, after in pairwise(found):
        if before[0] == after[0] and str(after[1]) < str(before[2]):
            raise RuleViolationError("Deux ouvertures du même jour se chevauchent.", field="ouvertures")
    if not found:
        raise RuleViolationError(
            "Indiquez au moins une ouverture : sans elle, personne ne peut réserver.", field="ouvertures"
        )
    return found


def _check_room(session: Session, etablissement_id: int) -> None:
    """Refuse a resource more than lists show."""
    lock(session, f"ressources {etablissement_id}")
    here = select(func.count(Ressource.id)).where(Ressource.etablissement_id == etablissement_id)
    if (session.scalar(here) or 0) >= MOST_HERE:
        raise RuleViolationError(
            f"L’établissement décrit déjà {MOST_HERE} ressources. Supprimez celles qui ne servent plus."
        )


def _check_fewer(session: Session, ressource_id: int, quantite: int) -> None:
    """Refuse to take away units somebody has booked."""
    beyond = (
        select(func.count(func.distinct(Occupation.reservation_id)))
        .where(
            Occupation.ressource_id == ressource_id,
            Occupation.exemplaire > quantite,
            Occupation.fin > now(),
        )
        .execution_options(hors_perimetre=True)
    )
    count = session.scalar(beyond) or 0
    if count:
        many = "Une réservation à venir tient" if count == 1 else f"{count} réservations à venir tiennent"
        raise RuleViolationError(
            f"{many} des exemplaires en trop. Annulez-les d’abord, ou gardez ce nombre.", field="quantite"
        )


def basculer(session: Session, item: Ressource, active: bool, *, acteur: Actor) -> None:
    """Withdraw a resource from the catalogue, or put it back; its bookings stay.

    :raises RuleViolationError: it is so already.
    """
    if item.active == active:
        raise RuleViolationError(
            "Cette ressource est déjà au catalogue." if active else "Cette ressource est déjà retirée."
        )
    item.active = active
    session.flush()
    verb = "remettre" if active else "retirer"
    record(session, item, f"ressource.{verb}", acteur, etablissement_id=item.etablissement_id)


def supprimer(session: Session, item: Ressource, *, acteur: Actor) -> None:
    """Delete a resource nobody ever booked.

    :raises RuleViolationError: somebody did: it is withdrawn instead.
    """
    lock(session, f"ressource {item.id}")
    booked = select(Reservation.id).where(Reservation.ressource_id == item.id).limit(1)
    if session.execute(booked, execution_options={"hors_perimetre": True}).first() is not None:
        raise RuleViolationError(
            "Cette ressource a des réservations, gardées pour l’historique : retirez-la plutôt du catalogue."
        )
    record(
        session,
        item,
        "ressource.supprimer",
        acteur,
        changes={"nom": (item.nom, None)},
        etablissement_id=item.etablissement_id,
    )
    session.delete(item)
    session.flush()
