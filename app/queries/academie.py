"""Reads of the académie view: schools with the figures computed ahead, counted, filtered, sorted (C7).

``Visible`` says for which schools the actor may read figures of people and feeds: a role that opens
schools does not always open those. None means for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Academie, BilanEtablissement, BilanNiveau, Collectivite, Etablissement
from app.queries.curseurs import Tri
from app.queries.noms import search_key

E, B = Etablissement, BilanEtablissement
Clause = ColumnElement[bool]
Visible = Callable[[Any], Clause] | None

LATE_AFTER = timedelta(days=14)
"""A school no feed has reached for longer is late."""
VERY_LATE_AFTER = LATE_AFTER * 2
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

AGES = ("jour", "semaine", "quinzaine", "mois", "plus", "jamais")
LATE_AGES = AGES[3:]
SANTES = ("alerte", "surveiller", "sain")
PROFILS = ("eleves", "enseignants", "personnels", "responsables", "invites")


@dataclass(frozen=True)
class SchoolFilter:
    """What the list is narrowed to; empty means everything."""

    q: str = ""
    type: str = ""
    collectivite: int | None = None
    academie: int | None = None
    sante: str = ""
    alimente: str = ""
    administrateur: str = ""
    anomalies: str = ""
    niveau: str = ""
    secteur: str = ""
    etat: str = ""

    def clauses(self) -> list[Clause]:
        """Return the conditions of the filter."""
        found: list[Clause] = [E.recherche.contains(word, autoescape=True) for word in _words(self.q)]
        for column, value in ((E.type, self.type), (E.secteur, self.secteur), (E.etat, self.etat)):
            if value:
                found.append(column == value)
        if self.collectivite is not None:
            found.append(E.collectivite_id == self.collectivite)
        if self.academie is not None:
            found.append(E.academie_id == self.academie)
        return found + self._figures()

    def _figures(self) -> list[Clause]:
        found: list[Clause] = []
        if self.sante == "attention":
            found.append(health().in_(SANTES[:2]))
        elif self.sante:
            found.append(health() == self.sante)
        if self.alimente == "retard":
            found.append(late())
        elif self.alimente:
            found.append(feed_age() == self.alimente)
        if self.administrateur:
            found.append(without_administrator() if self.administrateur == "sans" else B.administrateurs > 0)
        if self.anomalies:
            found.append(B.anomalies > 0)
        if self.niveau:
            level = and_(
                BilanNiveau.etablissement_id == B.etablissement_id, BilanNiveau.niveau == self.niveau
            )
            found.append(exists(select(BilanNiveau.niveau).where(level).correlate(B)))
        return found


def _words(typed: str) -> list[str]:
    return search_key(typed).split()[:6]


# -- what figures mean


def followed() -> Clause:
    """A school feeds are expected for: open, real, its figures computed and readable."""
    return and_(E.etat == "ouvert", E.virtuel.is_(False), B.etablissement_id.is_not(None))


def feed_age() -> ColumnElement[str]:
    """Return how old the last feed is, as one of ``AGES``; empty for a school that is not followed."""
    moment = now()
    steps = (timedelta(days=1), timedelta(days=7), LATE_AFTER, VERY_LATE_AFTER)
    return case(
        (~followed(), ""),
        (B.alimente_le.is_(None), "jamais"),
        *[(B.alimente_le >= moment - step, age) for step, age in zip(steps, AGES, strict=False)],
        else_="plus",
    )


def late() -> Clause:
    """No feed for ``LATE_AFTER``, or ever."""
    return and_(followed(), or_(B.alimente_le.is_(None), B.alimente_le < now() - LATE_AFTER))


def without_administrator() -> Clause:
    """An open school nobody administers."""
    return and_(E.etat == "ouvert", B.administrateurs == 0)


def health() -> ColumnElement[str]:
    """Return ``alerte``, ``surveiller``, ``sain``, or nothing when figures are not there to tell."""
    very_late = and_(followed(), or_(B.alimente_le.is_(None), B.alimente_le < now() - VERY_LATE_AFTER))
    return case(
        (or_(E.etat != "ouvert", B.etablissement_id.is_(None)), ""),
        (very_late, "alerte"),
        (or_(late(), without_administrator(), B.anomalies > 0), "surveiller"),
        else_="sain",
    )


def people() -> ColumnElement[int]:
    """Everybody present, once per profile."""
    total: ColumnElement[int] = B.eleves + B.enseignants + B.personnels + B.responsables + B.invites
    return total


def activation() -> ColumnElement[Any]:
    """The share of people who have an account, from 0 to 100; nothing when there is nobody."""
    return 100.0 * B.actives / func.nullif(people(), 0)


TEXTS: Mapping[str, SQLColumnExpression[Any]] = {
    "uai": E.uai,
    "type": E.type,
    "commune": E.commune,
    "academie": Academie.nom,
    "collectivite": Collectivite.nom,
    "secteur": E.secteur,
    "etat": E.etat,
}
FIGURES: Mapping[str, SQLColumnExpression[Any]] = {
    "personnes": people(),
    "activation": cast(B.actives, BigInteger) * 1_000_000 // func.nullif(people(), 0, type_=BigInteger),
    "eleves": B.eleves,
    "enseignants": B.enseignants,
    "personnels": B.personnels,
    "responsables": B.responsables,
    "invites": B.invites,
    "divisions": B.divisions,
    "anomalies": B.anomalies,
    "administrateurs": B.administrateurs,
    "services_inactifs": B.services_inactifs,
}
"""Columns of the list that are sorted by what they say, in whole numbers for pages to follow each other."""


def order_of(name: str, *, descending: bool) -> Tri:
    """Return the order of a column: what is not known comes as the lowest, ties by name."""
    last = (E.nom_recherche, E.id)
    if name == "nom":
        return Tri(last, descending)
    if name == "sante":
        ranks = {value: rank for rank, value in enumerate(SANTES)}
        first: Any = case(ranks, value=health(), else_=len(SANTES))
    elif name == "alimente":
        first = func.coalesce(B.alimente_le, literal(NEVER, B.alimente_le.type))
    elif name in FIGURES:
        first = func.coalesce(FIGURES[name] + 1, 0)
    else:
        first = func.coalesce(TEXTS[name], "", type_=String())
    return Tri((first, *last), descending, ex_aequo_ascendants=True)


def schools(visible: Visible = None) -> Select[Any]:
    """Return the schools of the perimeter with their figures, as rows of names the list knows."""
    join = B.etablissement_id == E.id
    return (
        select(
            E.id, E.uai, E.nom, E.type, E.commune, E.secteur, E.etat, E.virtuel,
            Academie.nom.label("academie"), Collectivite.nom.label("collectivite"),
            B.eleves, B.enseignants, B.personnels, B.responsables, B.invites, B.divisions, B.actives,
            B.anomalies, B.administrateurs, B.services_inactifs, B.alimente_le, people().label("personnes"),
            activation().label("activation"), health().label("sante"), feed_age().label("age"),
        )
        .select_from(E)
        .outerjoin(B, join if visible is None else and_(join, visible(E.id)))
        .outerjoin(Academie, Academie.id == E.academie_id)
        .outerjoin(Collectivite, Collectivite.id == E.collectivite_id)
    )  # fmt: skip


def listed(visible: Visible, wanted: SchoolFilter, only: Sequence[int] = ()) -> Select[Any]:
    """Return the schools a filter keeps, the ticked ones alone when there are any."""
    statement = schools(visible).where(*wanted.clauses())
    return statement.where(E.id.in_(only)) if only else statement


def summary(session: Session, visible: Visible, views: Sequence[SchoolFilter] = ()) -> Sequence[Row[Any]]:
    """Return the whole perimeter gathered by type, collectivité, académie, secteur and état.

    One statement gives the facets, the charts and how many schools each saved view keeps (``vue_0``,
    ``vue_1``…).
    """
    groups = (E.type, E.collectivite_id, Collectivite.nom, E.academie_id, Academie.nom, E.secteur, E.etat)
    age, sante = feed_age(), health()
    counted = [func.count().filter(age == value).label(f"age_{value}") for value in AGES]
    counted += [func.count().filter(sante == value).label(f"sante_{value}") for value in SANTES]
    counted += [
        func.count().filter(and_(true(), *view.clauses())).label(f"vue_{rank}")
        for rank, view in enumerate(views)
    ]
    statement = (
        schools(visible)
        .with_only_columns(
            E.type, E.collectivite_id, Collectivite.nom.label("collectivite"), E.academie_id,
            Academie.nom.label("academie"), E.secteur, E.etat,
            func.count().label("ecoles"),
            func.count().filter(without_administrator()).label("sans_administrateur"),
            func.count().filter(B.anomalies > 0).label("avec_anomalies"),
            func.coalesce(func.sum(people()), 0).label("personnes"),
            func.coalesce(func.sum(B.actives), 0).label("actives"),
            func.min(B.calcule_le).label("calcule_le"),
            *counted,
        )
        .group_by(*groups)
    )  # fmt: skip
    return session.execute(statement).all()


def levels(session: Session, visible: Visible) -> Sequence[Row[tuple[str, int, int]]]:
    """Return level → pupils and pupils who have an account, over the perimeter."""
    statement = (
        select(BilanNiveau.niveau, func.sum(BilanNiveau.eleves), func.sum(BilanNiveau.actives))
        .join(E, E.id == BilanNiveau.etablissement_id)
        .where(E.etat == "ouvert", *([] if visible is None else [visible(E.id)]))
        .group_by(BilanNiveau.niveau)
        .order_by(BilanNiveau.niveau)
    )
    return session.execute(statement).tuples().all()  # type: ignore[return-value]
