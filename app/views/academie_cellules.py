"""Cells of the académie view: what each says on the screen, and in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from app.extensions import PARIS, now
from app.queries.academie import LATE_AGES, SANTES
from app.views.academie_liste import SANTE_LABELS, SchoolColumn
from app.views.graphiques import percent_text
from app.views.labels import ETATS_ETABLISSEMENT, SECTEURS, school_type
from app.views.rendering import NBSP, NOTHING, icon, number, since

SANTE_LOOK = {
    "alerte": ("bad", "exclamation-octagon-fill"),
    "surveiller": ("warn", "exclamation-triangle"),
    "sain": ("ok", "check-circle"),
}


def _days(value: datetime) -> int:
    return (now().astimezone(PARIS).date() - value.astimezone(PARIS).date()).days


def feed_text(row: Any) -> str:
    """Return when the last feed reached a school, in words."""
    if row.alimente_le is None:
        return "Jamais" if row.age else NOTHING
    days = _days(row.alimente_le)
    return since(row.alimente_le) if days <= 1 else f"il y a {number(days)}{NBSP}jours"


def _feed(row: Any) -> str | Markup:
    text = feed_text(row)
    if row.age not in LATE_AGES:
        return text
    tone = "bad" if row.sante == "alerte" else "warn"
    late = Markup('<span class="pr-state" data-tone="{}">{}<span class="pr-toned">{}</span></span>')
    return late.format(tone, icon("clock-history"), f"{text}, en retard" if row.alimente_le else text)


def _health(row: Any) -> str | Markup:
    if row.sante not in SANTES:
        return NOTHING if row.etat == "ouvert" else ETATS_ETABLISSEMENT[row.etat]
    tone, glyph = SANTE_LOOK[row.sante]
    return Markup('<span class="pr-state" data-tone="{}">{}{}</span>').format(
        tone, icon(glyph), SANTE_LABELS[row.sante]
    )


def _gauge(row: Any) -> str | Markup:
    if row.activation is None:
        return NOTHING
    value = float(row.activation)
    bar = Markup('<progress class="pr-progress" value="{}" max="100" aria-label="{}"></progress>')
    drawn = bar.format(round(value, 1), "Part des comptes activés")
    return Markup('<span class="pr-gauge">{}{}</span>').format(percent_text(value), drawn)


def _marked(value: int | None, *, bad: bool) -> str | Markup:
    if value is None or not bad:
        return number(value)
    return Markup('<span class="pr-badge" data-tone="warn">{}</span>').format(
        number(value) if value else "aucun"
    )


CELLS: Mapping[str, Callable[[Any], Any]] = {
    "type": lambda row: school_type(row.type) or NOTHING,
    "secteur": lambda row: SECTEURS.get(row.secteur, row.secteur),
    "etat": lambda row: ETATS_ETABLISSEMENT.get(row.etat, row.etat),
    "sante": _health,
    "alimente": _feed,
    "activation": _gauge,
    "anomalies": lambda row: _marked(row.anomalies, bad=bool(row.anomalies)),
    "administrateurs": lambda row: _marked(
        row.administrateurs, bad=row.administrateurs == 0 and row.etat == "ouvert"
    ),
}


def cell(row: Any, column: SchoolColumn) -> Any:
    """Return what a cell shows."""
    if column.name in CELLS:
        return CELLS[column.name](row)
    value = getattr(row, column.name)
    return number(value) if column.numeric else (value or NOTHING)


def plain_cell(row: Any, column: SchoolColumn) -> Any:
    """Return what a cell says in a file: numbers stay numbers, nothing stays empty."""
    if column.name == "sante":
        return SANTE_LABELS.get(row.sante, "")
    if column.name == "alimente":
        return row.alimente_le.astimezone(PARIS).strftime("%d/%m/%Y %H:%M") if row.alimente_le else ""
    if column.name == "activation":
        return "" if row.activation is None else f"{float(row.activation):.1f}".replace(".", ",")
    value = getattr(row, column.name)
    if column.name in {"type", "secteur", "etat"}:
        return CELLS[column.name](row)
    return "" if value is None else value
