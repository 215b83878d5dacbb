"""What every hand edit shares: cleaning what was typed, and reading what changed, for the journal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.operations import journal

_EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]{2,}")
_TELEPHONE = re.compile(r"\+?[0-9 .()/-]{4,20}")


def clean_text(value: str | None, *, field: str, longest: int, required: str | None = None) -> str | None:
    """Return ``value`` trimmed and in NFC, None when empty.

    ``required`` is the sentence said when nothing was typed.

    :raises RuleViolationError: control character, half of a character, too long, or missing.
    """
    text = unicodedata.normalize("NFC", value or "").strip()
    if not text:
        if required:
            raise RuleViolationError(required, field=field)
        return None
    if any(unicodedata.category(char) in {"Cc", "Cs", "Cf"} for char in text):
        raise RuleViolationError(
            "Ce texte contient un caractère invisible ou illisible. Retapez-le sans copier-coller.",
            field=field,
        )
    if len(text) > longest:
        raise RuleViolationError(
            f"Ce texte compte {len(text)} caractères ; {longest} au plus sont possibles.", field=field
        )
    return text


def clean_email(value: str | None, *, field: str = "email") -> str | None:
    """Return an e-mail address trimmed, None when empty.

    :raises RuleViolationError: when it cannot be an address.
    """
    text = clean_text(value, field=field, longest=255)
    if text is not None and not _EMAIL.fullmatch(text):
        raise RuleViolationError(
            "Cette adresse n’est pas complète. Exemple : secretariat@college-exemple.fr", field=field
        )
    return text


def clean_telephone(value: str | None, *, field: str) -> str | None:
    """Return a telephone number as typed, None when empty.

    :raises RuleViolationError: on anything but digits and usual separators.
    """
    text = clean_text(value, field=field, longest=20)
    if text is not None and not _TELEPHONE.fullmatch(text):
        raise RuleViolationError("Écrivez le numéro avec des chiffres. Exemple : 02 47 00 00 00", field=field)
    return text


def clean_url(value: str | None, *, field: str) -> str | None:
    """Return a web address, ``https://`` added when the scheme was left out; None when empty.

    :raises RuleViolationError: on any scheme but http and https, or without a host name.
    """
    text = clean_text(value, field=field, longest=255)
    if text is None:
        return None
    if "://" not in text and not re.match(r"[a-z][a-z0-9+.-]*:", text, re.IGNORECASE):
        text = f"https://{text}"
    refusal = "Écrivez une adresse web complète. Exemple : https://college-exemple.fr"
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError as error:
        raise RuleViolationError(refusal, field=field) from error
    if parts.scheme not in {"http", "https"} or "." not in host or parts.username or re.search(r"\s", text):
        raise RuleViolationError(refusal, field=field)
    return text


def past(day: date) -> RuleViolationError:
    """Return the refusal of a last day that is over."""
    return RuleViolationError(
        f"Le {day:%d/%m/%Y} est passé. Choisissez une date à venir.", field="dernier_jour"
    )


def pending_changes(item: Any) -> dict[str, tuple[Any, Any]]:
    """Return the columns of ``item`` changed and not flushed yet: name → (before, after)."""
    state = inspect(item)
    changes = {}
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        if not history.has_changes():
            continue
        before = history.deleted[0] if history.deleted else None
        after = history.added[0] if history.added else None
        if before != after:
            changes[column.key] = (before, after)
    return changes


def before_after(changes: Mapping[str, tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split changes into the two dictionaries of a journal line."""
    return (
        {name: before for name, (before, _) in changes.items()},
        {name: after for name, (_, after) in changes.items()},
    )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the journal names them."""

    nom: str = "Système"
    compte_id: int | None = None


SYSTEME = Actor()
"""Préau itself: a worker, a schedule."""


TITULAIRE = "Titulaire"
"""Who holds a field against feeds when its holder typed it: nobody vouches for it but them."""


def record(
    session: Session,
    item: Any,
    acte: str,
    acteur: Actor,
    *,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    etablissement_id: int | None = None,
) -> None:
    """Write the journal line of a hand edit of ``item``."""
    avant, apres = before_after(changes) if changes else (None, None)
    journal.write(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type=item.__tablename__,
        objet_id=item.id,
        objet=str(item),
        etablissement_id=etablissement_id,
        avant=avant,
        apres=apres,
    )


def save(session: Session, item: Any, acteur: Actor) -> None:
    """Write a row added or edited by hand, with its journal line; nothing when nothing changed."""
    created = item.id is None
    changes = pending_changes(item)
    if not changes:
        return
    session.add(item)
    session.flush()
    act = f"{item.__tablename__}.{'creer' if created else 'modifier'}"
    record(session, item, act, acteur, changes=changes)


def remove(session: Session, item: Any, acteur: Actor, *, kept: Sequence[str]) -> None:
    """Delete a row by hand; the journal keeps what the columns ``kept`` said."""
    changes = {name: (getattr(item, name), None) for name in kept}
    record(session, item, f"{item.__tablename__}.supprimer", acteur, changes=changes)
    session.delete(item)
    session.flush()
