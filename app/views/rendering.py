"""What templates speak: icons, versioned assets, French numbers, dates and instants."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, url_for
from markupsafe import Markup

from app.extensions import PARIS
from app.views.labels import school_level
from app.views.list_parts import cells

NBSP = "\u00a0"
THIN = "\u202f"
NOTHING = "–"
FRENCH_PHONE = 10
THEMES = ("light", "dark")


def asset(filename: str) -> str:
    """Return the address of a static file, stamped so that browsers may keep it for ever.

    Files do not change while a process runs: each is looked at once.
    """
    known: dict[tuple[str, str], str] = current_app.extensions.setdefault("fichiers_dates", {})
    key = (request.script_root, filename)
    if key not in known:
        path = Path(current_app.static_folder or "") / filename
        modified = int(path.stat().st_mtime) if path.exists() else 0
        known[key] = url_for("static", filename=filename, v=format(modified & 0xFFFFFFFF, "x"))
    return known[key]


def icon(name: str, *, size: str = "", tone: str = "") -> Markup:
    """Return an icon of the sprite, silent for screen readers: the words beside it carry the meaning."""
    return _icon(request.script_root, name, size, tone)


@lru_cache(maxsize=512)
def _icon(_root: str, name: str, size: str, tone: str) -> Markup:
    """Return an icon drawn once: a page shows the same on each of its lines."""
    return Markup('<svg class="pr-icon" aria-hidden="true"{}{}><use href="{}#{}"/></svg>').format(
        Markup(' data-size="{}"').format(size) if size else "",
        Markup(' data-tone="{}"').format(tone) if tone else "",
        asset("icons.svg"),
        name,
    )


def number(value: float | None) -> str:
    """Write a number the French way: ``12 450``."""
    return NOTHING if value is None else f"{value:,}".replace(",", THIN).replace(".", ",")


def capped_number(value: int, cap: int = 10_000) -> str:
    """Write a count that was stopped after ``cap``: «plus de 10 000»."""
    return f"plus de {number(cap)}" if value > cap else number(value)


def plural(count: int, one: str, many: str = "") -> str:
    """Agree a noun with its count: zero and one are singular in French."""
    return one if abs(count) < 2 else (many or f"{one}s")


def of(name: str) -> str:
    """Write «de» before a proper name: «de Touraine-Berry», «d’Orléans-Tours»."""
    first = unicodedata.normalize("NFD", name[:1])[:1].lower()
    return f"d’{name}" if first in {"a", "e", "i", "o", "u", "y"} else f"de {name}"


def day(value: date | None) -> str:
    """Write a date: ``21/11/2026``."""
    return NOTHING if value is None else value.strftime("%d/%m/%Y")


def instant(value: datetime | None) -> str:
    """Write an instant in Paris time: ``21/11/2026 14:05``."""
    if value is None:
        return NOTHING
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(PARIS).strftime(f"%d/%m/%Y{NBSP}%H:%M")


def telephone(value: str | None) -> str:
    """Write a French number by pairs, ``02 61 91 02 07``; any other as it is held."""
    if not value:
        return NOTHING
    if len(value) != FRENCH_PHONE or not value.isascii() or not value.isdigit():
        return value
    return NBSP.join(value[i : i + 2] for i in range(0, FRENCH_PHONE, 2))


def since(value: datetime | None, reference: datetime | None = None) -> str:
    """Write how long ago: «ce matin, 05:12», «hier, 18:22», «il y a 3 jours», then the date."""
    if value is None:
        return NOTHING
    here = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(PARIS)
    today = (reference or datetime.now(UTC)).astimezone(PARIS).date()
    days, clock = (today - here.date()).days, here.strftime("%H:%M")
    if days == 0:
        return f"{'ce matin' if here.hour < 12 else 'aujourd’hui'}, {clock}"
    if days == 1:
        return f"hier, {clock}"
    if timedelta(days=1).days < days <= timedelta(days=14).days:
        return f"il y a {days}{NBSP}jours"
    return instant(value)


def shown(value: Any) -> Any:
    """Return a value as a person reads it; markup made by a formatter passes untouched."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "Oui" if value else "Non"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, int | float):
        return number(value)
    return value


def theme() -> str:
    """Return the look this browser chose, empty for the system's."""
    chosen = request.cookies.get("preau_theme", "")
    return chosen if chosen in THEMES else ""


def init_app(app: Flask) -> None:
    """Give templates their words, and let browsers keep stamped files."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(days=365)
    app.jinja_env.globals.update(asset=asset, icon=icon, theme=theme, plural=plural, cellules=cells)
    app.jinja_env.filters.update(
        nombre=number,
        nombre_borne=capped_number,
        jour=day,
        instant=instant,
        quand=since,
        lisible=shown,
        telephone=telephone,
        niveau_dit=school_level,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
