"""First-connection identifiers of a school: who is listed, in the order cards are handed out (U14).

Parents are sorted, and filtered, by the class of their children; only legal representatives and
people in charge (levels 1 and 2) are given the codes of a pupil, never a mere contact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import Compte, Division, Mef, Personne, Rattachement, Responsabilite
from app.queries.recherche import school_clause

PROFILS = ("eleve", "enseignant", "responsable", "personnel", "invite", "supprime")
ETATS = ("actif", "inactif")
CHARGE = (1, 2)
LOT = 250


@dataclass(frozen=True)
class Choix:
    """What is asked of the page: whose identifiers."""

    etablissement_id: int
    profil: str = "eleve"
    niveau: str = ""
    division_id: int | None = None
    etat: str = ""
    q: str = ""
    places: tuple[int, ...] = ()
    """Attachments ticked one by one; empty for all."""

    @property
    def par_classe(self) -> bool:
        """Tell whether level and class mean something for this profile."""
        return self.profil in {"eleve", "responsable"}


def _class_name(division: Any = Division) -> Any:
    return func.coalesce(func.nullif(division.libelle, ""), division.code)


def _child_class(choix: Choix) -> Any:
    """Return the first class, by name, of the children of a guardian in the school."""
    place, division = aliased(Rattachement), aliased(Division)
    return (
        select(func.min(_class_name(division)))
        .select_from(Responsabilite)
        .join(place, place.personne_id == Responsabilite.eleve_id)
        .join(division, division.id == place.division_id)
        .where(
            Responsabilite.responsable_id == Rattachement.personne_id,
            place.etablissement_id == choix.etablissement_id,
            place.profil == "eleve",
            place.fin.is_(None),
        )
        .correlate(Rattachement)
        .scalar_subquery()
    )


def order(choix: Choix) -> tuple[Any, ...]:
    """Return the order of the list: class, name."""
    name = Personne.nom_recherche.concat("")
    if choix.profil == "eleve":
        return (func.coalesce(_class_name(), "~"), name, Rattachement.id)
    if choix.profil == "responsable":
        return (func.coalesce(_child_class(choix), "~"), name, Rattachement.id)
    return (name, Rattachement.id)


def _base(choix: Choix, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Rattachement)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .outerjoin(Mef, Mef.id == Rattachement.mef_id)
        .outerjoin(Compte, and_(Compte.personne_id == Personne.id))
        .where(*_clauses(choix))
    )


def _clauses(choix: Choix) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = [Rattachement.etablissement_id == choix.etablissement_id]
    if choix.profil == "supprime":
        other = aliased(Rattachement)
        still = and_(
            other.personne_id == Rattachement.personne_id,
            other.etablissement_id == choix.etablissement_id,
            or_(other.fin.is_(None), other.id > Rattachement.id),
        )
        clauses += [Rattachement.fin.is_not(None), ~exists().where(still).correlate(Rattachement)]
    else:
        clauses += [Rattachement.fin.is_(None), Rattachement.profil == choix.profil]
    if choix.q:
        clauses.append(school_clause(choix.q))
    if choix.places:
        clauses.append(Rattachement.id.in_(choix.places))
    if choix.etat == "actif":
        clauses += [Compte.id.is_not(None), Compte.supprime_le.is_(None), Personne.suspendu_le.is_(None)]
    elif choix.etat == "inactif":
        clauses.append(
            or_(Compte.id.is_(None), Compte.supprime_le.is_not(None), Personne.suspendu_le.is_not(None))
        )
    return clauses + _of_class(choix)


def _of_class(choix: Choix) -> list[ColumnElement[bool]]:
    if not choix.par_classe or not (choix.division_id or choix.niveau):
        return []
    if choix.profil == "eleve":
        own = [Rattachement.division_id == choix.division_id] if choix.division_id else []
        return own + ([Mef.niveau == choix.niveau] if choix.niveau else [])
    place, mef = aliased(Rattachement), aliased(Mef)
    child = (
        select(literal(1))
        .select_from(Responsabilite)
        .join(place, place.personne_id == Responsabilite.eleve_id)
        .outerjoin(mef, mef.id == place.mef_id)
        .where(
            Responsabilite.responsable_id == Rattachement.personne_id,
            place.etablissement_id == choix.etablissement_id,
            place.profil == "eleve",
            place.fin.is_(None),
            *([place.division_id == choix.division_id] if choix.division_id else []),
            *([mef.niveau == choix.niveau] if choix.niveau else []),
        )
    )
    return [child.correlate(Rattachement).exists()]


COLUMNS: tuple[Any, ...] = (
    Rattachement.id.label("place"),
    Rattachement.profil,
    Rattachement.fin,
    Personne.id,
    Personne.nom,
    Personne.nom_usage,
    Personne.prenom,
    Personne.date_naissance,
    Personne.login,
    Personne.code_generation,
    Personne.email,
    Personne.adresse,
    Personne.code_postal,
    Personne.commune,
    _class_name().label("classe"),
    Mef.niveau,
    Compte.id.label("compte_id"),
    Personne.suspendu_le,
    Compte.supprime_le,
)


def page(session: Session, choix: Choix, *, offset: int, limit: int) -> Sequence[Row[Any]]:
    """Return one page of the list."""
    statement = _base(choix, *COLUMNS).order_by(*order(choix)).offset(offset).limit(limit)
    return session.execute(statement).all()


@dataclass(frozen=True)
class Compteurs:
    """How many people the choice names, and how many a card awaits."""

    total: int
    jamais: int


def count(session: Session, choix: Choix) -> Compteurs:
    """Count the people of the list, and those who may still be given a code."""
    waiting = func.count(case((_waiting(), 1)))
    return Compteurs(*session.execute(_base(choix, func.count(), waiting)).one())


def _waiting() -> ColumnElement[bool]:
    """Tell who may activate an account: nobody who has one, nor whom a suspension keeps out."""
    return and_(Compte.id.is_(None), Personne.suspendu_le.is_(None))


def place_ids(session: Session, choix: Choix, *, never_activated: bool = False) -> list[int]:
    """Return the attachments of the list, in order: what long work goes through, lot by lot."""
    statement = _base(choix, Rattachement.id).order_by(*order(choix))
    if never_activated:
        statement = statement.where(_waiting())
    return list(session.scalars(statement))


def rows_of_places(session: Session, choix: Choix, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Return the lines of these attachments, in the order given; those gone since are left out."""
    if not ids:
        return ()
    statement = _base(Choix(choix.etablissement_id, choix.profil), *COLUMNS)
    found = {row.place: row for row in session.execute(statement.where(Rattachement.id.in_(ids)))}
    return [found[id_] for id_ in ids if id_ in found]


def children(
    session: Session, personne_ids: Sequence[int], etablissement_id: int
) -> dict[int, list[Row[Any]]]:
    """Return the pupils of the school these guardians are in charge of, with what makes their code."""
    if not personne_ids:
        return {}
    rows = session.execute(
        select(
            Responsabilite.responsable_id,
            Personne.id,
            Personne.nom,
            Personne.nom_usage,
            Personne.prenom,
            Personne.code_generation,
            Personne.suspendu_le,
            _class_name().label("classe"),
            Compte.id.label("compte_id"),
        )
        .select_from(Responsabilite)
        .join(Personne, Personne.id == Responsabilite.eleve_id)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .outerjoin(Compte, Compte.personne_id == Personne.id)
        .where(
            Responsabilite.responsable_id.in_(personne_ids),
            Responsabilite.niveau.in_(CHARGE),
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil == "eleve",
            Rattachement.fin.is_(None),
        )
        .order_by(Personne.nom_recherche, Personne.id)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.responsable_id, []).append(row)
    return found


def with_children(
    session: Session, choix: Choix, ids: Sequence[int]
) -> Iterator[tuple[Row[Any], Sequence[Row[Any]]]]:
    """Yield each line of these attachments with the pupils a guardian answers for, lot by lot."""
    for start in range(0, len(ids), LOT):
        rows = rows_of_places(session, choix, ids[start : start + LOT])
        guardians = [row.id for row in rows] if choix.profil == "responsable" else []
        theirs = children(session, guardians, choix.etablissement_id)
        for row in rows:
            yield row, theirs.get(row.id, ())


def levels_and_classes(session: Session, etablissement_id: int) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the levels and the classes pupils of a school are in."""
    name = _class_name()
    rows = session.execute(
        select(Division.id, name.label("classe"), Mef.niveau)
        .select_from(Rattachement)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .outerjoin(Mef, Mef.id == Rattachement.mef_id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil == "eleve",
            Rattachement.fin.is_(None),
        )
        .group_by(Division.id, Division.libelle, Division.code, Mef.niveau)
        .order_by(name)
    ).all()
    levels = sorted({row.niveau for row in rows if row.niveau})
    classes = {row.id: row.classe for row in rows if row.id is not None}
    return levels, list(classes.items())
