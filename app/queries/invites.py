"""Who may already be the guest one is about to create, told without leaking other schools (U12, A1).

Inside the perimeter everybody who looks alike is shown. Outside it, only a guest, only when their full
name and birth date were typed right, and only as «a guest of another school».
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from app.models import Compte, Personne, Rattachement, VarianteNom
from app.queries.gens import places
from app.queries.noms import personne_key

ALIKE = 88
ALIKE_BORN_SAME_DAY = 70
SHOWN = 8


@dataclass(frozen=True)
class Candidat:
    """Somebody of the perimeter who may be the person typed."""

    personne_id: int
    nom: str
    date_naissance: date | None
    lieux: tuple[str, ...]
    profil_ici: str = ""
    """Profile they hold in the school now, empty when they are not there."""
    meme: bool = False
    """Same name and same birth date."""


def candidates(
    session: Session, etablissement_id: int, nom: str, prenom: str, naissance: date | None
) -> list[Candidat]:
    """Return who in the perimeter looks like this person, the likeliest first."""
    key = personne_key(nom, prenom)
    scores: dict[int, float] = {}
    exact = select(Personne.id).where(Personne.nom_recherche == key)
    other = select(VarianteNom.personne_id).where(VarianteNom.cle == key)
    for statement in (exact, other):
        for id_ in session.scalars(statement.limit(SHOWN * 4)):
            scores[id_] = 100.0
    here = session.execute(
        select(Personne.id, Personne.nom_recherche, Personne.date_naissance)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .where(Rattachement.etablissement_id == etablissement_id)
    ).all()
    names = {row.id: row.nom_recherche for row in here}
    for _name, score, id_ in process.extract(
        key, names, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE, limit=SHOWN
    ):
        scores.setdefault(id_, score)
    born_then = {row.id: row.nom_recherche for row in here if naissance and row.date_naissance == naissance}
    for _name, score, id_ in process.extract(
        key, born_then, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE_BORN_SAME_DAY, limit=SHOWN
    ):
        scores.setdefault(id_, score)
    return _told(session, etablissement_id, scores, key, naissance)


def _told(
    session: Session, etablissement_id: int, scores: dict[int, float], key: str, naissance: date | None
) -> list[Candidat]:
    people = session.scalars(select(Personne).where(Personne.id.in_(scores))).all()
    where = places(session, list(scores))
    mine = {
        row.personne_id: row.profil
        for row in session.execute(
            select(Rattachement.personne_id, Rattachement.profil).where(
                Rattachement.personne_id.in_(scores),
                Rattachement.etablissement_id == etablissement_id,
                Rattachement.fin.is_(None),
            )
        )
    }
    found = [
        Candidat(
            person.id,
            str(person),
            person.date_naissance,
            tuple(f"{row.profil}|{row.etablissement}" for row in where.get(person.id, ())),
            mine.get(person.id, ""),
            naissance is not None and person.date_naissance == naissance and person.nom_recherche == key,
        )
        for person in people
    ]
    return sorted(
        found, key=lambda one: (not one.meme, not one.profil_ici, -scores[one.personne_id], one.nom)
    )[:SHOWN]


def guest_elsewhere(session: Session, nom: str, prenom: str, naissance: date) -> Personne | None:
    """Return the one guest of any school who bears this name and was born that day; None if not one."""
    statement = _guests().where(
        Personne.nom_recherche == personne_key(nom, prenom), Personne.date_naissance == naissance
    )
    return _only(session, statement)


def guest_by_login(session: Session, login: str) -> Personne | None:
    """Return the guest of any school who has this login; None when it is nobody's, or not a guest's."""
    return _only(session, _guests().where(Personne.login == login.strip().lower()))


def _guests() -> Select[Any]:
    guest = select(Rattachement.id).where(
        Rattachement.personne_id == Personne.id, Rattachement.profil == "invite"
    )
    return select(Personne).where(guest.correlate(Personne).exists())


def _only(session: Session, statement: Select[Any]) -> Personne | None:
    found: Sequence[Personne] = session.scalars(
        statement.limit(2).execution_options(hors_perimetre=True)
    ).all()
    return found[0] if len(found) == 1 else None


def place_of(session: Session, personne_id: int, etablissement_id: int) -> Rattachement | None:
    """Return the place of a guest who is in the school now."""
    return session.scalars(
        select(Rattachement).where(
            Rattachement.personne_id == personne_id,
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil == "invite",
            Rattachement.fin.is_(None),
        )
    ).first()


def ending(session: Session, *, until: date, limit: int = 5) -> Sequence[Rattachement]:
    """Return the guests of the perimeter whose last day is near, the nearest first."""
    return session.scalars(
        select(Rattachement)
        .options(joinedload(Rattachement.personne), joinedload(Rattachement.etablissement))
        .where(
            Rattachement.dernier_jour.is_not(None),
            Rattachement.dernier_jour <= until,
            Rattachement.fin.is_(None),
        )
        .order_by(Rattachement.dernier_jour, Rattachement.id)
        .limit(limit)
    ).all()


def has_account(session: Session, personne_id: int) -> Compte | None:
    """Return the account of a person, whatever its state."""
    return session.scalars(
        select(Compte).where(Compte.personne_id == personne_id).execution_options(hors_perimetre=True)
    ).first()
