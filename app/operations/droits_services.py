"""The grid of a school written: rights given to a profile or taken from it, cell by cell.

A cell that no longer says what the person saw is a conflict: nothing is written, each is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.database import bulk_insert, instant, lock
from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import DroitService
from app.operations import journal
from app.operations.journal import Ligne
from app.operations.saisies import Actor
from app.operations.services import service_here
from app.queries.droits import PROFIL_LABELS, Case, RoleIci, ServiceIci, cases_of, services_of
from app.queries.services import version_of

MAX_CHANGEMENTS = 5000


@dataclass(frozen=True, slots=True)
class Changement:
    """What somebody wants a cell to say, and what it said when they looked (None: they did not)."""

    role_id: int
    profil: str
    accorde: bool
    vu: bool | None = None


@dataclass(frozen=True, slots=True)
class Ecrit:
    """A cell that was, or would be, changed."""

    service: ServiceIci
    role: RoleIci
    case: Case
    accorde: bool


class ConflitDroitsError(ConflictError):
    """Somebody changed the same cells meanwhile: nothing is written, ``cellules`` says which."""

    def __init__(self, cellules: Sequence[Ecrit]) -> None:
        count = len(cellules)
        many = f"{count} droits ont été modifiés" if count > 1 else "Un droit a été modifié"
        super().__init__(
            f"{many} par quelqu’un d’autre pendant votre saisie. Choisissez pour chacun, puis enregistrez."
        )
        self.cellules = cellules


def enregistrer_droits(
    session: Session, etablissement_id: int, changements: Iterable[Changement], *, acteur: Actor
) -> list[Ecrit]:
    """Write the cells a school changed; return those that did change.

    :raises RuleViolationError: a cell the platform fixes, or that is in no grid of this school.
    :raises ConflitDroitsError: a cell no longer says what the person saw; nothing is written.
    """
    wanted = list(changements)
    if len(wanted) > MAX_CHANGEMENTS:
        raise RuleViolationError(f"{MAX_CHANGEMENTS} droits au plus s’enregistrent en une fois.")
    lock(session, f"services:{etablissement_id}")
    written = _changes(services_of(session, etablissement_id), wanted)
    if written:
        _write_cells(session, etablissement_id, written, acteur)
        _journal_cells(session, etablissement_id, written, acteur)
    return written


def enregistrer_grille(
    session: Session,
    etablissement_id: int,
    code: str,
    droits: Iterable[tuple[str, str, bool]],
    *,
    version: int,
    acteur: Actor,
) -> list[Ecrit]:
    """Write cells of one service, named by role and profile, on the grid of a version.

    :raises ConflictError: the school changed the service since that version.
    :raises NotFoundError: the service is not offered to the school.
    :raises RuleViolationError: a role the service does not have, or a cell the platform fixes.
    """
    lock(session, f"services:{etablissement_id}")
    service = service_here(session, etablissement_id, code)
    if version != version_of(session, etablissement_id, service.id):
        raise ConflictError("Ce service a été modifié entre-temps. Relisez sa grille, puis recommencez.")
    wanted = []
    for role_code, profil, accorde in droits:
        role = service.role(role_code)
        if role is None:
            raise RuleViolationError(f"« {service.nom} » n’a pas de droit « {role_code} ».", field="droits")
        wanted.append(Changement(role.id, profil, accorde))
    return enregistrer_droits(session, etablissement_id, wanted, acteur=acteur)


def _changes(services: Sequence[ServiceIci], wanted: Iterable[Changement]) -> list[Ecrit]:
    cells = {(role.id, case.profil): (service, role, case) for service, role, case in cases_of(services)}
    written: dict[tuple[int, str], Ecrit] = {}
    conflicts = []
    for one in wanted:
        found = cells.get((one.role_id, one.profil))
        if found is None:
            raise RuleViolationError(
                "Un de ces droits n’existe plus dans cet établissement. Rouvrez la page."
            )
        service, role, case = found
        if case.coche == one.accorde:
            continue
        if case.fixe:
            raise RuleViolationError(
                f"{service.nom}, {PROFIL_LABELS[case.profil]}, {role.nom.lower()} : ce droit est fixé par la"
                " plate-forme."
            )
        cell = Ecrit(service, role, case, one.accorde)
        if one.vu is not None and one.vu != case.coche:
            conflicts.append(cell)
        written[one.role_id, one.profil] = cell
    if conflicts:
        raise ConflitDroitsError(conflicts)
    return list(written.values())


def _write_cells(session: Session, etablissement_id: int, written: Sequence[Ecrit], acteur: Actor) -> None:
    moment = now()
    keys = {(cell.case.role_id, cell.case.profil) for cell in written}
    statement = select(DroitService.id, DroitService.role_id, DroitService.profil).where(
        DroitService.etablissement_id == etablissement_id, DroitService.fin.is_(None)
    )
    closed = [pk for pk, role_id, profil in session.execute(statement) if (role_id, profil) in keys]
    if closed:
        session.execute(
            update(DroitService)
            .where(DroitService.id.in_(closed))
            .values(fin=moment)
            .execution_options(synchronize_session=False)
        )
    columns = ("etablissement_id", "role_id", "profil", "accorde", "debut", "par")
    stamp, who = instant(session, moment), acteur.nom[:160]
    rows = [
        (etablissement_id, cell.case.role_id, cell.case.profil, cell.accorde, stamp, who) for cell in written
    ]
    bulk_insert(session, DroitService.metadata.tables[DroitService.__tablename__], columns, rows)


def _journal_cells(session: Session, etablissement_id: int, written: Sequence[Ecrit], acteur: Actor) -> None:
    by_service: dict[int, list[Ecrit]] = {}
    for cell in written:
        by_service.setdefault(cell.service.id, []).append(cell)
    journal.write_many(
        session,
        acte="service.droits",
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="service",
        lignes=[
            Ligne(
                service_id,
                cells[0].service.nom,
                etablissement_id,
                avant={cell_label(cell): cell.case.coche for cell in cells},
                apres={cell_label(cell): cell.accorde for cell in cells},
            )
            for service_id, cells in by_service.items()
        ],
    )


def cell_label(cell: Ecrit) -> str:
    """Return what a cell is called beside its service: «Parents, lecteur»."""
    return f"{PROFIL_LABELS[cell.case.profil]}, {cell.role.nom.lower()}"
