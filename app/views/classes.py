"""Classes and timetable groups of a school: pupils, teachers, main teachers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import abort, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import Row

from app.extensions import db
from app.models import Division, Etablissement, GroupeEnseignement
from app.queries import classes as reads
from app.security.permissions import Resource
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.gens_cellules import full_name
from app.views.labels import SOURCES


@dataclass
class Enseignant:
    """A teacher of a class: what they teach it, and whether they are in charge."""

    nom: str
    url: str
    matieres: list[str] = field(default_factory=list)
    principal: bool = False


class Classes(PreauBaseView):
    """The classes of one school, and the groups of its timetable."""

    resource = Resource.DIVISION
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/classes/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """Show the classes then the groups."""
        school, session = current_school(uai), db.session()
        people = allowed_here(Resource.PERSONNE)
        return self.render_template(
            "classes/liste.html",
            title="Classes et groupes",
            ecole=school,
            divisions=reads.divisions(session, school.id),
            groupes=reads.groups(session, school.id),
            principaux=_named(reads.main_teachers(session, school.id), school) if people else {},
        )

    @expose("/<uai>/classes/<int:pk>")
    @has_access
    @permission_name("lire")
    def fiche(self, uai: str, pk: int) -> str:
        """Show a class: its pupils, its teachers, its groups."""
        school, session = current_school(uai), db.session()
        division = reads.division(session, school.id, checked_pk(pk))
        if division is None:
            abort(404)
        return self._page(school, division, division_id=division.id)

    @expose("/<uai>/classes/groupes/<int:pk>")
    @has_access
    @permission_name("lire")
    def groupe(self, uai: str, pk: int) -> str:
        """Show a timetable group: its pupils and its teachers."""
        school, session = current_school(uai), db.session()
        group = reads.group(session, school.id, checked_pk(pk))
        if group is None:
            abort(404)
        return self._page(school, group, groupe_id=group.id)

    def _page(self, school: Etablissement, item: Division | GroupeEnseignement, **which: int) -> str:
        session = db.session()
        people = allowed_here(Resource.PERSONNE)
        pupils = reads.pupils(session, school.id, **which) if people else []
        teachers = reads.teachers(session, school.id, **which) if people else []
        division_id = which.get("division_id")
        return self.render_template(
            "classes/fiche.html",
            title=str(item),
            ecole=school,
            item=item,
            source=SOURCES.get(item.source, item.source),
            division=division_id is not None,
            eleves=pupils,
            niveaux=list(dict.fromkeys(row.niveau or row.mef for row in pupils if row.niveau or row.mef)),
            enseignants=_teachers(teachers, school),
            groupes=reads.groups(session, school.id, division_id) if division_id else [],
            nom=full_name,
            gens=people,
        )


def _teachers(rows: Sequence[Row[Any]], school: Etablissement) -> list[Enseignant]:
    found: dict[int, Enseignant] = {}
    for row in rows:
        one = found.setdefault(row.id, Enseignant(full_name(row), _url(row.id, school)))
        one.principal = one.principal or bool(row.principal)
        if row.matiere and row.matiere not in one.matieres:
            one.matieres.append(row.matiere)
    return sorted(found.values(), key=lambda one: not one.principal)


def _named(rows: dict[int, list[Row[Any]]], school: Etablissement) -> dict[int, list[Enseignant]]:
    return {
        division: [Enseignant(full_name(row), _url(row.id, school)) for row in held]
        for division, held in rows.items()
    }


def _url(pk: int, school: Etablissement) -> str:
    return url_for("Utilisateurs.fiche", uai=school.uai, liste="enseignants", pk=pk)


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached through the tree of the school."""
    appbuilder.add_view_no_menu(Classes)
