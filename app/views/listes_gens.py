"""The lists of people: which there are, their columns, what their address asks (U1, U2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request

from app.queries.gens import Criteres
from app.queries.personnes import PROFIL_LABELS
from app.views.arguments import choice_arg, id_arg, text_arg
from app.views.cursor_pages import Pager
from app.views.list_parts import Chip, Column, Facet, Row

ETATS = {"actif": "Actif", "jamais": "Jamais activé", "suspendu": "Suspendu"}


@dataclass(frozen=True)
class PeopleList:
    """One list of a school: its profile, its words, its columns."""

    key: str
    profil: str
    title: str
    one: str
    many: str
    columns: tuple[str, ...]
    empty: str
    departs: bool = False
    not_yet: str = "Aucune alimentation n’en a encore apporté."


LISTES = {
    one.key: one
    for one in (
        PeopleList(
            "eleves", "eleve", "Élèves", "élève", "élèves",
            ("naissance", "classe", "niveau", "mef", "login", "compte"), "Aucun élève",
        ),
        PeopleList(
            "enseignants", "enseignant", "Enseignants", "enseignant", "enseignants",
            ("naissance", "disciplines", "classes", "email", "compte"), "Aucun enseignant",
        ),
        PeopleList(
            "personnels", "personnel", "Personnels", "personnel", "personnels",
            ("naissance", "disciplines", "email", "compte"), "Aucun personnel",
        ),
        PeopleList(
            "parents", "responsable", "Parents et responsables", "parent", "parents",
            ("enfants", "email", "login", "compte"), "Aucun parent",
        ),
        PeopleList(
            "invites", "invite", "Autres (invités)", "invité", "invités",
            ("naissance", "email", "login", "compte"), "Aucun invité",
            not_yet="Les invités sont les intervenants que l’annuaire ne connaît pas.",
        ),
        PeopleList(
            "suppressions", "", "Suppressions", "départ", "départs",
            ("naissance", "profil", "depart", "motif", "suite"), "Aucun départ", departs=True,
            not_yet="Les personnes que les alimentations ne nomment plus sont gardées ici.",
        ),
    )
}  # fmt: skip

LISTE_DU_PROFIL = {one.profil: one.key for one in LISTES.values() if one.profil}

COLUMN_LABELS = {
    "nom": "Nom",
    "naissance": "Naissance",
    "classe": "Classe",
    "niveau": "Niveau",
    "mef": "MEF",
    "login": "Identifiant",
    "email": "E-mail",
    "compte": "Compte",
    "disciplines": "Fonction ou discipline",
    "classes": "Classes",
    "enfants": "Enfants",
    "profil": "Profil",
    "depart": "Parti le",
    "motif": "Pourquoi",
    "suite": "Et ensuite",
    "etablissement": "Établissement",
    "creation": "Créée le",
    "joindre": "Identifiant, e-mail",
}
PERIMETER_SORTS = {"nom", "naissance", "creation"}
SORTS = {"naissance", "classe", "login", "email", "depart", "profil"}


@dataclass
class PeoplePage:
    """Everything the template of a list shows."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    facets: Sequence[Facet]
    chips: Sequence[Chip]
    pager: Pager
    export_url: str
    acts_url: str = ""
    """Where lines ticked are sent to be acted upon; empty for who only reads."""
    school: str = ""
    """Name of the school filtered on, in the list of a whole perimeter."""


def date_arg(name: str) -> date | None:
    """Return a date of the address, None when it is not one."""
    try:
        return date.fromisoformat(request.args.get(name, "")[:10])
    except ValueError:
        return None


def criteres_of(chosen: PeopleList, etablissement_id: int) -> Criteres:
    """Return what the address asks of one list of a school."""
    default = ("depart", True) if chosen.departs else ("nom", False)
    asked = choice_arg("tri", {"nom", *(SORTS & set(chosen.columns))})
    pupils, staff = chosen.profil == "eleve", chosen.profil in {"enseignant", "personnel"}
    return Criteres(
        etablissement_id,
        chosen.profil or choice_arg("profil", PROFIL_LABELS),
        chosen.departs,
        q=text_arg("q").strip(),
        division_id=id_arg("classe") if pupils or chosen.profil == "responsable" else None,
        niveau=text_arg("niveau")[:60] if pupils else "",
        discipline_id=id_arg("discipline") if staff else None,
        etat=choice_arg("etat", ETATS),
        sans_email=request.args.get("email") == "sans",
        depuis=date_arg("depuis"),
        tri=asked or default[0],
        descendant=request.args.get("ordre") == "desc" if asked else default[1],
    )


def criteres_perimetre(ecoles: tuple[int, ...]) -> Criteres:
    """Return what the address asks of the list over the whole perimeter."""
    return Criteres(
        id_arg("etablissement"),
        choice_arg("profil", PROFIL_LABELS),
        q=text_arg("q").strip(),
        etat=choice_arg("etat", ETATS),
        sans_email=request.args.get("email") == "sans",
        depuis=date_arg("depuis"),
        tri=choice_arg("tri", PERIMETER_SORTS, "nom"),
        descendant=request.args.get("ordre") == "desc",
        ecoles=ecoles,
    )


def list_args() -> dict[str, Any]:
    """Return the arguments of the list that sheets carry along, so that «next» means next in it."""
    filters = ("q", "classe", "niveau", "discipline", "etat", "email", "depuis", "profil")
    kept = (*filters, "tri", "ordre", "taille")
    return {name: request.args[name] for name in kept if request.args.get(name)}
