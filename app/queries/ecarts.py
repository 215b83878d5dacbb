"""Reads of a feed's differences: counts by tab, filtered pages by keyset, schools to apply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, joinedload

from app.models import Alimentation, AlimentationEtablissement, Ecart
from app.queries.noms import search_key

OBJETS = {
    "etablissement": "Établissements",
    "mef": "MEF",
    "matiere": "Matières",
    "division": "Classes",
    "groupe": "Groupes",
    "eleve": "Élèves",
    "responsable": "Responsables",
    "personnel": "Personnels",
    "lien": "Liens de responsabilité",
}
ONGLETS = {
    "crees": "Créés",
    "modifies": "Modifiés",
    "departs": "Départs",
    "retours": "Retours",
    "reconnus": "Reconnus",
    "homonymes": "Homonymes",
    "anomalies": "Anomalies",
}
NATURES = {"crees": "cree", "modifies": "modifie", "departs": "depart", "retours": "retour"}
CODE_HOMONYME = "homonyme"
CODE_RECONNU = "reconnu"
"""A difference that writes only the key of a source: another one had already given the object."""
Counts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EcartFilter:
    """What a person narrows one tab of the preview to; empty means everything."""

    onglet: str
    objet: str = ""
    uai: str = ""
    nom: str = ""

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the filter."""
        clauses = [_tab_clause(self.onglet)]
        if self.objet in OBJETS:
            clauses.append(Ecart.objet == self.objet)
        if self.uai:
            clauses.append(Ecart.uai == self.uai)
        if self.nom.strip():
            clauses.append(_name_clause(self.nom.strip()))
        return clauses


def _tab_clause(onglet: str) -> ColumnElement[bool]:
    if onglet in {"modifies", "reconnus"}:
        known = Ecart.code.is_not_distinct_from(CODE_RECONNU)
        return and_(Ecart.nature == "modifie", known if onglet == "reconnus" else ~known)
    if onglet in NATURES:
        return Ecart.nature == NATURES[onglet]
    homonym = Ecart.code.startswith(CODE_HOMONYME)
    anomaly = Ecart.nature == "anomalie"
    return (
        and_(anomaly, homonym)
        if onglet == "homonymes"
        else and_(anomaly, or_(Ecart.code.is_(None), ~homonym))
    )


def _name_clause(typed: str) -> ColumnElement[bool]:
    """Return «the label starts with what was typed», whatever its case, or the identifier is it."""
    return or_(
        Ecart.libelle.istartswith(typed, autoescape=True),
        Ecart.libelle.istartswith(search_key(typed), autoescape=True),
        Ecart.identifiant == typed.upper(),
        Ecart.cle == typed,
    )


def tab_counts(
    session: Session, alimentation_id: int, *, uais: Sequence[str] | None = None
) -> dict[str, dict[str, int]]:
    """Return tab → kind of object → number of differences, within the perimeter; of some schools only."""
    mine = [Ecart.alimentation_id == alimentation_id]
    if uais is not None:
        mine.append(Ecart.uai.in_(uais))
    statement = (
        select(Ecart.nature, Ecart.objet, func.count(Ecart.id))
        .where(*mine)
        .group_by(Ecart.nature, Ecart.objet)
    )
    tab_of = {nature: tab for tab, nature in NATURES.items()}
    counts: dict[str, dict[str, int]] = {tab: defaultdict(int) for tab in ONGLETS}
    for nature, objet, count in session.execute(statement):
        counts[tab_of.get(nature, "anomalies")][objet] += count
    whole_of = {"homonymes": "anomalies", "reconnus": "modifies"}
    parts = [
        select(literal(part), Ecart.objet, func.count(Ecart.id))
        .where(*mine, _tab_clause(part))
        .group_by(Ecart.objet)
        for part, whole in whole_of.items()
        if counts[whole]
    ]
    if parts:
        for part, objet, count in session.execute(union_all(*parts)):
            counts[part][objet] += count
            counts[whole_of[part]][objet] -= count
    return counts


def page(
    session: Session,
    alimentation_id: int,
    criteria: EcartFilter,
    *,
    after: int | None = None,
    limit: int = 50,
) -> Sequence[Ecart]:
    """Return one page of differences; ``after`` is the id of the last one of the page before."""
    statement = _statement(alimentation_id, criteria).limit(limit)
    if after:
        statement = statement.where(Ecart.id > after)
    return session.scalars(statement).all()


def stream(session: Session, alimentation_id: int, criteria: EcartFilter) -> Iterator[Ecart]:
    """Yield every difference of a filter, by slices, for an export."""
    after: int | None = None
    while rows := page(session, alimentation_id, criteria, after=after, limit=1000):
        yield from rows
        after = rows[-1].id
        session.expunge_all()


def _statement(alimentation_id: int, criteria: EcartFilter) -> Select[tuple[Ecart]]:
    return (
        select(Ecart).where(Ecart.alimentation_id == alimentation_id, *criteria.clauses()).order_by(Ecart.id)
    )


def schools(session: Session, alimentation_id: int) -> Sequence[AlimentationEtablissement]:
    """Return the schools a feed touches, within the perimeter, by name."""
    statement = (
        select(AlimentationEtablissement)
        .where(AlimentationEtablissement.alimentation_id == alimentation_id)
        .order_by(AlimentationEtablissement.nom, AlimentationEtablissement.uai)
    )
    return session.scalars(statement).all()


def holds_whole(session: Session, alimentation_id: int) -> bool:
    """Tell whether every school of a feed is in the perimeter: what undoing or dropping it needs."""
    count = select(func.count(AlimentationEtablissement.id)).where(
        AlimentationEtablissement.alimentation_id == alimentation_id
    )
    mine = session.execute(count).scalar_one()
    total = session.execute(count, execution_options={"hors_perimetre": True}).scalar_one()
    return mine == total


def feeds(
    session: Session, *, source: str = "", etat: str = "", before: int | None = None, limit: int = 50
) -> Sequence[Alimentation]:
    """Return one page of feeds, the newest first."""
    statement = (
        select(Alimentation)
        .options(joinedload(Alimentation.etablissement), joinedload(Alimentation.academie))
        .order_by(Alimentation.id.desc())
        .limit(limit)
    )
    if source:
        statement = statement.where(Alimentation.source == source)
    if etat:
        statement = statement.where(Alimentation.etat == etat)
    if before:
        statement = statement.where(Alimentation.id < before)
    return session.scalars(statement).all()


def counts_of(session: Session, feeds: Sequence[Alimentation]) -> dict[int, list[Counts]]:
    """Return feed → counts of what it changes in the perimeter: its own when it lies in it whole."""
    line = AlimentationEtablissement
    many = (
        select(line.alimentation_id, func.count())
        .where(line.alimentation_id.in_([feed.id for feed in feeds]))
        .group_by(line.alimentation_id)
    )
    mine = dict(session.execute(many).tuples().all())
    every = dict(session.execute(many, execution_options={"hors_perimetre": True}).tuples().all())
    whole = {feed.id for feed in feeds if mine.get(feed.id, 0) == every.get(feed.id, 0)}
    found: dict[int, list[Counts]] = {feed.id: [feed.comptes] if feed.id in whole else [] for feed in feeds}
    part = [feed.id for feed in feeds if feed.id not in whole]
    if part:
        lines = select(line.alimentation_id, line.comptes).where(line.alimentation_id.in_(part))
        for id_, comptes in session.execute(lines):
            found[id_].append(comptes)
    return found


def is_last_applied(session: Session, alimentation: Alimentation) -> bool:
    """Tell whether a feed is the last one applied, even in part, in its scope: it can be undone."""
    applied = ("appliquee", "application")
    if alimentation.etat not in applied:
        return False
    last = session.execute(
        select(func.max(Alimentation.id)).where(
            Alimentation.cle_portee == alimentation.cle_portee, Alimentation.etat.in_(applied)
        ),
        execution_options={"hors_perimetre": True},
    ).scalar()
    return last == alimentation.id
