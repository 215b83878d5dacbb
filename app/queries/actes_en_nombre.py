"""Reads about acts on many accounts: their list, what one would do, its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import ActeEnNombre, Etablissement, LigneActeEnNombre, Personne

SHOWN = 100
FIRST = 12
SLICE = 500


def acts(session: Session, *, before: int | None, limit: int) -> Sequence[ActeEnNombre]:
    """Return the acts that were confirmed, newest first."""
    statement = (
        select(ActeEnNombre)
        .where(ActeEnNombre.confirme_le.is_not(None))
        .options(joinedload(ActeEnNombre.tache), joinedload(ActeEnNombre.etablissement))
        .order_by(ActeEnNombre.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(ActeEnNombre.id < before)
    return session.scalars(statement).all()


def act(session: Session, pk: int) -> ActeEnNombre | None:
    """Return one act with its task and school."""
    statement = select(ActeEnNombre).where(ActeEnNombre.id == pk)
    return session.scalars(
        statement.options(joinedload(ActeEnNombre.tache), joinedload(ActeEnNombre.etablissement))
    ).first()


def undone_by(session: Session, pk: int) -> int | None:
    """Return the act that undid this one."""
    undoing = select(ActeEnNombre.id).where(
        ActeEnNombre.defait_id == pk, ActeEnNombre.confirme_le.is_not(None)
    )
    return session.scalars(undoing).first()


def without_effect(session: Session, acte: ActeEnNombre) -> int:
    """Return how many people of a draft are already as the act would leave them."""
    already = {
        "suspendre": Personne.suspendu_le.is_not(None),
        "reactiver": Personne.suspendu_le.is_(None),
        "mot_de_passe": Personne.email.is_(None),
    }[acte.acte]
    return session.scalar(_people(acte.id, func.count()).where(already)) or 0


def first_people(session: Session, acte_id: int) -> Sequence[Row[Any]]:
    """Return the first names of a draft."""
    found = _people(acte_id, Personne.nom, Personne.nom_usage, Personne.prenom)
    return session.execute(found.order_by(Personne.nom_recherche, Personne.id).limit(FIRST)).all()


def refusals(session: Session, acte_id: int) -> Sequence[Row[Any]]:
    """Return the first rows refused, with the reason."""
    found = _people(acte_id, *_COLUMNS).where(LigneActeEnNombre.etat == "refus")
    return session.execute(found.order_by(Personne.nom_recherche, Personne.id).limit(SHOWN)).all()


def report(session: Session, acte_id: int) -> Iterator[Row[Any]]:
    """Yield every row of an act, in the order of names."""
    found = _people(acte_id, *_COLUMNS).outerjoin(
        Etablissement, Etablissement.id == LigneActeEnNombre.etablissement_id
    )
    found = found.add_columns(Etablissement.nom.label("etablissement"))
    found = found.order_by(Personne.nom_recherche, Personne.id).execution_options(yield_per=SLICE)
    yield from session.execute(found)


_COLUMNS = (
    Personne.id,
    Personne.nom,
    Personne.nom_usage,
    Personne.prenom,
    Personne.login,
    LigneActeEnNombre.etat,
    LigneActeEnNombre.raison,
    LigneActeEnNombre.le,
)


def _people(acte_id: int, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(LigneActeEnNombre)
        .join(Personne, Personne.id == LigneActeEnNombre.personne_id)
        .where(LigneActeEnNombre.acte_id == acte_id)
    )
