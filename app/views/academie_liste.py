"""What the académie view's address asks, and its columns, facets and chips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from sqlalchemy import Row
from werkzeug.datastructures import MultiDict

from app.queries.academie import SchoolFilter
from app.views.arguments import as_id, text_arg
from app.views.cursor_pages import SIZES
from app.views.labels import ETATS_ETABLISSEMENT, SECTEURS, school_level, school_type
from app.views.list_parts import Chip, Column, Facet

PAGE = "VueAcademie.liste"
EVERYTHING = SchoolFilter()
SANTE_LABELS = {"alerte": "Alerte", "surveiller": "À surveiller", "sain": "Sain"}
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
class SchoolColumn(Column):
    """One column a person may show; ``figures`` asks the right to read people and feeds."""

    figures: bool = False
    usual: bool = True


COLUMNS = (
    SchoolColumn("nom", "Établissement"),
    SchoolColumn("uai", "UAI", code=True),
    SchoolColumn("type", "Type", usual=False),
    SchoolColumn("commune", "Commune"),
    SchoolColumn("academie", "Académie", usual=False),
    SchoolColumn("collectivite", "Collectivité", usual=False),
    SchoolColumn("secteur", "Secteur", usual=False),
    SchoolColumn("etat", "État", usual=False),
    SchoolColumn("sante", "Santé", figures=True),
    SchoolColumn("alimente", "Dernière alimentation", figures=True),
    SchoolColumn("personnes", "Personnes", figures=True, numeric=True, usual=False),
    SchoolColumn("eleves", "Élèves", figures=True, numeric=True),
    SchoolColumn("enseignants", "Enseignants", figures=True, numeric=True, usual=False),
    SchoolColumn("personnels", "Personnels", figures=True, numeric=True, usual=False),
    SchoolColumn("responsables", "Parents", figures=True, numeric=True, usual=False),
    SchoolColumn("invites", "Invités", figures=True, numeric=True, usual=False),
    SchoolColumn("divisions", "Classes", figures=True, numeric=True, usual=False),
    SchoolColumn("activation", "Comptes activés", figures=True, numeric=True),
    SchoolColumn("anomalies", "Anomalies", figures=True, numeric=True),
    SchoolColumn("administrateurs", "Administrateurs", figures=True, numeric=True),
    SchoolColumn("services_inactifs", "Services inactifs", figures=True, numeric=True),
)
BY_NAME = {column.name: column for column in COLUMNS}
WITHOUT_FIGURES = ("nom", "uai", "type", "commune", "academie", "secteur", "etat")


def columns_of(asked: Sequence[str], *, figures: bool) -> list[SchoolColumn]:
    """Return the columns to show, in their order; the name always, what may not be read never."""
    usual = [c.name for c in COLUMNS if c.usual] if figures else WITHOUT_FIGURES
    wanted = {"nom", *([key for key in asked if key in BY_NAME] or usual)}
    return [c for c in COLUMNS if c.name in wanted and (figures or not c.figures)]


@dataclass(frozen=True)
class Etat:
    """Everything an address of the list says."""

    filtre: SchoolFilter = EVERYTHING
    tri: str = "nom"
    descending: bool = False
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
        return found

    def url(self, endpoint: str = PAGE, **filtre: Any) -> str:
        """Return the address of this state, with some filters changed, from its first page."""
        return url_for(endpoint, **self.narrowed(**filtre).arguments())  # type: ignore[arg-type]

    def narrowed(self, **filtre: Any) -> Etat:
        """Return this state with some filters changed."""
        return replace(self, filtre=replace(self.filtre, **filtre))

    def same_rows(self, other: Etat) -> bool:
        """Tell whether two states keep the same schools in the same order, whatever the page."""
        return (self.filtre, self.tri, self.descending) == (other.filtre, other.tri, other.descending)

    @property
    def query(self) -> str:
        """Return the query string a saved view keeps."""
        return urlencode(self.arguments())


def read_state(args: MultiDict[str, str], *, figures: bool) -> Etat:
    """Read an address: what cannot be understood, or may not be asked, counts as absent."""

    def choice(name: str) -> str:
        value = args.get(name, "")
        closed = name not in {"secteur", "etat"} and not figures
        return value if value in CHOICES[name] and not closed else ""

    tri = args.get("tri", "")
    key = tri.removeprefix("-")
    sortable = key in BY_NAME and (figures or not BY_NAME[key].figures)
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
        taille=int(size) if size in {str(one) for one in SIZES} else SIZES[0],
        colonnes=_columns_asked(args),
    )


def _columns_asked(args: MultiDict[str, str]) -> tuple[str, ...]:
    asked = [key for raw in args.getlist("colonnes")[:40] for key in raw[:400].split(",")]
    return tuple(key for key in BY_NAME if key in asked)


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
