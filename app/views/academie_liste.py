"""What the académie view's address asks, and its columns, facets and cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from markupsafe import Markup
from sqlalchemy import Row
from werkzeug.datastructures import MultiDict

from app.extensions import now
from app.queries.academie import LATE_AGES, SANTES, SchoolFilter
from app.views.arguments import as_id, text_arg
from app.views.graphiques import percent_text
from app.views.labels import ETATS_ETABLISSEMENT, SECTEURS, school_level, school_type
from app.views.list_filters import Chip
from app.views.rendering import NBSP, NOTHING, PARIS, icon, number, since

PAGE = "VueAcademie.liste"
SIZES = (25, 50, 100)
LAST_PAGE = 400
EVERYTHING = SchoolFilter()
SANTE_LABELS = {"alerte": "Alerte", "surveiller": "À surveiller", "sain": "Sain"}
SANTE_LOOK = {
    "alerte": ("bad", "exclamation-octagon-fill"),
    "surveiller": ("warn", "exclamation-triangle"),
    "sain": ("ok", "check-circle"),
}
AGE_LABELS = {
    "jour": "Moins d’un jour",
    "semaine": "De 1 à 7 jours",
    "quinzaine": "De 8 à 14 jours",
    "mois": "De 15 à 28 jours",
    "plus": "Plus de 28 jours",
    "jamais": "Jamais",
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "sante": {"attention": "À surveiller ou en alerte", **SANTE_LABELS},
    "alimente": {"retard": "En retard", **AGE_LABELS},
    "administrateur": {"sans": "Sans administrateur", "avec": "Avec administrateur"},
    "anomalies": {"oui": "Avec anomalies"},
    "secteur": SECTEURS,
    "etat": ETATS_ETABLISSEMENT,
}
FACET_LABELS = {
    "type": "Type",
    "academie": "Académie",
    "collectivite": "Collectivité",
    "sante": "Santé",
    "alimente": "Alimentation",
    "administrateur": "Administrateur",
    "anomalies": "Anomalies",
    "secteur": "Secteur",
    "etat": "État",
    "niveau": "Niveau",
}


@dataclass(frozen=True)
class Colonne:
    """One column a person may show; ``figures`` asks the right to read people and feeds."""

    key: str
    label: str
    figures: bool = False
    numeric: bool = False
    usual: bool = True
    css: str = ""


COLONNES = (
    Colonne("nom", "Établissement"),
    Colonne("uai", "UAI", css="pr-code"),
    Colonne("type", "Type", usual=False),
    Colonne("commune", "Commune"),
    Colonne("academie", "Académie", usual=False),
    Colonne("collectivite", "Collectivité", usual=False),
    Colonne("secteur", "Secteur", usual=False),
    Colonne("etat", "État", usual=False),
    Colonne("sante", "Santé", figures=True),
    Colonne("alimente", "Dernière alimentation", figures=True),
    Colonne("personnes", "Personnes", figures=True, numeric=True, usual=False),
    Colonne("eleves", "Élèves", figures=True, numeric=True),
    Colonne("enseignants", "Enseignants", figures=True, numeric=True, usual=False),
    Colonne("personnels", "Personnels", figures=True, numeric=True, usual=False),
    Colonne("responsables", "Parents", figures=True, numeric=True),
    Colonne("invites", "Invités", figures=True, numeric=True, usual=False),
    Colonne("divisions", "Classes", figures=True, numeric=True, usual=False),
    Colonne("activation", "Comptes activés", figures=True, numeric=True),
    Colonne("anomalies", "Anomalies", figures=True, numeric=True),
    Colonne("administrateurs", "Administrateurs", figures=True, numeric=True),
)
BY_KEY = {column.key: column for column in COLONNES}
WITHOUT_FIGURES = ("nom", "uai", "type", "commune", "academie", "secteur", "etat")


def columns_of(asked: Sequence[str], *, figures: bool) -> list[Colonne]:
    """Return the columns to show, in their order; the name always, what may not be read never."""
    usual = [c.key for c in COLONNES if c.usual] if figures else WITHOUT_FIGURES
    wanted = {"nom", *([key for key in asked if key in BY_KEY] or usual)}
    return [c for c in COLONNES if c.key in wanted and (figures or not c.figures)]


@dataclass(frozen=True)
class Etat:
    """Everything an address of the list says."""

    filtre: SchoolFilter = EVERYTHING
    tri: str = "nom"
    descending: bool = False
    page: int = 1
    taille: int = SIZES[0]
    colonnes: tuple[str, ...] = ()

    def arguments(self) -> dict[str, str]:
        """Return the query string that gives this state back, defaults left out."""
        found = {
            field.name: str(value)
            for field in fields(SchoolFilter)
            if (value := getattr(self.filtre, field.name)) not in ("", None)
        }
        if self.tri != "nom" or self.descending:
            found["tri"] = ("-" if self.descending else "") + self.tri
        if self.taille != SIZES[0]:
            found["taille"] = str(self.taille)
        if self.colonnes:
            found["colonnes"] = ",".join(self.colonnes)
        if self.page > 1:
            found["page"] = str(self.page)
        return found

    def url(self, endpoint: str = PAGE, **filtre: Any) -> str:
        """Return the address of this state, with some filters changed, from its first page."""
        return url_for(endpoint, **self.narrowed(**filtre).arguments())  # type: ignore[arg-type]

    def narrowed(self, **filtre: Any) -> Etat:
        """Return this state with some filters changed, at its first page."""
        return replace(self, filtre=replace(self.filtre, **filtre), page=1)

    def same_rows(self, other: Etat) -> bool:
        """Tell whether two states keep the same schools in the same order, whatever the page."""
        return (self.filtre, self.tri, self.descending) == (other.filtre, other.tri, other.descending)

    @property
    def query(self) -> str:
        """Return the query string a saved view keeps."""
        return urlencode(replace(self, page=1).arguments())


def read_state(args: MultiDict[str, str], *, figures: bool) -> Etat:
    """Read an address: what cannot be understood, or may not be asked, counts as absent."""

    def choice(name: str) -> str:
        value = args.get(name, "")
        closed = name not in {"secteur", "etat"} and not figures
        return value if value in CHOICES[name] and not closed else ""

    tri = args.get("tri", "")
    key = tri.removeprefix("-")
    sortable = key in BY_KEY and (figures or not BY_KEY[key].figures)
    size = args.get("taille", "")
    return Etat(
        SchoolFilter(
            q=text_arg("q", args),
            type=text_arg("type", args),
            collectivite=as_id(args.get("collectivite", "")),
            academie=as_id(args.get("academie", "")),
            niveau=text_arg("niveau", args) if figures else "",
            **{name: choice(name) for name in CHOICES},
        ),
        tri=key if sortable else "nom",
        descending=sortable and tri.startswith("-"),
        page=min(as_id(args.get("page", "")) or 1, LAST_PAGE),
        taille=int(size) if size in {str(one) for one in SIZES} else SIZES[0],
        colonnes=_columns_asked(args),
    )


def _columns_asked(args: MultiDict[str, str]) -> tuple[str, ...]:
    asked = [key for raw in args.getlist("colonnes")[:40] for key in raw[:400].split(",")]
    return tuple(key for key in BY_KEY if key in asked)


@dataclass(frozen=True)
class Facet:
    """One select of the filter form."""

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]]


def facets(state: Etat, groups: Sequence[Row[Any]], *, figures: bool) -> list[Facet]:
    """Return the selects worth showing: those that would change something."""
    known: dict[str, dict[str, str]] = {"type": {}, "academie": {}, "collectivite": {}}
    secteurs, etats = set(), set()
    for row in groups:
        known["type"][row.type] = school_type(row.type)
        if row.academie_id:
            known["academie"][str(row.academie_id)] = row.academie
        if row.collectivite_id:
            known["collectivite"][str(row.collectivite_id)] = row.collectivite
        secteurs.add(row.secteur)
        etats.add(row.etat)
    offered: dict[str, Mapping[str, str]] = {
        name: dict(sorted(choices.items(), key=lambda pair: pair[1].casefold()))
        for name, choices in known.items()
    }
    if figures:
        offered |= {name: CHOICES[name] for name in ("sante", "alimente", "administrateur")}
    offered |= {
        "secteur": {key: SECTEURS[key] for key in sorted(secteurs, reverse=True) if key in SECTEURS},
        "etat": {key: label for key, label in ETATS_ETABLISSEMENT.items() if key in etats},
    }
    found = []
    for name, choices in offered.items():
        value = getattr(state.filtre, name)
        current = "" if value is None else str(value)
        listed = {**choices, current: choices.get(current, "Introuvable")} if current else choices
        if len(listed) > 1 or current:
            found.append(Facet(name, FACET_LABELS[name], current, list(listed.items())))
    return found


def chips(state: Etat, shown: Sequence[Facet]) -> list[Chip]:
    """Return the filters in force, each with the address that removes it."""
    said = {facet.name: dict(facet.choices).get(facet.value, facet.value) for facet in shown}
    said["niveau"] = school_level(state.filtre.niveau)
    said["anomalies"] = "avec"
    found = []
    if state.filtre.q:
        found.append(Chip(f"Recherche : {state.filtre.q}", state.url(q="")))
    for name, label in FACET_LABELS.items():
        if getattr(state.filtre, name) not in ("", None):
            without: dict[str, Any] = {name: None if name in {"collectivite", "academie"} else ""}
            found.append(Chip(f"{label} : {said.get(name, '')}", state.url(**without)))
    return found


# -- cells


def _days(value: datetime) -> int:
    return (now().astimezone(PARIS).date() - value.astimezone(PARIS).date()).days


def feed_text(row: Any) -> str:
    """Return when the last feed reached a school, in words."""
    if row.alimente_le is None:
        return "Jamais" if row.age else NOTHING
    days = _days(row.alimente_le)
    return since(row.alimente_le) if days <= 1 else f"il y a {number(days)}{NBSP}jours"


def _feed(row: Any) -> str | Markup:
    text = feed_text(row)
    if row.age not in LATE_AGES:
        return text
    tone = "bad" if row.sante == "alerte" else "warn"
    late = Markup('<span class="pr-state" data-tone="{}">{}<span class="pr-toned">{}</span></span>')
    return late.format(tone, icon("clock-history"), f"{text}, en retard" if row.alimente_le else text)


def _health(row: Any) -> str | Markup:
    if row.sante not in SANTES:
        return NOTHING if row.etat == "ouvert" else ETATS_ETABLISSEMENT[row.etat]
    tone, glyph = SANTE_LOOK[row.sante]
    return Markup('<span class="pr-state" data-tone="{}">{}{}</span>').format(
        tone, icon(glyph), SANTE_LABELS[row.sante]
    )


def _gauge(row: Any) -> str | Markup:
    if row.activation is None:
        return NOTHING
    value = float(row.activation)
    bar = Markup('<progress class="pr-progress" value="{}" max="100" aria-label="{}"></progress>')
    drawn = bar.format(round(value, 1), "Part des comptes activés")
    return Markup('<span class="pr-gauge">{}{}</span>').format(percent_text(value), drawn)


def _marked(value: int | None, *, bad: bool) -> str | Markup:
    if value is None or not bad:
        return number(value)
    return Markup('<span class="pr-badge" data-tone="warn">{}</span>').format(
        number(value) if value else "aucun"
    )


CELLS: Mapping[str, Callable[[Any], Any]] = {
    "type": lambda row: school_type(row.type) or NOTHING,
    "secteur": lambda row: SECTEURS.get(row.secteur, row.secteur),
    "etat": lambda row: ETATS_ETABLISSEMENT.get(row.etat, row.etat),
    "sante": _health,
    "alimente": _feed,
    "activation": _gauge,
    "anomalies": lambda row: _marked(row.anomalies, bad=bool(row.anomalies)),
    "administrateurs": lambda row: _marked(
        row.administrateurs, bad=row.administrateurs == 0 and row.etat == "ouvert"
    ),
}


def cell(row: Any, column: Colonne) -> Any:
    """Return what a cell shows."""
    if column.key in CELLS:
        return CELLS[column.key](row)
    value = getattr(row, column.key)
    return number(value) if column.numeric else (value or NOTHING)


def plain_cell(row: Any, column: Colonne) -> Any:
    """Return what a cell says in a file: numbers stay numbers, nothing stays empty."""
    if column.key == "sante":
        return SANTE_LABELS.get(row.sante, "")
    if column.key == "alimente":
        return row.alimente_le.astimezone(PARIS).strftime("%d/%m/%Y %H:%M") if row.alimente_le else ""
    if column.key == "activation":
        return "" if row.activation is None else f"{float(row.activation):.1f}".replace(".", ",")
    value = getattr(row, column.key)
    if column.key in {"type", "secteur", "etat"}:
        return CELLS[column.key](row)
    return "" if value is None else value


def built_in(figures: bool) -> list[tuple[str, SchoolFilter]]:
    """Return the views everybody has."""
    if not figures:
        return [("Tous", SchoolFilter())]
    return [
        ("Tous", SchoolFilter()),
        ("À surveiller", SchoolFilter(sante="attention")),
        ("Alimentation en retard", SchoolFilter(alimente="retard")),
        ("Sans administrateur", SchoolFilter(administrateur="sans")),
    ]
