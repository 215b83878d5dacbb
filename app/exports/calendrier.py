"""Bookings as a calendar file (RFC 5545): instants in UTC, so that every program places them right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.queries import reservations as reads

TYPE = "text/calendar; charset=utf-8"
STATUS = {"validee": "CONFIRMED", "demandee": "TENTATIVE"}


def calendar(nom: str, rows: Iterable[Any], host: str, *, personal: bool) -> bytes:
    """Write bookings (``queries.reservations.bookings``) as one calendar.

    ``personal``: one's own; otherwise each event says who has the resource.
    """
    from icalendar import Calendar, Event

    made = Calendar()
    made.add("prodid", "-//Préau//Réservation de matériel//FR")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", nom)
    made.add("x-wr-timezone", "Europe/Paris")
    for row in rows:
        event = Event()
        event.add("uid", f"reservation-{row.id}@{host}")
        event.add("dtstamp", row.decidee_le or row.demandee_le)
        event.add("dtstart", row.debut)
        event.add("dtend", row.fin)
        waiting = " (à valider)" if row.etat == "demandee" else ""
        count = f" × {row.nombre}" if row.nombre > 1 else ""
        who = "" if personal else f" – {reads.named(row)}"
        event.add("summary", f"{row.ressource}{count}{who}{waiting}")
        event.add("status", STATUS[row.etat])
        if row.lieu:
            event.add("location", row.lieu)
        if row.motif:
            event.add("description", row.motif)
        event.add("class", "PRIVATE")
        made.add_component(event)
    return bytes(made.to_ical())
