"""What the pages of bookings share: the school and the access of the address, the frame, days and hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from flask import abort, request, url_for

from app.extensions import db, now
from app.models import Etablissement, Ressource
from app.queries import creneaux
from app.queries import reservations as reads
from app.queries.etablissements import by_uai
from app.security.permissions import Resource
from app.security.reservation import Acces, access_here
from app.views.arguments import checked_pk
from app.views.ecole import allowed_here, current_school

TONES = {"demandee": "warn", "validee": "ok", "refusee": "bad", "annulee": ""}
"""State of a booking → how it is drawn."""
TITRE = "Réservation de matériel"


def enter(uai: str, need: str = "voir") -> tuple[Etablissement, Acces]:
    """Return the school of the address and what one may do there; 404 without that right."""
    school = by_uai(db.session(), uai)
    if school is None:
        abort(404)
    access = access_here(db.session(), school)
    if not access.voir or not getattr(access, need):
        abort(404)
    return (current_school(uai) if access.console else school), access


def resource_here(school: Etablissement, pk: int, access: Acces) -> Ressource:
    """Return a resource of the school; one withdrawn shows to its managers only."""
    item = reads.resource(db.session(), school.id, checked_pk(pk))
    if item is None or not (item.active or access.gerer or access.console):
        abort(404)
    return item


def frame(school: Etablissement, access: Acces, tab: str = "") -> dict[str, Any]:
    """Return what every page of bookings of a school draws around itself."""
    waiting = reads.waiting(db.session(), school.id) if access.valider else 0
    tabs: list[tuple[str, str, int | None]] = [
        ("catalogue", "Catalogue", None),
        ("jour", "Journée", None),
    ]
    if access.valider:
        tabs.append(("a_valider", "À valider", waiting))
    if access.valider or access.gerer or access.console:
        tabs.append(("historique", "Toutes les réservations", None))
    endpoints = {
        "catalogue": "Reservations.catalogue",
        "jour": "Reservations.jour",
        "a_valider": "SuiviReservations.a_valider",
        "historique": "SuiviReservations.historique",
    }
    return {
        "cadre": "layouts/etablissement.html" if access.console else "layouts/console.html",
        "ecole": school,
        "acces": access,
        "onglets": [
            (label, url_for(endpoints[key], uai=school.uai), key == tab, count) for key, label, count in tabs
        ],
        "etats": reads.ETATS,
        "tons": TONES,
        "quand": when,
        "nom_de": reads.named,
        "service_url": url_for("Services.service", uai=school.uai, code="reservation")
        if access.console and allowed_here(Resource.SERVICE)
        else "",
    }


def when(row: Any) -> str:
    """Write when a booking is: «jeu. 26/11/2026, 10:00 – 11:00»."""
    start, end = creneaux.local(row.debut), creneaux.local(row.fin)
    day = f"{creneaux.JOURS[start.weekday()][:3]}. {start:%d/%m/%Y}"
    if start.date() == end.date():
        return f"{day}, {start:%H:%M}\u00a0–\u00a0{end:%H:%M}"
    return f"{day} {start:%H:%M}\u00a0– {creneaux.JOURS[end.weekday()][:3]}. {end:%d/%m/%Y} {end:%H:%M}"


def day_of(text: str) -> date | None:
    """Read a day as a browser sends it; None when it is not one of these times."""
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2199 else None


def clock_of(text: str) -> time | None:
    """Read an hour as a browser sends it, to the minute."""
    try:
        return time.fromisoformat(text[:5]).replace(tzinfo=None)
    except ValueError:
        return None


def day_arg(name: str = "jour") -> date:
    """Return the day of the address, today by default."""
    return day_of(request.args.get(name, "")) or creneaux.today(now())


def long_day(day: date) -> str:
    """Write a day: «jeudi 26/11/2026»."""
    return f"{creneaux.JOURS[day.weekday()]} {day:%d/%m/%Y}"


def opening_lines(ouvertures: Sequence[Sequence[int | str]]) -> list[tuple[str, str]]:
    """Say when a resource is open, days that are alike together: («lundi – vendredi», «08:00 – 18:00»)."""
    found: list[tuple[list[int], str]] = []
    for day in range(7):
        hours = ", ".join(f"{a}\u00a0–\u00a0{b}" for d, a, b in ouvertures if d == day)
        if not hours:
            continue
        if found and found[-1][1] == hours and found[-1][0][-1] == day - 1:
            found[-1][0].append(day)
        else:
            found.append(([day], hours))
    return [
        (
            creneaux.JOURS[days[0]]
            if len(days) == 1
            else f"{creneaux.JOURS[days[0]]}{' et ' if len(days) == 2 else ' – '}{creneaux.JOURS[days[-1]]}",
            hours,
        )
        for days, hours in found
    ]
