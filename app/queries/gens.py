"""Lists of people: of one school by profile, of those who left it, of a whole perimeter (U1, U2, U8).

In a school everything starts from its attachments, a few thousand at most, and their index holds
them in the order of names. Over a perimeter the list walks the index of names, and only looks at
the people it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from app.models import (
    PROFILS,
    Compte,
    Division,
    Etablissement,
    FonctionExercee,
    Mef,
    Personne,
    Rattachement,
    Responsabilite,
)
from app.queries.curseurs import Tri, chosen_first
from app.queries.noms import search_key
from app.queries.recherche import (
    Saisie,
    best_first,
    between,
    matching,
    prefix_bounds,
    read_typed,
    school_clause,
    splits,
)

COUNT_CAP = 10_000
STATEMENTS = 256
"""Lists whose statements are kept made."""
LATEST = date(9999, 12, 31)
ETATS = ("actif", "jamais", "suspendu")
SANS_NIVEAU = "-"


@dataclass(frozen=True)
class Criteres:
    """What a list of people shows: where, which profile, what is filtered, in which order."""

    etablissement_id: int | None = None
    profil: str = ""
    departs: bool = False
    q: str = ""
    division_id: int | None = None
    niveau: str = ""
    discipline_id: int | None = None
    etat: str = ""
    sans_email: bool = False
    depuis: date | None = None
    tri: str = "nom"
    descendant: bool = False
    ecoles: tuple[int, ...] = ()
    """The only schools of the perimeter, when they are few enough to start from them."""

    @property
    def filtered(self) -> bool:
        """Tell whether something narrows the list of the profile."""
        return bool(
            self.q
            or self.division_id
            or self.niveau
            or self.discipline_id
            or self.etat
            or self.sans_email
            or self.depuis
        )


SORTS: dict[str, Any] = {
    "nom": None,
    "naissance": func.coalesce(Personne.date_naissance, literal(LATEST, Personne.date_naissance.type)),
    "classe": func.coalesce(func.nullif(Division.libelle, ""), Division.code, "", type_=String()),
    "login": func.coalesce(Personne.login, ""),
    "email": func.coalesce(Personne.email, ""),
    "creation": Personne.cree_le,
    "profil": Rattachement.profil,
    "depart": Rattachement.fin,
}
"""Name of a sort in addresses → what it compares before the name."""


@lru_cache(maxsize=STATEMENTS)
def tri_of(criteres: Criteres) -> Tri:
    """Return the order of a list, names and ids breaking ties."""
    first = SORTS.get(criteres.tri)
    name: Any = Personne.nom_recherche
    if criteres.etablissement_id is not None or criteres.ecoles:
        # not the column itself: PostgreSQL would walk everybody's names to find those of few schools
        name = name.concat("")
    keys = (name, Personne.id)
    return Tri(keys if first is None else (first, *keys), criteres.descendant)


@lru_cache(maxsize=STATEMENTS)
def tri_in_school(criteres: Criteres) -> Tri:
    """Return the order of a list of one school, as the index of its attachments holds it."""
    first = SORTS.get(criteres.tri)
    keys = (Rattachement.cle, Rattachement.personne_id)
    return Tri(
        keys if first is None else (first, *keys),
        criteres.descendant,
        # the same for all who are present, but the index is in that order
        constant=() if criteres.departs or first is not None else (Rattachement.fin,),
    )


COLUMNS = (
    Personne.id,
    Personne.nom,
    Personne.nom_usage,
    Personne.prenom,
    Personne.date_naissance,
    Personne.login,
    Personne.email,
    Personne.cree_le,
    Personne.supprime_le,
)


@lru_cache(maxsize=STATEMENTS)
def school_list(criteres: Criteres) -> Select[Any]:
    """Return the people of one list of a school, with their place and account."""
    statement = (
        select(
            *COLUMNS,
            Rattachement.id.label("place"),
            Rattachement.profil,
            Rattachement.fin,
            Rattachement.motif_fin,
            Division.id.label("division_id"),
            func.coalesce(func.nullif(Division.libelle, ""), Division.code).label("classe"),
            Mef.libelle.label("mef"),
            Mef.niveau,
            Compte.id.label("compte_id"),
            Personne.suspendu_le,
        )
        .select_from(Rattachement)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .outerjoin(Mef, Mef.id == Rattachement.mef_id)
        .outerjoin(Compte, and_(Compte.personne_id == Personne.id, Compte.supprime_le.is_(None)))
    )
    return statement.where(*scope(criteres), *_filters(criteres))


def place_first(criteres: Criteres) -> Any:
    """Return the id pages of a school’s list are chosen by, when attachments alone limit and order it."""
    return None if criteres.filtered or SORTS.get(criteres.tri) is not None else Rattachement.id


def scope(criteres: Criteres) -> list[ColumnElement[bool]]:
    """Return which attachments of a school a list is made of, filters left out."""
    clauses: list[ColumnElement[bool]] = [Rattachement.etablissement_id == criteres.etablissement_id]
    if criteres.departs:
        other = aliased(Rattachement)
        later = or_(
            other.fin.is_(None),
            other.fin > Rattachement.fin,
            and_(other.fin == Rattachement.fin, other.id > Rattachement.id),
        )
        same = and_(
            other.personne_id == Rattachement.personne_id,
            other.etablissement_id == criteres.etablissement_id,
        )
        clauses += [Personne.anonymise_le.is_(None)]
        clauses += [Rattachement.fin.is_not(None), ~exists().where(same, later).correlate(Rattachement)]
    else:
        clauses.append(Rattachement.fin.is_(None))
    if criteres.profil:
        clauses.append(Rattachement.profil == criteres.profil)
    elif not criteres.departs:  # said, so that the index goes on to those who are present
        clauses.append(Rattachement.profil.in_(PROFILS))
    return clauses


def _filters(criteres: Criteres) -> list[ColumnElement[bool]]:
    clauses = _of_person(criteres)
    if criteres.q and criteres.etablissement_id is not None:
        clauses.append(school_clause(criteres.q))
    if criteres.division_id is not None:
        clauses.append(_in_class(criteres))
    if criteres.niveau:
        none = Mef.niveau.is_(None)
        clauses.append(none if criteres.niveau == SANS_NIVEAU else Mef.niveau == criteres.niveau)
    if criteres.discipline_id is not None:
        held = select(FonctionExercee.rattachement_id).where(
            FonctionExercee.discipline_id == criteres.discipline_id
        )
        clauses.append(Rattachement.id.in_(held))
    if criteres.etat:
        clauses.append(_suspended(criteres.etat))
    if criteres.etat == "jamais":
        clauses.append(Compte.id.is_(None))
    elif criteres.etat == "actif":
        clauses.append(Compte.id.is_not(None))
    return clauses


def _in_class(criteres: Criteres) -> ColumnElement[bool]:
    """Tell who is in the class asked: a pupil of it, or an adult who answers for one."""
    if criteres.profil != "responsable":
        return Rattachement.division_id == criteres.division_id
    child = aliased(Rattachement)
    adults = (
        select(Responsabilite.responsable_id)
        .join(child, child.personne_id == Responsabilite.eleve_id)
        .where(child.division_id == criteres.division_id, child.fin.is_(None))
    )
    return Rattachement.personne_id.in_(adults)


def _of_person(criteres: Criteres) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if criteres.sans_email:
        clauses.append(Personne.email.is_(None))
    if criteres.depuis:
        clauses.append(Personne.cree_le >= datetime.combine(criteres.depuis, time(), UTC))
    return clauses


def _suspended(etat: str) -> ColumnElement[bool]:
    """Tell who is suspended: whoever is, whether they ever activated their account or not."""
    return Personne.suspendu_le.is_not(None) if etat == "suspendu" else Personne.suspendu_le.is_(None)


def perimeter_list(criteres: Criteres, match: ColumnElement[bool] | None = None) -> Select[Any]:
    """Return the people present in the schools of the perimeter, each once.

    ``match`` is what ``recherche.matching`` read for the words typed.
    """
    whole = _everybody(criteres)
    return whole if match is None else whole.where(match)


@lru_cache(maxsize=STATEMENTS)
def _everybody(criteres: Criteres) -> Select[Any]:
    return (
        select(*COLUMNS, Personne.suspendu_le, Compte.id.label("compte_id"))
        .select_from(Personne)
        .outerjoin(Compte, and_(Compte.personne_id == Personne.id, Compte.supprime_le.is_(None)))
        .where(*_present(criteres), *_of_person(criteres), *_by_account(criteres))
    )


@lru_cache(maxsize=STATEMENTS)
def _first_named(criteres: Criteres, limit: int) -> Select[Any]:
    """Return the first people, in one school, a few or all, whose name begins as ``prefix_bounds`` says."""
    if criteres.etablissement_id is not None:
        tri = tri_in_school(criteres)
        order = tri.order(backwards=False)
        first = chosen_first(Rattachement.id, [*scope(criteres), between(Rattachement.cle)], order, limit)
        return school_list(criteres).where(first).order_by(*order)
    named = select(*COLUMNS).where(*_present(criteres, named=True))
    if not criteres.ecoles:
        named = named.where(between(Personne.nom_recherche))
    return named.order_by(*tri_of(criteres).keys).limit(limit)


def _present(criteres: Criteres, *, named: bool = False) -> list[ColumnElement[bool]]:
    """Return who is present; ``named``, in few schools: and whose name begins as typed."""
    here: list[ColumnElement[bool]] = [Rattachement.fin.is_(None)]
    if criteres.profil:
        here.append(Rattachement.profil == criteres.profil)
    schools = (criteres.etablissement_id,) if criteres.etablissement_id else criteres.ecoles
    if schools:
        if not criteres.profil:
            here.append(Rattachement.profil.in_(PROFILS))
        if named:
            here.append(between(Rattachement.cle))
        places = select(Rattachement.personne_id).where(Rattachement.etablissement_id.in_(schools), *here)
        return [Personne.id.in_(places)]
    place: Select[Any] = select(literal_column("1")).where(Rattachement.personne_id == Personne.id, *here)
    return [place.correlate(Personne).exists()]


def _by_account(criteres: Criteres) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if criteres.etat:
        clauses.append(_suspended(criteres.etat))
        accounts = select(Compte.personne_id).where(
            Compte.supprime_le.is_(None), Compte.personne_id.is_not(None)
        )
        if criteres.etat == "jamais":
            mine = accounts.where(Compte.personne_id == Personne.id).correlate(Personne)
            clauses.append(~mine.exists())
        elif criteres.etat == "actif":
            clauses.append(Personne.id.in_(accounts))
    return clauses


def count(session: Session, statement: Select[Any]) -> int:
    """Count the rows of a list, up to one more than the cap."""
    capped = statement.with_only_columns(Personne.id).order_by(None).limit(COUNT_CAP + 1)
    return int(session.scalar(select(func.count()).select_from(capped.subquery())) or 0)


def count_present(session: Session, criteres: Criteres) -> int:
    """Count the people present in the perimeter, read off the attachments, up to one more than the cap.

    People with several attachments are read as often, so more rows than the cap are looked at.
    """
    places = select(Rattachement.personne_id).where(Rattachement.fin.is_(None))
    if criteres.profil:
        places = places.where(Rattachement.profil == criteres.profil)
    schools = (criteres.etablissement_id,) if criteres.etablissement_id else criteres.ecoles
    if schools:
        places = places.where(Rattachement.etablissement_id.in_(schools))
    seen = places.limit(2 * COUNT_CAP + 1).subquery()
    rows, people = session.execute(
        select(func.count(), func.count(seen.c.personne_id.distinct())).select_from(seen)
    ).one()
    return COUNT_CAP + 1 if rows > 2 * COUNT_CAP else min(people, COUNT_CAP + 1)


def suggestions_in_school(session: Session, criteres: Criteres, limit: int) -> Sequence[Row[Any]]:
    """Return the first people of a list of a school that what is typed means.

    The names that begin so come first, and answer alone when they are enough; then any word of a
    name, then other ways of finding.
    """
    whole = Criteres(criteres.etablissement_id, criteres.profil, criteres.departs)
    found = _named(session, whole, criteres.q, limit)
    if len(found) < limit:
        known, typed = {row.id for row in found}, read_typed(criteres.q)
        rest = session.execute(_otherwise(whole, typed, limit), typed.valeurs)
        found += [row for row in rest if row.id not in known]
    return found[:limit]


@lru_cache(maxsize=STATEMENTS)
def _otherwise(criteres: Criteres, typed: Saisie, limit: int) -> Select[Any]:
    """Return the first people of a list of a school found in any way, for all that is typed in this form."""
    order = [best_first(typed), *tri_in_school(criteres).keys]
    clause = school_clause(typed)
    if typed.by_place:
        clause = chosen_first(Rattachement.id, [*scope(criteres), clause], order, limit)
    return school_list(criteres).where(clause).order_by(*order).limit(limit)


def suggestions(session: Session, criteres: Criteres, limit: int) -> Sequence[Row[Any]]:
    """Return the first people of the perimeter that what is typed means.

    The names that begin so come first, then those who are called so first name before name; they
    answer alone when they are enough: each is one read of the index of names, however many people there are.
    """
    whole = Criteres(profil=criteres.profil, ecoles=criteres.ecoles)
    found: list[Row[Any]] = []
    key = search_key(criteres.q)
    for typed in (criteres.q, *(f"{name} {given}" for given, name in splits(key))):
        if len(found) < limit:
            known = {row.id for row in found}
            found += [row for row in _named(session, whole, typed, limit) if row.id not in known]
    if len(found) < limit and criteres.q:
        known = {row.id for row in found}
        rest = perimeter_list(whole, matching(session, criteres.q))
        rest = rest.order_by(*tri_of(whole).keys).limit(limit)
        found += [row for row in session.execute(rest) if row.id not in known]
    return found[:limit]


def etat_of(row: Any) -> str:
    """Return the state of somebody's account, from a row with ``compte_id`` and ``suspendu_le``."""
    return "jamais" if row is None else etat(row.suspendu_le, row.compte_id)


def etat(suspendu_le: datetime | None, compte_id: int | None) -> str:
    """Return the state of an account: a suspended person's, whether they ever activated it or not."""
    if suspendu_le:
        return "suspendu"
    return "jamais" if compte_id is None else "actif"


def _named(session: Session, criteres: Criteres, typed: str, limit: int) -> list[Row[Any]]:
    """Return the first people whose name begins as typed."""
    key = search_key(typed)
    if not key or "@" in typed:
        return []
    return list(session.execute(_first_named(criteres, limit), prefix_bounds(key)))


_PLACES = (
    select(
        Rattachement.personne_id,
        Rattachement.profil,
        Etablissement.uai,
        Etablissement.nom.label("etablissement"),
        func.coalesce(func.nullif(Division.libelle, ""), Division.code).label("classe"),
    )
    .select_from(Rattachement)
    # outside: otherwise SQLite would begin with every school of the perimeter
    .outerjoin(Etablissement, Etablissement.id == Rattachement.etablissement_id)
    .outerjoin(Division, Division.id == Rattachement.division_id)
    .where(Rattachement.personne_id.in_(bindparam("ids", expanding=True)), Rattachement.fin.is_(None))
    .order_by(Rattachement.id)
)


def places(session: Session, personne_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """Return where people are now: profile, school, class."""
    found: dict[int, list[Row[Any]]] = {}
    for row in session.execute(_PLACES, {"ids": personne_ids}) if personne_ids else ():
        if row.uai is not None:
            found.setdefault(row.personne_id, []).append(row)
    return found
