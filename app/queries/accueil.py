"""What the home page tells: what waits for somebody, what runs, what is late.

Each read is limited by the perimeter the page states before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.extensions import now
from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Attribution,
    BilanEtablissement,
    Courriel,
    Division,
    Etablissement,
    Rattachement,
    Tache,
)

LATE_AFTER = timedelta(days=14)
COUNT_CAP = 10_000


def feeds_to_confirm(session: Session, *, limit: int = 10) -> Sequence[Alimentation]:
    """Return the feeds read and compared that nobody has applied or dropped yet."""
    statement = (
        select(Alimentation)
        .where(Alimentation.etat == "apercu")
        .options(joinedload(Alimentation.etablissement))
        .order_by(Alimentation.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


def tasks_running(session: Session, *, limit: int = 5) -> Sequence[Tache]:
    """Return the work under way or waiting, the oldest first."""
    statement = (
        select(Tache)
        .where(Tache.etat.in_(("cours", "attente")))
        .options(joinedload(Tache.etablissement))
        .order_by(Tache.id)
        .limit(limit)
    )
    return session.scalars(statement).all()


def tasks_failed(session: Session, *, since: datetime, limit: int = 5) -> Sequence[Tache]:
    """Return the work that failed lately."""
    statement = (
        select(Tache)
        .where(Tache.etat == "echec", Tache.fin_le >= since)
        .options(joinedload(Tache.etablissement))
        .order_by(Tache.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


def mails_failed(session: Session) -> int:
    """Return how many mails could not be sent, counted no further than the cap."""
    inner = select(Courriel.id).where(Courriel.etat == "echec").limit(COUNT_CAP + 1).subquery()
    return session.execute(select(func.count()).select_from(inner)).scalar_one()


def _last_feeds() -> Select[tuple[int | None, datetime | None]]:
    applied = AlimentationEtablissement.applique_le
    return (
        select(AlimentationEtablissement.etablissement_id, func.max(applied).label("dernier"))
        .where(applied.is_not(None))
        .group_by(AlimentationEtablissement.etablissement_id)
    )


def schools_late(
    session: Session, *, limit: int = 5
) -> tuple[int, Sequence[tuple[Etablissement, datetime | None]]]:
    """Return how many open schools no feed has reached lately, and the first of them."""
    last = _last_feeds().subquery()
    late = or_(last.c.dernier.is_(None), last.c.dernier < now() - LATE_AFTER)
    statement = (
        select(Etablissement, last.c.dernier)
        .outerjoin(last, last.c.etablissement_id == Etablissement.id)
        .where(Etablissement.etat == "ouvert", Etablissement.virtuel.is_(False), late)
    )
    counted = statement.with_only_columns(Etablissement.id).limit(COUNT_CAP + 1).subquery()
    count = session.execute(select(func.count()).select_from(counted)).scalar_one()
    first = statement.order_by(Etablissement.nom_recherche, Etablissement.id).limit(limit)
    return count, [(row[0], row[1]) for row in session.execute(first).all()] if count else []


def schools(session: Session) -> int:
    """Return how many schools the perimeter holds, counted no further than the cap."""
    inner = select(Etablissement.id).limit(COUNT_CAP + 1).subquery()
    return session.execute(select(func.count()).select_from(inner)).scalar_one()


@dataclass(frozen=True)
class Activation:
    """What the figures computed ahead say of the whole perimeter."""

    people: int
    never: int
    without_administrator: int


def activation(session: Session) -> Activation:
    """Return people and accounts never activated, and open schools that nobody administers."""
    row = BilanEtablissement
    everybody = row.eleves + row.enseignants + row.personnels + row.responsables + row.invites
    alone = and_(row.administrateurs == 0, Etablissement.etat == "ouvert", Etablissement.virtuel.is_(False))
    statement = (
        select(func.sum(everybody), func.sum(everybody - row.actives), func.count().filter(alone))
        .select_from(row)
        .join(Etablissement, Etablissement.id == row.etablissement_id)
    )
    found = session.execute(statement).one()
    return Activation(found[0] or 0, max(found[1] or 0, 0), found[2])


def roles_ending(
    session: Session, *, until: datetime, schools_only: bool, limit: int = 5
) -> Sequence[Attribution]:
    """Return the roles whose term comes soon, the soonest first."""
    statement = (
        select(Attribution)
        .where(
            Attribution.jusqua > now(),
            Attribution.jusqua <= until,
            *([Attribution.etablissement_id.is_not(None)] if schools_only else []),
        )
        .options(
            joinedload(Attribution.compte),
            joinedload(Attribution.etablissement),
            joinedload(Attribution.academie),
            joinedload(Attribution.collectivite),
        )
        .order_by(Attribution.jusqua, Attribution.id)
        .limit(limit)
    )
    return session.scalars(statement).all()


def people(session: Session, profils: Sequence[str]) -> Sequence[int]:
    """Return how many people are attached now under each profile, each counted no further than the cap."""
    counts = []
    for profil in profils:
        present = select(Rattachement.id).where(Rattachement.profil == profil, Rattachement.fin.is_(None))
        inner = present.limit(COUNT_CAP + 1).subquery()
        counts.append(select(func.count()).select_from(inner).scalar_subquery())
    return list(session.execute(select(*counts)).one())


def divisions(session: Session) -> int:
    """Return how many active divisions the perimeter holds, counted no further than the cap."""
    inner = select(Division.id).where(Division.active).limit(COUNT_CAP + 1).subquery()
    return session.execute(select(func.count()).select_from(inner)).scalar_one()


def last_applied(session: Session) -> datetime | None:
    """Return when a feed last reached a school of the perimeter."""
    return session.execute(select(func.max(AlimentationEtablissement.applique_le))).scalar_one()
