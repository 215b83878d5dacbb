"""Asking for what a school lends, once or every week, without two people having one thing (R6).

A request holds its units as soon as it is made, until it is refused or withdrawn. Requests for one
resource are taken one after the other; the base refuses the rest (``ex_occupation_libre``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import NotFoundError, RuleViolationError, UserError
from app.extensions import now
from app.models import Occupation, Personne, Reservation, Ressource
from app.operations import reservations_courriels as mails
from app.operations.deployment import Deployment
from app.operations.saisies import Actor, clean_text, record
from app.queries import creneaux
from app.queries import reservations as reads
from app.queries.creneaux import Plage, Regles

MOST_WEEKS = 45
"""A school year: nobody books further in one go."""
MOST_HELD = 200
MOST_A_DAY = 400
"""Asked by one person in a day, withdrawn ones included: each may write to everybody who answers."""
FURTHEST = timedelta(days=550)


@dataclass(frozen=True)
class Demande:
    """What somebody typed: a slot in Paris time, how many, why, every week until a day or not."""

    jour: date
    debut: time
    fin: time
    dernier: date | None = None
    """Day it ends when it is not the first one."""
    nombre: int = 1
    motif: str = ""
    jusqua: date | None = None
    sans_conflits: bool = False
    """Take the free dates of a series and leave the others."""
    cle: str = ""
    """The form it was sent from."""


@dataclass(frozen=True)
class Conflit:
    """A date that cannot be had, and why."""

    debut: datetime
    fin: datetime
    raison: str


class ConflitsError(UserError):
    """Some dates cannot be had: which, why, and what is free nearby."""

    def __init__(self, conflits: Sequence[Conflit], libres: Sequence[Plage], total: int) -> None:
        first = conflits[0].raison
        if total > 1:
            count = len(conflits)
            first = (
                f"{count} dates sur {total} ne sont pas libres : elles sont dites plus bas."
                if count > 1
                else f"Une date sur {total} n’est pas libre : elle est dite plus bas."
            )
        super().__init__(first)
        self.conflits = tuple(conflits)
        self.libres = tuple(libres)
        self.total = total


@dataclass(frozen=True)
class Resultat:
    """What a request became."""

    reservations: tuple[Reservation, ...]
    conflits: tuple[Conflit, ...] = ()
    deja: bool = False
    """The same form had been sent already: nothing was written."""


def demander(
    session: Session,
    ressource: Ressource,
    personne: Personne,
    demande: Demande,
    *,
    acteur: Actor,
    deployment: Deployment,
) -> Resultat:
    """Ask for a resource. The caller has checked the school and the role, and commits.

    :raises ConflitsError: one of the dates is not free.
    :raises RuleViolationError: closed, too long, too late, too many…
    """
    session.flush()
    lock(session, f"ressource {ressource.id}")
    item = reads.resource(session, ressource.etablissement_id, ressource.id, fresh=True)
    if item is None:
        raise NotFoundError("Cette ressource n’existe plus.")
    cle = demande.cle or uuid4().hex
    already = _same_form(session, personne.id, cle)
    if already:
        return Resultat(tuple(already), deja=True)
    motif = clean_text(demande.motif, field="motif", longest=200) or ""
    slots = _slots(demande)
    _check_resource(item, demande, slots)
    _check_person(session, personne.id, len(slots))
    units, conflicts = _choose(session, item, slots, demande.nombre)
    if conflicts and (not demande.sans_conflits or not units):
        raise ConflitsError(conflicts, _free_near(session, item, slots, demande), len(slots))
    serie = uuid4().hex if len(units) > 1 else None
    made = [
        _write(session, item, personne, demande, slot, chosen, f"{cle}.{rank}", serie, motif)
        for rank, (slot, chosen) in enumerate(units)
    ]
    session.flush()
    for row in made:
        record(
            session,
            row,
            "reservation.demander",
            acteur,
            changes={name: (None, value) for name, value in told(row, item).items()},
            etablissement_id=item.etablissement_id,
        )
    if item.a_valider:
        mails.to_validators(session, item, personne, made, deployment=deployment)
    return Resultat(tuple(made), tuple(conflicts))


def told(row: Reservation, item: Ressource) -> dict[str, Any]:
    """Return what the journal says of a booking."""
    start, end = creneaux.local(row.debut), creneaux.local(row.fin)
    return {
        "ressource": item.nom,
        "debut": f"{start:%d/%m/%Y %H:%M}",
        "fin": f"{end:%d/%m/%Y %H:%M}",
        "nombre": row.nombre,
        "etat": row.etat,
    }


def _same_form(session: Session, personne_id: int, cle: str) -> Sequence[Reservation]:
    return session.scalars(
        select(Reservation)
        .where(Reservation.personne_id == personne_id, Reservation.cle.startswith(f"{cle}.", autoescape=True))
        .order_by(Reservation.debut)
    ).all()


def _slots(demande: Demande) -> list[Plage]:
    """Return the slots of a request: the same hours of Paris every week, clocks changing or not."""
    last = demande.dernier or demande.jour
    if last < demande.jour:
        raise RuleViolationError("Le dernier jour précède le premier.", field="dernier")
    length = last - demande.jour
    days = [demande.jour]
    if demande.jusqua is not None:
        if demande.jusqua < demande.jour:
            raise RuleViolationError("Cette date précède la première réservation.", field="jusqua")
        days = creneaux.weekly(demande.jour, demande.jusqua)
        if length >= creneaux.SEMAINE:
            raise RuleViolationError(
                "Une réservation d’une semaine ou plus ne se répète pas chaque semaine.", field="jusqua"
            )
        if len(days) > MOST_WEEKS:
            raise RuleViolationError(
                f"{len(days)} semaines d’un coup : {MOST_WEEKS} au plus. Choisissez une date plus proche.",
                field="jusqua",
            )
    found = []
    for day in days:
        start = creneaux.instant_at(day, demande.debut, field="debut")
        end = creneaux.instant_at(day + length, demande.fin, field="fin")
        if end <= start:
            raise RuleViolationError("La fin doit venir après le début.", field="fin")
        found.append((start, end))
    return found


def _check_resource(item: Ressource, demande: Demande, slots: Sequence[Plage]) -> None:
    if not item.active:
        raise RuleViolationError("Cette ressource est retirée du catalogue : elle ne se réserve plus.")
    if not 1 <= demande.nombre <= item.quantite:
        raise RuleViolationError(
            f"Il y en a {item.quantite} : demandez-en de 1 à {item.quantite}.", field="nombre"
        )
    (start, end), moment = slots[0], now()
    if start < moment:
        raise RuleViolationError("Ce créneau est déjà commencé. Choisissez une heure à venir.", field="debut")
    if slots[-1][1] > moment + FURTHEST:
        first = "dernier" if start <= moment + FURTHEST else "jour"
        raise RuleViolationError(
            "Cette date est trop lointaine.", field="jusqua" if len(slots) > 1 else first
        )
    if item.preavis and start < moment + timedelta(minutes=item.preavis):
        raise RuleViolationError(
            f"Cette ressource se demande au moins {duration(item.preavis)} à l’avance.", field="debut"
        )
    if item.duree_max and end - start > timedelta(minutes=item.duree_max):
        raise RuleViolationError(
            f"Cette ressource se réserve pour {duration(item.duree_max)} au plus.", field="fin"
        )
    if not creneaux.is_open(item.ouvertures, start, end):
        hours = creneaux.hours_in_words(item.ouvertures, creneaux.today(start))
        name = creneaux.JOURS[creneaux.today(start).weekday()]
        raise RuleViolationError(
            f"Le {name}, cette ressource se réserve {hours}."
            if hours
            else f"Le {name}, elle ne se réserve pas.",
            field="debut" if hours else "jour",
        )


def duration(minutes: int) -> str:
    """Say a length of time: «30 min», «2 h», «1 h 30», «3 jours»."""
    days, rest = divmod(minutes, 24 * 60)
    if days and not rest:
        return f"{days} jour{'s' if days > 1 else ''}"
    hours, left = divmod(minutes, 60)
    if not hours:
        return f"{left} min"
    return f"{hours} h {left:02}" if left else f"{hours} h"


def _check_person(session: Session, personne_id: int, more: int) -> None:
    held = session.scalar(
        select(func.count(Reservation.id)).where(
            Reservation.personne_id == personne_id,
            Reservation.etat.in_(reads.TENUES),
            Reservation.fin > now(),
        )
    )
    if (held or 0) + more > MOST_HELD:
        raise RuleViolationError(
            f"{MOST_HELD} réservations à venir au plus par personne. Annulez celles qui ne servent plus."
        )
    asked = session.scalar(
        select(func.count(Reservation.id)).where(
            Reservation.personne_id == personne_id, Reservation.demandee_le > now() - timedelta(days=1)
        )
    )
    if (asked or 0) + more > MOST_A_DAY:
        raise RuleViolationError(f"{MOST_A_DAY} demandes par jour au plus. Réessayez demain.")


def _choose(
    session: Session, item: Ressource, slots: Sequence[Plage], nombre: int
) -> tuple[list[tuple[Plage, list[int]]], list[Conflit]]:
    """Return the units each slot takes, and the slots that cannot be had."""
    held = reads.held(session, [item.id], slots[0][0], slots[-1][1])
    chosen: list[tuple[Plage, list[int]]] = []
    conflicts: list[Conflit] = []
    for start, end in slots:
        free = creneaux.free_units(item.quantite, held, start, end)
        if len(free) >= nombre and creneaux.is_open(item.ouvertures, start, end):
            chosen.append(((start, end), free[:nombre]))
        else:
            conflicts.append(Conflit(start, end, _why(session, item, start, end, len(free))))
    return chosen, conflicts


def _why(session: Session, item: Ressource, start: datetime, end: datetime, free: int) -> str:
    if not creneaux.is_open(item.ouvertures, start, end):
        return f"Fermé ce jour-là : {creneaux.today(start):%d/%m/%Y}."
    there = reads.between(
        session,
        item.etablissement_id,
        reads.Filtres(etats=reads.TENUES, ressource_id=item.id, du=start, au=end),
    )
    names = "\u00a0; ".join(f"{_hours(row)} par {reads.named(row)}" for row in there[:3])
    more = f" et {len(there) - 3} autres" if len(there) > 3 else ""
    if item.quantite == 1:
        return f"Déjà réservé {names}{more}."
    left = (
        "Aucun n’est libre" if not free else f"{free} seulement {'est libre' if free == 1 else 'sont libres'}"
    )
    return f"{left} sur {item.quantite} : réservé {names}{more}."


def _hours(row: Any) -> str:
    start, end = creneaux.local(row.debut), creneaux.local(row.fin)
    if start.date() == end.date():
        return f"de {start:%H:%M} à {end:%H:%M}"
    return f"du {start:%d/%m %H:%M} au {end:%d/%m %H:%M}"


def _free_near(session: Session, item: Ressource, slots: Sequence[Plage], demande: Demande) -> list[Plage]:
    if len(slots) > 1:
        return []
    start, end = slots[0]
    day = creneaux.today(start)
    held = reads.held(session, [item.id], creneaux.bounds(day)[0], creneaux.bounds(day, 10)[1])
    rules = Regles(item.ouvertures, item.quantite, item.duree_max, item.preavis)
    earliest = now() + timedelta(minutes=item.preavis)
    return creneaux.alternatives(rules, held, start, end, demande.nombre, earliest=earliest)


def _write(
    session: Session, item: Ressource, personne: Personne, demande: Demande, slot: Plage,
    units: Sequence[int], cle: str, serie: str | None, motif: str,
) -> Reservation:  # fmt: skip
    row = Reservation(
        etablissement_id=item.etablissement_id,
        ressource_id=item.id,
        personne_id=personne.id,
        nombre=demande.nombre,
        debut=slot[0],
        fin=slot[1],
        etat="demandee" if item.a_valider else "validee",
        motif=motif,
        serie=serie,
        cle=cle,
    )
    session.add(row)
    session.flush()
    session.add_all(
        Occupation(reservation_id=row.id, ressource_id=item.id, exemplaire=unit, debut=slot[0], fin=slot[1])
        for unit in units
    )
    return row
