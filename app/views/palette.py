"""Command palette: schools, people, classes, services, pages, actions, as far as one may open them (C6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from markupsafe import Markup
from werkzeug.routing import BuildError

from app.extensions import db
from app.models import Etablissement
from app.queries import console as console_reads
from app.queries import etablissements as school_reads
from app.queries import gens
from app.queries import palette as reads
from app.queries.droits import services_of
from app.queries.noms import search_key
from app.queries.personnes import PROFIL_LABELS
from app.security.manager import allowed, current_account, current_perimetre
from app.security.perimetres import perimetre
from app.security.permissions import Resource, Verb
from app.views.arbre import NODES, Node
from app.views.arguments import text_arg
from app.views.base import PreauBaseView
from app.views.ecole import Ecole, allowed_here
from app.views.frame import menu_sections
from app.views.rendering import day
from app.views.surligner import marked

FEW, MANY = 5, 25
FEW_SCHOOLS = 20
AT_HAND = "Récents et favoris"
LISTES = {
    "eleve": "eleves",
    "enseignant": "enseignants",
    "personnel": "personnels",
    "responsable": "parents",
    "invite": "invites",
}
"""Profile → the list of a school that shows it."""


@dataclass(frozen=True)
class Option:
    """One thing the palette can open."""

    text: str | Markup
    url: str
    detail: str | Markup = ""
    icon: str = ""


@dataclass(frozen=True)
class Group:
    """Options of one kind."""

    key: str
    label: str
    icon: str
    options: Sequence[Option]


@dataclass(frozen=True)
class Action:
    """Something to do from anywhere, by who may."""

    label: str
    endpoint: str
    resource: Resource
    verb: Verb = Verb.LIRE


ACTIONS = (
    Action("Déposer des fichiers à alimenter", "AlimentationView.add", Resource.ALIMENTATION, Verb.ECRIRE),
    Action("Changer d’établissement", "ChoixEtablissement.choisir", Resource.ETABLISSEMENT),
    Action("Exporter la liste des établissements", "VueAcademie.export", Resource.ETABLISSEMENT),
)
"""Actions of the whole console; a module adds its own."""


def address(endpoint: str, **values: Any) -> str:
    """Return the address of a page, empty when this Préau does not have it."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def found(typed: str, uai: str, *, limit: int) -> list[Group]:
    """Return what is typed means, by kind; nothing typed, what is at hand."""
    school = _school(uai)
    groups = [
        Group(
            "ecoles", "Établissements" if typed else "Récents et favoris", "building", _schools(typed, limit)
        ),
        Group("personnes", "Personnes", "person", _people(typed, school, limit)),
        Group("classes", "Classes", "mortarboard", _classes(typed, school, limit)),
        Group("services", "Services", "grid-3x3-gap", _services(typed, school)),
        Group(
            "pages-ecole",
            f"Dans {school.nom}" if school else "",
            "layout-three-columns",
            _nodes(typed, school),
        ),
        Group("actions", "Actions", "arrow-right", _actions(typed)),
        Group("pages", "Pages", "collection", _pages(typed)),
    ]
    return [group for group in groups if group.options]


def _school(uai: str) -> Ecole | None:
    """Return the school the palette was opened on, when it is in the perimeter."""
    account = current_account()
    if not uai or account is None or not allowed(Verb.LIRE, Resource.ETABLISSEMENT):
        return None
    with perimetre(db.session(), current_perimetre(Resource.ETABLISSEMENT)):
        row = console_reads.school(db.session(), uai[:8].upper(), account.id)
        return None if row is None else _read_out(row[0], favori=row[2])


def _read_out(one: Etablissement, *, favori: bool) -> Ecole:
    """Return what is needed of a school, read while its perimeter is stated."""
    return Ecole(
        one.id, one.uai, one.nom, one.commune or "", "", favori, one.academie_id, one.collectivite_id
    )


def _schools(typed: str, limit: int) -> list[Option]:
    account = current_account()
    if account is None or not allowed(Verb.LIRE, Resource.ETABLISSEMENT):
        return []
    with perimetre(db.session(), current_perimetre(Resource.ETABLISSEMENT)):
        schools = school_reads.choices(db.session(), typed, account.id, limit=limit)
    return [
        Option(
            marked(one.nom, typed),
            address("EtablissementConsole.fiche", uai=one.uai),
            Markup("{}{}").format(marked(one.uai, typed), f" · {one.commune}" if one.commune else ""),
        )
        for one in schools
        if typed or one.favori or one.visite
    ]


def _own_schools(resource: Resource) -> Sequence[int]:
    """Return the schools of a perimeter when it names them one by one, none otherwise."""
    held = current_perimetre(resource)
    wide = held.tout or held.academies or held.collectivites or len(held.etablissements) > FEW_SCHOOLS
    return () if wide else sorted(held.etablissements)


def _people(typed: str, school: Ecole | None, limit: int) -> list[Option]:
    if len(search_key(typed)) < 2 or not allowed(Verb.LIRE, Resource.PERSONNE):
        return []
    wanted = gens.Criteres(q=typed, ecoles=tuple(_own_schools(Resource.PERSONNE)))
    with perimetre(db.session(), current_perimetre(Resource.PERSONNE)):
        people = gens.suggestions(db.session(), wanted, limit)
        places = gens.places(db.session(), [row.id for row in people])
    options = []
    for row in people:
        name = f"{(row.nom_usage or row.nom).upper()} {row.prenom}"
        if row.nom_usage and row.nom_usage != row.nom:
            name += f" (nom de naissance : {row.nom.upper()})"
        birth = f" – {day(row.date_naissance)}" if row.date_naissance else ""
        here = sorted(places.get(row.id, ()), key=lambda place: school is None or place.uai != school.uai)
        url, detail = _place(here[0], school, row.id) if here else (address("Personnes.fiche", pk=row.id), "")
        options.append(Option(Markup("{}{}").format(marked(name, typed), birth), url, detail))
    return options


def _place(place: Any, school: Ecole | None, pk: int) -> tuple[str, str]:
    """Return the sheet of a person in a school, and what they are there."""
    parts = [PROFIL_LABELS.get(place.profil, place.profil), place.classe or ""]
    if school is None or school.uai != place.uai:
        parts.append(place.etablissement)
    url = address("Utilisateurs.fiche", uai=place.uai, liste=LISTES[place.profil], pk=pk)
    return url, ", ".join(part for part in parts if part)


def _classes(typed: str, school: Ecole | None, limit: int) -> list[Option]:
    """Return the classes of the school one is in, or of the few one has: «3e B» is in every collège."""
    if not typed or not allowed(Verb.LIRE, Resource.DIVISION):
        return []
    here = school is not None and allowed_here(Resource.DIVISION, school=school)
    schools = [school.id] if school is not None and here else _own_schools(Resource.DIVISION)
    with perimetre(db.session(), current_perimetre(Resource.DIVISION)):
        rows = reads.classes(db.session(), typed, schools, limit=limit)
    return [
        Option(
            marked(row.nom, typed),
            address("Classes.fiche", uai=row.uai, pk=row.id),
            "" if school is not None and school.uai == row.uai else row.ecole,
        )
        for row in rows
    ]


def _services(typed: str, school: Ecole | None) -> list[Option]:
    """Return the services of the school one is in, with their state."""
    if not typed or school is None or not allowed_here(Resource.SERVICE, school=school):
        return []
    return [
        Option(
            marked(one.nom, typed),
            address("Services.service", uai=school.uai, code=one.code),
            "Actif" if one.actif else "Inactif",
        )
        for one in services_of(db.session(), school.id, cells=False)
        if _matches(one.nom, typed)
    ]


def _matches(label: str, typed: str) -> bool:
    words = f" {search_key(label)}"
    return all(f" {word}" in words for word in search_key(typed).split())


def _nodes(typed: str, school: Ecole | None) -> list[Option]:
    """Return the pages of the school one is in."""
    if school is None:
        return []

    def leaves(nodes: Sequence[Node]) -> Iterator[Node]:
        for node in nodes:
            if allowed_here(node.resource, school=school):
                yield node
                yield from leaves(node.children)

    return [
        Option(marked(node.label, typed), url)
        for node in leaves(NODES)
        if _matches(node.label, typed) and (url := node.url(school.uai))
    ]


def _actions(typed: str) -> list[Option]:
    return [
        Option(marked(action.label, typed), url)
        for action in ACTIONS
        if allowed(action.verb, action.resource)
        and _matches(action.label, typed)
        and (url := address(action.endpoint))
    ]


def _pages(typed: str) -> list[Option]:
    return [
        Option(marked(entry.label, typed), entry.url, section.label, entry.icon)
        for section in menu_sections()
        for entry in section.entries
        if _matches(f"{section.label} {entry.label}", typed)
    ]


class Palette(PreauBaseView):
    """The palette's answers, and the same as a page."""

    resource = Resource.MON_ESPACE
    route_base = ""
    default_view = "rechercher"

    @expose("/palette")
    @has_access
    @permission_name("lire")
    def palette(self) -> str:
        """Answer the options of what is typed: a fragment for the dialog, a page otherwise."""
        return self._answer(fragment=request.headers.get("HX-Request") == "true")

    @expose("/rechercher")
    @has_access
    @permission_name("lire")
    def rechercher(self) -> str:
        """Show what is typed means, on a page."""
        return self._answer(fragment=False)

    def _answer(self, *, fragment: bool) -> str:
        typed, uai = text_arg("q").strip(), text_arg("ecole")
        groups = found(typed, uai, limit=FEW if fragment else MANY)
        return self.render_template(
            "palette/_options.html" if fragment else "palette/rechercher.html",
            title="Rechercher",
            groups=groups,
            typed=typed,
            uai=uai,
        )


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the top band and the keyboard."""
    appbuilder.add_view_no_menu(Palette)
