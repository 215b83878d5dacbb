"""The week of a resource as a table: a column a day, a line wherever something begins or ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from app.extensions import PARIS
from app.models import Ressource
from app.queries import creneaux

MIDNIGHT = 24 * 60
HOUR = 60


@dataclass
class Case:
    """What a day holds between two lines."""

    jour: date
    debut: int
    fin: int
    ouvert: bool
    passe: bool
    tard: bool
    """Too late to ask for it: past, or within the notice the resource wants."""
    libres: int
    reservations: list[Any] = field(default_factory=list)
    lignes: int = 1

    @property
    def libre(self) -> bool:
        """Whether it may still be asked for."""
        return self.ouvert and not self.tard and self.libres > 0

    @property
    def heures(self) -> str:
        """Its hours in words."""
        return f"{clock(self.debut)}\u00a0–\u00a0{clock(self.fin)}"

    @property
    def de(self) -> str:
        """When it begins, as a form takes it."""
        return clock(self.debut)

    @property
    def a(self) -> str:
        """When it ends, as a form takes it."""
        return clock(min(self.fin, MIDNIGHT - 1))

    @property
    def sorte(self) -> str:
        """How it is drawn."""
        if self.reservations and self.libres <= 0:
            return "pris"
        if self.reservations:
            return "partage"
        return "libre" if self.libre else "ferme"


@dataclass
class Jour:
    """One column."""

    jour: date
    aujourdhui: bool
    cases: list[Case]

    @property
    def utiles(self) -> list[Case]:
        """What a list of the day says: no closed hours, free hours that touch together."""
        found: list[Case] = []
        for one in self.cases:
            if one.sorte == "ferme":
                continue
            last = found[-1] if found else None
            if last and last.sorte == one.sorte == "libre" and last.fin == one.debut:
                last.fin = one.fin
            else:
                found.append(Case(**{name: getattr(one, name) for name in Case.__dataclass_fields__}))
        return found


@dataclass
class Semaine:
    """The table."""

    jours: list[Jour]
    lignes: list[tuple[str, bool, list[Case]]]
    """Each line: its hour, whether it is a whole one, the cells that begin there."""


def clock(minutes: int) -> str:
    """Write minutes since midnight."""
    return f"{minutes // HOUR:02}:{minutes % HOUR:02}"


def week(
    item: Ressource, days: Sequence[date], bookings: Sequence[Any], held: Sequence[Any], moment: datetime
) -> Semaine:
    """Lay out the bookings of a few days; days closed and empty are left out, but the last one stays."""
    kept = [
        day
        for day in days
        if len(days) == 1
        or day.weekday() < 5
        or creneaux.open_hours(item.ouvertures, day)
        or any(_minutes(row, day) for row in bookings)
    ]
    first, last = _range(item, kept, bookings)
    columns = [_day(item, day, bookings, held, moment, first, last) for day in kept]
    edges = sorted({edge for one in columns for case in one.cases for edge in (case.debut, case.fin)})
    for one in columns:
        for case in one.cases:
            case.lignes = sum(case.debut <= edge < case.fin for edge in edges)
    lines = [
        (clock(edge), edge % HOUR == 0, [case for one in columns for case in one.cases if case.debut == edge])
        for edge in edges[:-1]
    ]
    return Semaine(columns, lines)


def _range(item: Ressource, days: Sequence[date], bookings: Sequence[Any]) -> tuple[int, int]:
    """Return the hours shown: those of the openings and of what is booked, whole."""
    spans = [span for day in days for row in bookings if (span := _minutes(row, day))]
    for day in days:
        spans += [(_of(a), _of(b)) for a, b in creneaux.open_hours(item.ouvertures, day)]
    if not spans:
        return 8 * HOUR, 18 * HOUR
    first = min(start for start, _ in spans) // HOUR * HOUR
    last = -(-max(end for _, end in spans) // HOUR) * HOUR
    return first, min(last, MIDNIGHT)


def _of(value: time) -> int:
    return MIDNIGHT if value == time.max else value.hour * HOUR + value.minute


def _minutes(row: Any, day: date) -> tuple[int, int] | None:
    """Return which minutes of a day a booking takes."""
    start, end = creneaux.local(row.debut), creneaux.local(row.fin)
    if start.date() > day or end.date() < day:
        return None
    a = _of(start.time()) if start.date() == day else 0
    b = _of(end.time()) if end.date() == day else MIDNIGHT
    return (a, b) if a < b else None


def _day(
    item: Ressource, day: date, bookings: Sequence[Any], held: Sequence[Any], moment: datetime,
    first: int, last: int,
) -> Jour:  # fmt: skip
    opened = [(_of(a), _of(b)) for a, b in creneaux.open_hours(item.ouvertures, day)]
    spans = [(row, span) for row in bookings if (span := _minutes(row, day))]
    edges = {first, last, *range(first, last, HOUR)}
    edges |= {edge for pair in [*opened, *(span for _, span in spans)] for edge in pair}
    marks = sorted(edge for edge in edges if first <= edge <= last)
    cases: list[Case] = []
    for start, end in pairwise(marks):
        debut, fin = _instant(day, start), _instant(day, end)
        case = Case(
            day,
            start,
            end,
            ouvert=any(a <= start and end <= b for a, b in opened),
            passe=debut < moment,
            tard=debut < moment + timedelta(minutes=item.preavis),
            libres=len(creneaux.free_units(item.quantite, held, debut, fin)) if item.active else 0,
            reservations=[row for row, (a, b) in spans if a < end and start < b],
        )
        before = cases[-1] if cases else None
        if before is not None and _same(before, case):
            before.fin = end
        else:
            cases.append(case)
    return Jour(day, day == creneaux.today(moment), cases)


def _same(before: Case, case: Case) -> bool:
    """Tell whether two neighbours are one: held by the same, or closed both."""
    if before.sorte != case.sorte or before.sorte == "libre":
        return False
    here, there = ([row.id for row in one.reservations] for one in (before, case))
    return here == there and before.libre == case.libre


def _instant(day: date, minutes: int) -> datetime:
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return naive.replace(tzinfo=PARIS).astimezone(UTC)
