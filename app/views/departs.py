"""What lists and sheets say of somebody who left: until when they may come back, and how (U8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, url_for
from markupsafe import Markup

from app.security.permissions import Resource, Verb
from app.views.ecole import allowed_here
from app.views.rendering import day


@dataclass(frozen=True)
class Depart:
    """What the sheet of somebody who left says, and where they are restored."""

    texte: str
    restaurer: str


def days_kept() -> int:
    """Return for how many days somebody who left may come back."""
    return int(current_app.extensions["reglages"].suppressions_jours)


def anonymised_on(gone: datetime | None) -> str:
    """Return the day somebody who left everywhere will be anonymised, empty for who is elsewhere."""
    if gone is None:
        return ""
    return day((gone + timedelta(days=days_kept())).date())


def what_next(gone: datetime | None) -> str:
    """Return what becomes of somebody who left, as the list says it."""
    when = anonymised_on(gone)
    return f"Sera anonymisé le {when}" if when else "Présent dans un autre établissement"


def restore_url(pk: int, uai: str) -> str:
    """Return where somebody is restored, empty for who may not."""
    if not allowed_here(Resource.SUPPRESSION, Verb.ECRIRE):
        return ""
    return url_for("Suppressions.restaurer", uai=uai, pk=pk)


def next_cell(row: Any, uai: str) -> Any:
    """Return what becomes of somebody who left, with the way back."""
    text, url = what_next(row.supprime_le), restore_url(row.id, uai)
    if not url:
        return text
    name = f"{row.prenom} {row.nom_usage or row.nom}"
    return Markup(
        '{}<br><a class="btn btn-sm btn-secondary mt-1" href="{}">Restaurer…'
        '<span class="visually-hidden"> {}</span></a>'
    ).format(text, url, name)


def sheet_note(row: Any, uai: str) -> Depart:
    """Return what the sheet says of a departure."""
    when = anonymised_on(row.supprime_le)
    text = (
        f"La fiche et le compte sont gardés jusqu’au {when}, puis anonymisés sans retour possible."
        if when
        else "Présente dans un autre établissement, la personne y garde sa fiche et son compte."
    )
    return Depart(text, restore_url(row.id, uai))
