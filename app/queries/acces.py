"""Who a service of a school is for: those whose profile has a role in it, present now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Division, Identifiant, Personne, Rattachement
from app.queries.droits import ServiceIci, living

SLICE = 500
ROLE = "acces"


def profils_with_access(service: ServiceIci) -> list[str]:
    """Return the profiles that may use a service, once it is on."""
    role = service.role(ROLE)
    return [] if role is None else [profil for profil, case in role.cases.items() if case.coche]


def count(session: Session, etablissement_id: int, profils: Sequence[str]) -> int:
    """Return how many attachments of a school have one of these profiles."""
    rows = _places(etablissement_id, profils, func.count())
    return session.scalar(rows) or 0


def people(session: Session, etablissement_id: int, profils: Sequence[str]) -> Iterator[Row[Any]]:
    """Yield each attachment of these profiles, by name, with the SIECLE or AAF number of the person."""
    last: tuple[str, int] = ("", 0)
    klass = func.coalesce(func.nullif(Division.libelle, ""), Division.code, "").label("classe")
    columns = (
        *(Rattachement.id, Rattachement.cle, Rattachement.profil, Rattachement.personne_id, klass),
        *(Personne.nom, Personne.nom_usage, Personne.prenom, Personne.date_naissance),
    )
    while True:
        statement = (
            _places(etablissement_id, profils, *columns)
            .outerjoin(Division, Division.id == Rattachement.division_id)
            .where(
                (Rattachement.cle > last[0]) | ((Rattachement.cle == last[0]) & (Rattachement.id > last[1]))
            )
            .order_by(Rattachement.cle, Rattachement.id)
            .limit(SLICE)
        )
        rows = session.execute(statement).all()
        yield from rows
        if len(rows) < SLICE:
            return
        last = (rows[-1].cle, rows[-1].id)


def numbers(session: Session, etablissement_id: int, type_: str) -> dict[int, str]:
    """Return the identifiers of one type of the people of a school: person → value."""
    statement = (
        select(Identifiant.personne_id, Identifiant.valeur)
        .join(Rattachement, Rattachement.personne_id == Identifiant.personne_id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.fin.is_(None),
            Identifiant.type == type_,
        )
        .order_by(Identifiant.id)
    )
    return {row.personne_id: row.valeur for row in session.execute(statement)}


def _places(etablissement_id: int, profils: Sequence[str], *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Rattachement)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .where(
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil.in_(list(profils)),
            Rattachement.fin.is_(None),
            *living(now()),
        )
    )
