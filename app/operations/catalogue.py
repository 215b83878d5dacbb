"""The catalogue of services: loaded from the file that comes with Préau, then edited by hand.

What somebody wrote in «Référentiel» is theirs: loading again adds what is new and renews only the rest.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock
from app.extensions import now
from app.models import (
    PROFILS,
    CelluleService,
    ComposantService,
    RoleService,
    Service,
    ServiceCollectivite,
)

FICHIER = Path(__file__).resolve().parent.parent / "donnees" / "services.toml"
FIXE = "!"
RAISON = "Fixé par la plate-forme."
PARTOUT = "partout"


@dataclass
class Bilan:
    """What a loading did."""

    ajoutes: int = 0
    modifies: int = 0


def charger(session: Session, fichier: Path = FICHIER) -> Bilan:
    """Bring the catalogue to what the file says, hand edits left alone. The caller commits.

    :raises ValueError: the file does not say a cell for each profile; that is a mistake in it.
    """
    lock(session, "catalogue")
    session.flush()
    said = tomllib.loads(fichier.read_text(encoding="utf-8"))["service"]
    bilan = Bilan()
    known = {row.code: row for row in session.scalars(select(Service))}
    for ordre, entry in enumerate(said, start=1):
        service = known.get(entry["code"])
        if service is None:
            service = Service(code=entry["code"])
            session.add(service)
            if entry.get("disponible", PARTOUT) == PARTOUT:
                session.add(ServiceCollectivite(service=service, collectivite_id=None))
            bilan.ajoutes += 1
        _fill(service, {**_service_values(entry), "ordre": ordre * 10}, bilan)
        session.flush()
        _load_roles(session, service, entry["roles"], bilan)
        _load_components(session, service, entry.get("composants", ()), bilan)
    session.flush()
    return bilan


def _service_values(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = ("nom", "categorie", "nature", "forme", "description")
    return {
        **{name: entry[name] for name in names},
        "reglages": entry.get("reglages", []),
        "export": entry.get("export", ""),
        "reprise_contenus": entry.get("reprise_contenus", False),
        "peuple_par_groupes": entry.get("peuple_par_groupes", False),
    }


def _load_roles(session: Session, service: Service, said: Mapping[str, Any], bilan: Bilan) -> None:
    known = {row.code: row for row in session.scalars(select(RoleService).filter_by(service_id=service.id))}
    for ordre, (code, entry) in enumerate(said.items(), start=1):
        role = known.get(code)
        if role is None:
            role = RoleService(service_id=service.id, code=code)
            session.add(role)
            bilan.ajoutes += 1
        _fill(role, {"nom": entry["nom"], "ordre": ordre * 10}, bilan)
        session.flush()
        _load_cells(session, role, entry, bilan)


def _load_cells(session: Session, role: RoleService, entry: Mapping[str, Any], bilan: Bilan) -> None:
    statement = select(CelluleService).filter_by(role_id=role.id, fin=None)
    known = {row.profil: row for row in session.scalars(statement)}
    for profil, values in cells_of(entry):
        cell = known.get(profil)
        if cell is None:
            session.add(CelluleService(role_id=role.id, profil=profil, **values))
            bilan.ajoutes += 1
        elif not cell.saisi and any(getattr(cell, name) != value for name, value in values.items()):
            replace_cell(session, cell, values)
            bilan.modifies += 1


def cells_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the cells of a role as the file writes them: profile, and what its row holds."""
    reasons = entry.get("raisons", {})
    for profil, word in zip(PROFILS, entry["cellules"].split(), strict=True):
        fixed = word.endswith(FIXE)
        if word.rstrip(FIXE) not in {"oui", "non"}:
            raise ValueError(f"{entry['nom']}: « {word} »")
        reason = reasons.get(profil, RAISON) if fixed else ""
        yield profil, {"defaut": word.rstrip(FIXE) == "oui", "fixe": fixed, "raison": reason}


def replace_cell(session: Session, cell: CelluleService, values: Mapping[str, Any]) -> None:
    """Give a cell what it holds from now on; a closed copy keeps what it held until now."""
    moment = now()
    names = ("role_id", "profil", "defaut", "fixe", "raison", "saisi", "debut")
    session.add(CelluleService(**{name: getattr(cell, name) for name in names}, fin=moment))
    for name, value in {**values, "debut": moment}.items():
        setattr(cell, name, value)
    session.flush()


def _load_components(session: Session, service: Service, said: Any, bilan: Bilan) -> None:
    statement = select(ComposantService).filter_by(service_id=service.id)
    known = {row.code: row for row in session.scalars(statement)}
    for ordre, entry in enumerate(said, start=1):
        component = known.get(entry["code"])
        if component is None:
            component = ComposantService(service_id=service.id, code=entry["code"])
            session.add(component)
            bilan.ajoutes += 1
        values = {
            "nom": entry["nom"],
            "place": entry.get("place"),
            "description": entry.get("description", ""),
            "reglages": entry.get("reglages", []),
            "export": entry.get("export", ""),
            "sur_abonnement": entry.get("abonnement", False),
            "ordre": ordre * 10,
        }
        _fill(component, values, bilan)


def _fill(row: Any, values: Mapping[str, Any], bilan: Bilan) -> None:
    """Give a row what the file says, unless somebody wrote it by hand."""
    if row.id is not None and row.saisi:
        return
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed and row.id is not None:
        bilan.modifies += 1
