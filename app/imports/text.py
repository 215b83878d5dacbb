"""Turning what files say into clean values: text, dates, phones, civilities, truth values."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_FR_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_SPACES_IN_PHONE = re.compile(r"[\s.\-()]+")
_FRENCH_PHONE = re.compile(
    r"(?:\+|00)?33(?:0?(?P<home>[1-9]\d{8}))"
    r"|(?:\+|00)(?:262|590|594|596)0?(?P<overseas>[2-9]\d{8})"
    r"|(?P<bare>[1-9]\d{8})"
)
_UNWANTED = {"Cc", "Cf", "Cs", "Co", "Cn"}

CIVILITES = {"M": "M.", "MR": "M.", "MONSIEUR": "M.", "1": "M."} | dict.fromkeys(
    ("MME", "MADAME", "MLLE", "MADEMOISELLE", "2", "3"), "Mme"
)


def paris() -> tzinfo:
    """Return the time zone export dates are written in."""
    try:
        return ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:  # a bare machine without tzdata
        return timezone(timedelta(hours=1))


def clean(text: str) -> str:
    """Return a text in NFC, one space between words, without what no name contains.

    Control characters, NUL, lone surrogates, direction overrides and zero-width marks go.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if text.isprintable():
        return " ".join(text.split()) if " " in text else text
    kept = [" " if c.isspace() else c for c in text if c.isspace() or not _is_unwanted(c)]
    return " ".join("".join(kept).split())


def _is_unwanted(character: str) -> bool:
    return unicodedata.category(character) in _UNWANTED


def unescape(text: str) -> str:
    """Replace HTML entities left inside a value (written twice escaped by some exporters)."""
    return _ENTITY.sub(lambda m: html.unescape(m.group()), text) if "&" in text else text


@lru_cache(maxsize=16384)
def parse_date(text: str) -> str | None:
    """Return ``AAAA-MM-JJ`` for a French or ISO date that exists, else None.

    Years before 1900 or more than a century ahead are mistypings, not dates.
    """
    if found := _FR_DATE.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    elif found := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    else:
        return None
    if not 1900 <= year <= 2100:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def parse_instant(text: str) -> datetime | None:
    """Return the instant of an export: ``JJ/MM/AAAA[ HH:MM:SS]``, ISO or ``AAAAMMJJ``; Paris time."""
    text = text.strip()
    for layout in ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y%m%d", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, layout).replace(tzinfo=paris())
        except ValueError:
            continue
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=paris())


def school_year(instant: datetime | None) -> int | None:
    """Return the year the school year of an instant began in (August opens it)."""
    if instant is None:
        return None
    return instant.year if instant.month >= 8 else instant.year - 1


def phone(text: str) -> str:
    """Return a phone number in the one form the base holds, without spaces or punctuation.

    A French number is its ten digits, be it written +33, 0033, +33 (0) or without its zero; an
    overseas one too. Any other is kept as written.
    """
    written = _SPACES_IN_PHONE.sub("", text)
    found = _FRENCH_PHONE.fullmatch(written)
    return f"0{found['home'] or found['overseas'] or found['bare']}" if found else written[:20]


def civilite(text: str) -> str | None:
    """Return «M.» or «Mme», or None."""
    return CIVILITES.get(text.upper().rstrip("."))


def truth(text: str) -> bool:
    """Read 1/0, O/N, true/false as they come in the sources."""
    return text.strip().upper() in {"1", "O", "OUI", "TRUE", "T", "Y"}
