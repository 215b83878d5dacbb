"""What the console frame shows around every page: modules, side menu, account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from flask import current_app, request, url_for
from flask_appbuilder.menu import MenuItem
from werkzeug.routing import BuildError

from app.models import Compte
from app.security.acteur import role_labels
from app.security.manager import allowed, current_account
from app.security.permissions import Resource, Verb
from app.security.roles import Right
from app.views.arbre import Branch, current_key, tree
from app.views.arguments import lasting
from app.views.ecole import Ecole, school_of_page

MODULE_OF = dict.fromkeys(("Établissements", "Alimentation", "Suivi", "Droits"), "Administration")
"""Section of the menu → module that holds it; a section that is not here is a module of its own."""
ENTRY_OF = {
    "MotDePasseView": "MonEspaceView",
    "SecondFacteurView": "MonEspaceView",
    "Nommer": "Administrateurs",
    "RolesDonnes": "Administrateurs",
    "Promesses": "Administrateurs",
    "ReinitialiserView": "CompteView",
    "DroitsCompte": "Administrateurs",
    "DroitsPersonne": "Personnes",
    "Comparaison": "Modeles",
    "Applications": "Modeles",
}
"""View without an entry of its own → the view whose entry leads to it."""

SCHOOL_MODULE = "Administration"
"""The module the pages of a school belong to."""


@dataclass(frozen=True)
class Entry:
    """One page of the menu this person may open."""

    label: str
    url: str
    icon: str = ""
    current: bool = False
    resource: str = ""


@dataclass(frozen=True)
class Section:
    """A heading of the side menu and the pages under it."""

    label: str
    entries: list[Entry]

    @property
    def current(self) -> bool:
        return any(entry.current for entry in self.entries)


@dataclass(frozen=True)
class Module:
    """A module of SPEC A in the top band: one or several sections of the side menu."""

    label: str
    sections: list[Section]
    holds_school: bool = False

    @property
    def url(self) -> str:
        return self.sections[0].entries[0].url

    @property
    def current(self) -> bool:
        return self.holds_school or any(section.current for section in self.sections)


@dataclass(frozen=True)
class Account:
    """Who is signed in, as the account menu shows it."""

    name: str
    initials: str
    role: str
    logout: str
    links: list[Entry]


@dataclass(frozen=True)
class Frame:
    """Everything ``layouts/console.html`` needs."""

    home: str = "/"
    modules: list[Module] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    account: Account | None = None
    ecole: Ecole | None = None
    tree: list[Branch] = field(default_factory=list)
    choice: str = ""


def console_frame() -> Frame:
    """Return the frame of this request: empty of menus for a stranger."""
    appbuilder = getattr(current_app, "appbuilder", None)
    account = current_account()
    if appbuilder is None or account is None:
        return Frame()
    sections = menu_sections()
    modules = modules_of(sections)
    here = [section for module in modules if module.current for section in module.sections]
    school = school_of_page()
    return Frame(
        home=appbuilder.get_url_for_index,
        modules=modules,
        sections=here or sections,
        account=_account(account, sections),
        ecole=school,
        tree=tree(school) if school else [],
        choice=_choice(school),
    )


def _choice(school: Ecole | None) -> str:
    """Return where the schools are chosen from, the same page of each when one is open."""
    if not allowed(Verb.LIRE, Resource.ETABLISSEMENT):
        return ""
    return url_for("ChoixEtablissement.choisir", page=current_key() if school else None)


def my_schools() -> str:
    """Return where the schools of the perimeter are listed."""
    try:
        return url_for("VueAcademie.liste")
    except BuildError:
        return "/"


def modules_of(sections: list[Section]) -> list[Module]:
    """Gather the sections of the menu in modules, in the order of the menu."""
    gathered: dict[str, list[Section]] = {}
    for section in sections:
        gathered.setdefault(MODULE_OF.get(section.label, section.label), []).append(section)
    inside = school_of_page() is not None
    return [Module(label, found, inside and label == SCHOOL_MODULE) for label, found in gathered.items()]


def modules_for(rights: Collection[Right]) -> list[tuple[str, list[str]]]:
    """Return the modules these rights open, each with its pages, in the order of the menu."""
    gathered: dict[str, list[str]] = {}
    shown = {str(resource) for verb, resource in rights if verb is Verb.MENU}
    for top in current_app.appbuilder.menu.menu:  # type: ignore[attr-defined]
        items = top.childs or ([top] if top.baseview else [])
        pages = [str(item.label) for item in items if item.name != "-" and _resource(item) in shown]
        if pages:
            gathered.setdefault(MODULE_OF.get(str(top.label), str(top.label)), []).extend(pages)
    return list(gathered.items())


def menu_sections() -> list[Section]:
    """Return the modules of which this person may open at least one page."""
    sections = []
    for top in current_app.appbuilder.menu.menu:  # type: ignore[attr-defined]
        items = top.childs or ([top] if top.baseview else [])
        entries = [_entry(item) for item in items if item.name != "-" and _visible(item)]
        if entries:
            sections.append(Section(str(top.label), entries))
    return sections


def _resource(item: MenuItem) -> str:
    return str(getattr(item.baseview, "class_permission_name", None) or item.name)


def _visible(item: MenuItem) -> bool:
    return item.should_render() and allowed(Verb.MENU, _resource(item))


def _entry(item: MenuItem) -> Entry:
    endpoint = getattr(item.baseview, "endpoint", None)
    icon = "" if str(item.icon or "").startswith("fa-") else str(item.icon or "")
    return Entry(
        label=str(item.label),
        url=lasting(item.get_url, "menu", item.name, endpoint),
        icon=icon,
        current=endpoint is not None and endpoint == ENTRY_OF.get(request.blueprint or "", request.blueprint),
        resource=_resource(item),
    )


def _account(account: Compte, sections: list[Section]) -> Account:
    first, last = str(account.first_name or ""), str(account.last_name or "")
    links = [
        Entry(entry.label, entry.url)
        for section in sections
        for entry in section.entries
        if entry.resource == str(Resource.MON_ESPACE)
    ]
    return Account(
        name=f"{first} {last}".strip() or str(account),
        initials=(first[:1] + last[:1]).upper() or "?",
        role=", ".join(role_labels(account)),
        logout=_auth_url("logout"),
        links=links,
    )


def login_url(wanted: str = "") -> str:
    """Return where a stranger signs in, and comes back from."""
    return _auth_url("login", **({"next": wanted} if wanted.strip("/") else {}))


def _auth_url(method: str, **values: Any) -> str:
    view: Any = getattr(current_app.appbuilder.sm, "auth_view", None)  # type: ignore[attr-defined]
    name = view.endpoint if view else "ConnexionView"
    try:
        return url_for(f"{name}.{method}", **values)
    except BuildError:
        return "/"
