"""One page of a list of people of a school, and its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import url_for

from app.extensions import db
from app.models import Etablissement, Personne
from app.queries import curseurs, effectifs
from app.queries import gens as reads
from app.queries.gens import Criteres
from app.security.permissions import Resource, Verb
from app.views import gens_cellules as cells
from app.views import gens_filtres as filters
from app.views import listes_gens as lists
from app.views.arguments import address_of
from app.views.cursor_pages import cursor_args, pager, size_arg
from app.views.ecole import allowed_here
from app.views.list_parts import Row
from app.views.listes_gens import PeopleList, PeoplePage

SLICE = 500


def page_of(chosen: PeopleList, school: Etablissement, criteres: Criteres) -> PeoplePage:
    """Read the page the address asks, its facets counted over the whole list."""
    session, whole, args = db.session(), _whole(criteres), lists.list_args()
    statement = reads.school_list(criteres)
    tri, first = reads.tri_in_school(criteres), reads.place_first(criteres)
    page = curseurs.page(session, statement, tri, size_arg(), *cursor_args(), first=first)
    effectif = effectifs.headcount(session, whole)
    facets = filters.with_values(filters.facets(chosen, whole, effectif), criteres)
    filtered = criteres.filtered or (chosen.departs and bool(criteres.profil))
    return PeoplePage(
        columns=cells.headers(chosen.columns, criteres, lists.SORTS),
        rows=_rows(chosen, school, page.rows, args),
        facets=facets,
        chips=filters.chips(criteres, facets),
        pager=pager(page, reads.count(session, statement) if filtered else effectif.total),
        export_url=url_for("Utilisateurs.export", uai=school.uai, liste=chosen.key, **args),
        acts_url=url_for("ActesDeListe.preparer", uai=school.uai, liste=chosen.key, **args)
        if not chosen.departs and allowed_here(Resource.PERSONNE, Verb.ECRIRE)
        else "",
    )


def _rows(chosen: PeopleList, school: Etablissement, rows: Sequence[Any], args: dict[str, Any]) -> list[Row]:
    more = cells.extras(chosen, rows, school.id)
    url = address_of("Utilisateurs.fiche", uai=school.uai, liste=chosen.key, **args)
    return [
        Row(
            row.id,
            cells.full_name(row),
            url(row.id),
            [cells.cell(name, row, more, school.uai) for name in chosen.columns],
        )
        for row in rows
    ]


def _whole(criteres: Criteres) -> Criteres:
    """Return the list without its filters, for what each choice would keep."""
    profil = "" if criteres.departs else criteres.profil
    return Criteres(criteres.etablissement_id, profil, criteres.departs)


def file_rows(
    chosen: PeopleList, school: Etablissement, criteres: Criteres, only: Sequence[int]
) -> Iterator[Sequence[Any]]:
    """Yield the header then every line, by slices; runs after the request has ended."""
    school_id, uai = school.id, school.uai
    tri = reads.tri_in_school(criteres)
    statement = reads.school_list(criteres).order_by(*tri.order(backwards=False))
    if only:
        statement = statement.where(Personne.id.in_(only))

    def lines() -> Iterator[Sequence[Any]]:
        yield ["Nom", "Prénom", *[lists.COLUMN_LABELS[name] for name in chosen.columns]]
        found = db.session().execute(statement.execution_options(yield_per=SLICE))
        for part in found.partitions():
            more = cells.extras(chosen, part, school_id)
            for row in part:
                yield [
                    row.nom_usage or row.nom,
                    row.prenom,
                    *[cells.plain_cell(name, row, more, uai) for name in chosen.columns],
                ]

    return lines()
