"""Facets and chips of the lists of people of a school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from app.extensions import db
from app.queries import effectifs
from app.queries import gens as reads
from app.queries.effectifs import Effectif
from app.queries.gens import Criteres
from app.queries.personnes import PROFIL_LABELS
from app.views.cursor_pages import url_here
from app.views.labels import school_level
from app.views.list_parts import Chip, Facet
from app.views.listes_gens import ETATS, PeopleList
from app.views.rendering import day, number


def facets(chosen: PeopleList, criteres: Criteres, effectif: Effectif) -> list[Facet]:
    """Return the selects of a list of a school, each choice with how many people it keeps.

    ``criteres`` is the whole list; ``with_values`` says what is chosen.
    """
    session = db.session()
    found: list[Facet] = []
    if chosen.profil == "eleve":
        rows = effectifs.classes_of_list(session, criteres)
        found += [_classes(rows), _levels(rows)]
    elif chosen.profil == "responsable":
        choices = [
            (str(row[0]), counted(row[1], row[2])) for row in effectifs.classes_of_children(session, criteres)
        ]
        found.append(Facet("classe", "Classe de l’enfant", choices=choices))
    elif chosen.profil in {"enseignant", "personnel"}:
        choices = [
            (str(row[0]), counted(row[1], row[2])) for row in effectifs.disciplines_of_list(session, criteres)
        ]
        found.append(Facet("discipline", "Discipline", choices=choices))
    elif chosen.departs:
        found.append(Facet("profil", "Profil", choices=list(PROFIL_LABELS.items())))
    if not chosen.departs:
        states = [(etat, counted(label, getattr(effectif, etat))) for etat, label in ETATS.items()]
        missing = [("sans", counted("Sans e-mail", effectif.sans_email))]
        found += [Facet("etat", "Compte", choices=states), Facet("email", "E-mail", choices=missing)]
    return [facet for facet in found if facet.choices]


def with_values(found: Sequence[Facet], criteres: Criteres) -> list[Facet]:
    """Return the facets with the choice in force in each."""
    values = {
        "classe": str(criteres.division_id or ""),
        "niveau": criteres.niveau,
        "discipline": str(criteres.discipline_id or ""),
        "etat": criteres.etat,
        "email": "sans" if criteres.sans_email else "",
        "profil": criteres.profil,
    }
    return [replace(facet, value=values[facet.name]) for facet in found]


def counted(label: str, count: int) -> str:
    """Return a choice and how many people it keeps."""
    return f"{label} ({number(count)})"


def _classes(rows: Sequence[Row[Any]]) -> Facet:
    names: dict[int, str] = {}
    counts: dict[int, int] = {}
    for division_id, name, _level, count in rows:
        if division_id is not None:
            names[division_id] = name
            counts[division_id] = counts.get(division_id, 0) + count
    return Facet(
        "classe", "Classe", choices=[(str(key), counted(name, counts[key])) for key, name in names.items()]
    )


def _levels(rows: Sequence[Row[Any]]) -> Facet:
    none = reads.SANS_NIVEAU
    counts: dict[str, int] = {}
    for _division, _name, level, count in rows:
        counts[level or none] = counts.get(level or none, 0) + count
    choices = [
        (key, counted("Niveau non précisé" if key == none else school_level(key), count))
        for key, count in sorted(counts.items(), key=lambda item: (item[0] == none, item[0]))
    ]
    return Facet("niveau", "Niveau", choices=choices if set(counts) != {none} else [])


def chips(criteres: Criteres, found: Sequence[Facet]) -> list[Chip]:
    """Return the filters in force, each with the list without it."""
    shown = []
    if criteres.q:
        shown.append(Chip(f"« {criteres.q} »", url_here(q=None)))
    for facet in found:
        if facet.value:
            label = dict(facet.choices).get(facet.value, "choix inconnu")
            shown.append(
                Chip(f"{facet.label} : {label.rpartition(' (')[0] or label}", url_here(**{facet.name: None}))
            )
    if criteres.depuis:
        shown.append(Chip(f"Créés depuis le {day(criteres.depuis)}", url_here(depuis=None)))
    return shown
