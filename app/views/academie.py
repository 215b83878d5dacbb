"""«Établissements»: every school of the perimeter with its health, filtered, sorted, charted (C7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from flask import Response, request
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import Row, Select, and_, false
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.database import reading
from app.extensions import db
from app.models import VueEnregistree
from app.queries import academie as reads
from app.queries import curseurs
from app.queries import vues as kept
from app.security.manager import allowed, current_account, current_perimetre
from app.security.permissions import Resource, Verb
from app.views import academie_graphiques as charts
from app.views import academie_liste as page
from app.views.academie_cellules import cell, plain_cell
from app.views.arguments import ids_arg
from app.views.base import PreauBaseView
from app.views.cursor_pages import cursor_args, pager
from app.views.preferences import preference
from app.views.streams import csv_response
from app.views.vues import PAGES

FIGURES = (Resource.PERSONNE, Resource.ALIMENTATION)
MAX_SELECTION = 100


@dataclass(frozen=True)
class Onglet:
    """One view of the list, as a tab: built in, or saved by the person."""

    label: str
    url: str
    count: int
    current: bool
    vue: VueEnregistree | None = None


def may_read_figures() -> bool:
    """Tell whether this person may read the figures of people and feeds, somewhere at least."""
    return all(allowed(Verb.LIRE, resource) for resource in FIGURES)


def visible_figures() -> reads.Visible:
    """Return for which schools figures may be read; None when it is for every one of the page."""
    if not may_read_figures():
        return lambda _id: false()
    stated = current_perimetre()
    held = [current_perimetre(resource) for resource in FIGURES]
    if all(one == stated for one in held):
        return None
    return lambda id_: and_(*[one.etablissement_clause(id_) for one in held])


def _state_of(vue: VueEnregistree, *, figures: bool) -> page.Etat:
    return page.read_state(MultiDict(parse_qsl(vue.arguments)), figures=figures)


class VueAcademie(PreauBaseView):
    """Schools of the perimeter."""

    resource = Resource.ETABLISSEMENT
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/")
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """Show the schools of the perimeter, their charts and the person's views."""
        figures, visible = may_read_figures(), visible_figures()
        state = page.read_state(request.args, figures=figures)
        session = db.session()
        account = current_account()
        mine = kept.views(session, account.id, page.PAGE) if account else []
        states = [_state_of(vue, figures=figures) for vue in mine]
        common = [filtre for _label, filtre in page.built_in(figures)]
        groups = reads.summary(session, visible, [*common, *[one.filtre for one in states], state.filtre])
        total = _sum(groups, f"vue_{len(common) + len(states)}")
        found = curseurs.page(
            session,
            reads.listed(visible, state.filtre),
            reads.order_of(state.tri, descending=state.descending),
            state.taille,
            *cursor_args(),
        )
        columns = self._columns(state, figures=figures)
        selects = page.facets(state, groups, figures=figures)
        return self.render_template(
            "academie/liste.html",
            title="Établissements",
            heading=_heading(),
            state=state,
            rows=found.rows,
            columns=[_headed(column, state) for column in columns],
            all_columns=[c for c in page.COLUMNS if figures or not c.figures],
            cell=cell,
            facets=selects,
            chips=page.chips(state, selects),
            tabs=_tabs(state, mine, states, groups, figures=figures),
            saved=mine,
            total=total,
            everything=_sum(groups, "ecoles"),
            charts=charts.charts(state, groups, reads.levels(session, visible)) if figures else [],
            computed=min((row.calcule_le for row in groups if row.calcule_le), default=None),
            pager=pager(found, total),
            bare_url=replace(state, colonnes=()).url(),
            export_url=state.url("VueAcademie.export"),
        )

    @expose("/export")
    @has_access
    @permission_name("lire")
    def export(self) -> Response:
        """Send the schools of the list, or the ticked ones, as a CSV with the columns shown."""
        figures, visible = may_read_figures(), visible_figures()
        state = page.read_state(request.args, figures=figures)
        columns = self._columns(state, figures=figures)
        chosen = ids_arg("rowid", limit=MAX_SELECTION)
        order = reads.order_of(state.tri, descending=state.descending)
        statement = reads.listed(visible, state.filtre, chosen).order_by(*order.order(backwards=False))
        return csv_response("etablissements.csv", _export(db.session(), statement, columns))

    def _columns(self, state: page.Etat, *, figures: bool) -> list[page.SchoolColumn]:
        """Return the columns of the address, or else those this person chose."""
        asked: Sequence[str] = state.colonnes
        if not asked:
            remembered = preference(PAGES[page.PAGE])
            asked = [str(key) for key in remembered] if isinstance(remembered, list) else []
        return page.columns_of(asked, figures=figures)


def _heading() -> str:
    held = current_perimetre()
    if held.tout:
        return "Tous les établissements"
    return "Établissements de l’académie" if len(held.academies) == 1 else "Mes établissements"


def _sum(groups: Sequence[Row[Any]], name: str) -> int:
    return sum(getattr(row, name) for row in groups)


def _tabs(
    state: page.Etat,
    mine: Sequence[VueEnregistree],
    states: Sequence[page.Etat],
    groups: Sequence[Row[Any]],
    *,
    figures: bool,
) -> list[Onglet]:
    """Return the tabs; the one this address is, filters and sort alike, is the current one."""
    common = [(label, page.Etat(filtre=filtre), None) for label, filtre in page.built_in(figures)]
    own = [(vue.nom, one, vue) for vue, one in zip(mine, states, strict=True)]
    found: list[Onglet] = []
    for rank, (label, one, vue) in enumerate([*common, *own]):
        kept_look = one if vue else replace(one, taille=state.taille, colonnes=state.colonnes)
        here = one.same_rows(state) if vue else one.filtre == state.filtre
        found.append(Onglet(label, kept_look.url(), _sum(groups, f"vue_{rank}"), here, vue))
    exact = [tab for tab in found if tab.current]
    chosen = exact[-1] if exact else None
    return [replace(tab, current=tab is chosen) for tab in found]


def _headed(column: page.SchoolColumn, state: page.Etat) -> page.SchoolColumn:
    """Return a column with where its header leads and how it is sorted now."""
    how = ("descending" if state.descending else "ascending") if state.tri == column.name else ""
    return replace(column, sort_url=_sort_url(state, column.name), sorted=how)


def _sort_url(state: page.Etat, key: str) -> str:
    """Return the list sorted by a column; a second time the other way round, figures from the highest."""
    if state.tri == key:
        return replace(state, descending=not state.descending).url()
    return replace(state, tri=key, descending=page.BY_NAME[key].numeric).url()


def _export(
    session: Session, statement: Select[Any], columns: Sequence[page.SchoolColumn]
) -> Iterator[Sequence[Any]]:
    """Yield the header then every school, as read: the answer is sent after the request ended."""
    yield [column.label for column in columns]
    try:
        with reading():
            for row in session.execute(statement.execution_options(yield_per=500)):
                yield [plain_cell(row, column) for column in columns]
    finally:
        session.close()


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(VueAcademie, "Mes établissements", icon="buildings", category="Établissements")
