"""Hours of Paris and the instants behind them: when a resource is open, free, and what is free nearby.

Nothing here reads the base. A day is a day of Paris; instants are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from app.errors import RuleViolationError
from app.extensions import PARIS

Plage = tuple[datetime, datetime]
Ouvertures = Sequence[Sequence[int | str]]
JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
SEMAINE = timedelta(days=7)
PAS = timedelta(minutes=15)
"""How far apart the starts that are tried when another slot is looked for."""


class Tenue(Protocol):
    """A unit held from an instant to another."""

    @property
    def exemplaire(self) -> int:
        """Which unit."""

    @property
    def debut(self) -> datetime:
        """From when."""

    @property
    def fin(self) -> datetime:
        """Until when."""


@dataclass(frozen=True)
class Regles:
    """What a resource allows: when it is open, how many there are, how long, how early asked."""

    ouvertures: Ouvertures
    quantite: int = 1
    duree_max: int = 0
    preavis: int = 0


def instant_at(day: date, clock: time, *, field: str | None = None) -> datetime:
    """Return the instant of an hour of Paris; the first of the two when the hour comes twice.

    :raises RuleViolationError: the hour does not exist that night, clocks going forward.
    """
    local = datetime.combine(day, clock, PARIS)
    found = local.astimezone(UTC)
    if found.astimezone(PARIS).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise RuleViolationError(
            f"{clock:%H:%M} n’existe pas le {day:%d/%m/%Y} : l’heure change cette nuit-là.", field=field
        )
    return found


def local(instant: datetime) -> datetime:
    """Return an instant as Paris reads it."""
    return instant.astimezone(PARIS)


def today(instant: datetime) -> date:
    """Return the day of an instant in Paris."""
    return local(instant).date()


def monday(day: date) -> date:
    """Return the first day of a week."""
    return day - timedelta(days=day.weekday())


def bounds(day: date, days: int = 1) -> Plage:
    """Return the instants between which some days lie: 23, 24 or 25 hours each."""
    return (
        datetime.combine(day, time(), PARIS).astimezone(UTC),
        datetime.combine(day + timedelta(days=days), time(), PARIS).astimezone(UTC),
    )


def overlap(debut: datetime, fin: datetime, autre_debut: datetime, autre_fin: datetime) -> bool:
    """Tell whether two slots meet; one that ends when the other starts does not."""
    return debut < autre_fin and autre_debut < fin


def clock_of(text: int | str) -> time:
    """Read «08:30»; midnight at the end of a day is written «24:00»."""
    found = time.max if text == "24:00" else time.fromisoformat(str(text))
    if found.tzinfo is not None:  # «10+01»: hours are those of Paris
        raise ValueError(text)
    return found


def open_hours(ouvertures: Ouvertures, day: date) -> list[tuple[time, time]]:
    """Return when a resource is open on a day, in order; slots that touch are one."""
    found: list[tuple[time, time]] = []
    for start, end in sorted((clock_of(a), clock_of(b)) for d, a, b in ouvertures if d == day.weekday()):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def is_open(ouvertures: Ouvertures, debut: datetime, fin: datetime) -> bool:
    """Tell whether a slot may be had: within one opening, or from one day's opening to another's."""
    start, end = local(debut), local(fin)
    here = [(a, b) for a, b in open_hours(ouvertures, start.date()) if a <= start.time() < b]
    if not here:
        return False
    if start.date() == end.date():
        return end.time() <= here[0][1]
    if end.time() == time():  # midnight: the end of the day before
        last = end.date() - timedelta(days=1)
        return any(b == time.max for _, b in open_hours(ouvertures, last))
    return any(a < end.time() <= b for a, b in open_hours(ouvertures, end.date()))


def hours_in_words(ouvertures: Ouvertures, day: date) -> str:
    """Say when a resource is open on a day: «de 08:00 à 12:00 et de 13:00 à 18:00», or nothing."""
    return " et ".join(
        f"de {a:%H:%M} à {'24:00' if b == time.max else f'{b:%H:%M}'}" for a, b in open_hours(ouvertures, day)
    )


def weekly(first: date, last: date) -> list[date]:
    """Return a day every week, both ends included."""
    return [first + n * SEMAINE for n in range(max((last - first).days, 0) // 7 + 1)]


def free_units(quantite: int, tenues: Iterable[Tenue], debut: datetime, fin: datetime) -> list[int]:
    """Return the units nobody holds at any moment of a slot."""
    held = {one.exemplaire for one in tenues if overlap(debut, fin, one.debut, one.fin)}
    return [unit for unit in range(1, quantite + 1) if unit not in held]


def alternatives(
    regles: Regles,
    tenues: Sequence[Tenue],
    debut: datetime,
    fin: datetime,
    nombre: int,
    *,
    earliest: datetime,
    days: int = 8,
    limit: int = 4,
) -> list[Plage]:
    """Return free slots of the same length: the nearest of the same day, then the same hour after it."""
    length = fin - debut

    def fits(start: datetime) -> bool:
        return (
            start >= earliest
            and is_open(regles.ouvertures, start, start + length)
            and len(free_units(regles.quantite, tenues, start, start + length)) >= nombre
        )

    same_day = sorted(
        {start for start in _starts(regles, today(debut)) if fits(start)},
        key=lambda one: (abs(one - debut), one),
    )
    found: list[datetime] = []
    for start in same_day:
        if all(abs(start - other) >= length for other in found):
            found.append(start)
        if len(found) == 2:
            break
    for shift in range(1, days):
        moved = _moved(debut, shift)
        if moved is not None and fits(moved):
            found.append(moved)
        if len(found) >= limit:
            break
    return [(start, start + length) for start in sorted(found)]


def _starts(regles: Regles, day: date) -> Iterator[datetime]:
    for a, b in open_hours(regles.ouvertures, day):
        start = datetime.combine(day, a, PARIS).astimezone(UTC)
        end = datetime.combine(day, b, PARIS).astimezone(UTC)
        while start < end:
            yield start
            start += PAS


def _moved(instant: datetime, days: int) -> datetime | None:
    here = local(instant)
    try:
        return instant_at(here.date() + timedelta(days=days), here.time())
    except RuleViolationError:
        return None
