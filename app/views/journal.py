"""The journal of a school: a page, and the pane under every page of the school (X1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from typing import Any

from flask import Response, request
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from markupsafe import Markup

from app.extensions import db
from app.models import Personne
from app.queries import journal as reads
from app.security.permissions import Resource
from app.views.actes import ACTES, FAMILLES, changes, codes_of, said
from app.views.arguments import choice_arg, here, id_arg, text_arg
from app.views.base import PreauBaseView
from app.views.ecole import current_school
from app.views.rendering import instant
from app.views.streams import csv_response

PAGE = 50
PANE = 30
HEADER = ["Quand", "Qui", "Quoi", "Objet", "Avant", "Après", "Numéro dans la chaîne", "Empreinte"]


@cache
def choices() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the acts one may look for, by family: (code, label, acts)."""
    return [
        (family, label, [(code, text) for code, text in ACTES.items() if code.startswith(f"{family}.")])
        for family, label in FAMILLES.items()
    ]


@cache
def options() -> Markup:
    """Return the same choices drawn once, none chosen: the pane under every page of a school holds them."""
    drawn = Markup()
    for family, label, acts in choices():
        every = [(family, f"{label} : tout")] if len(acts) > 1 else []
        lines = [Markup('<option value="{}">{}</option>').format(*one) for one in [*every, *acts]]
        drawn += Markup('<optgroup label="{}">{}</optgroup>').format(label, Markup().join(lines))
    return drawn


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 1900 < found.year < 2200 else None


def _wanted() -> reads.JournalFilter:
    start, codes = codes_of(choice_arg("quoi", {*ACTES, *FAMILLES}))
    return reads.JournalFilter(
        text_arg("qui").strip(),
        start,
        codes,
        text_arg("objet").strip(),
        _day("du"),
        _day("au"),
        id_arg("personne"),
    )


class JournalEtablissement(PreauBaseView):
    """What happened in one school."""

    resource = Resource.JOURNAL
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/journal/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """Show the journal of a school; to the scripts of the pane, its lines only."""
        school, wanted = current_school(uai), _wanted()
        since, fragment = id_arg("depuis"), request.headers.get("HX-Request") == "true"
        if fragment:
            lines = (
                reads.newer(db.session(), school.id, wanted, after=since or 0, limit=PAGE)
                if since is not None or request.args.get("depuis") == "0"
                else reads.page(db.session(), school.id, wanted, before=None, limit=PANE)
            )
            return self._page("console/_journal_lignes.html", lines, wanted)
        lines = reads.page(db.session(), school.id, wanted, before=id_arg("apres"), limit=PAGE + 1)
        return self._page(
            "console/journal.html",
            lines[:PAGE],
            wanted,
            title="Journal",
            following=lines[PAGE - 1].id if len(lines) > PAGE else None,
            live=id_arg("apres") is None,
            about=_name_of(wanted.personne),
            uai=school.uai,
            here=here,
        )

    def _page(self, template: str, lines: Sequence[Any], wanted: reads.JournalFilter, **more: Any) -> str:
        return self.render_template(template, lines=lines, wanted=wanted, said=said, changes=changes, **more)

    @expose("/<uai>/journal/export.csv")
    @has_access
    @permission_name("lire")
    def export(self, uai: str) -> Response:
        """Send the lines the page shows, every page of them, for a spreadsheet."""
        school, wanted = current_school(uai), _wanted()
        return csv_response(f"journal-{school.uai}.csv", _rows(school.id, wanted))


def _name_of(personne_id: int | None) -> str:
    """Return who the journal is narrowed to, as far as this reader may know it."""
    person = db.session.get(Personne, personne_id) if personne_id else None
    return str(person) if person else "une personne" if personne_id else ""


def _rows(school_id: int, wanted: reads.JournalFilter) -> Iterator[Sequence[Any]]:
    yield HEADER
    statement = reads.statement(school_id, wanted).execution_options(yield_per=500)
    for line in db.session.scalars(statement):
        told = changes(line.avant, line.apres)
        yield [
            instant(line.instant),
            line.acteur,
            said(line.acte),
            line.objet,
            ", ".join(f"{one.label} : {one.before}" for one in told if one.before),
            ", ".join(f"{one.label} : {one.after}".removeprefix(" : ") for one in told if one.after),
            line.numero,
            line.empreinte,
        ]


def register(appbuilder: Any) -> None:
    """Add the page; it is reached through the tree and the pane."""
    appbuilder.add_view_no_menu(JournalEtablissement)
