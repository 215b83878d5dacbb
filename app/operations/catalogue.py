"""The catalogue of services: loaded from the file that comes with Préau, then edited by hand.

What somebody wrote in «Référentiel» is theirs: loading again adds what is new and renews only the rest.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

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
    known = {row.code: row for row in session.scalars(_whole())}
    for ordre, entry in enumerate(said, start=1):
        service = known.get(entry["code"])
        if service is None:
            service = Service(code=entry["code"])
            if entry.get("disponible", PARTOUT) == PARTOUT:
                service.disponibilites.append(ServiceCollectivite(collectivite_id=None))
            session.add(service)
            bilan.ajoutes += 1
        _fill(service, {**_service_values(entry), "ordre": ordre * 10}, bilan)
        _load_roles(session, service, entry["roles"], bilan)
        _load_components(service, entry.get("composants", ()), bilan)
    session.flush()
    return bilan


def _whole() -> Select[tuple[Service]]:
    """Return the catalogue with all that hangs on it."""
    return select(Service).options(
        selectinload(Service.roles).selectinload(RoleService.cellules.and_(CelluleService.fin.is_(None))),
        selectinload(Service.composants),
    )


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
    known = {row.code: row for row in service.roles}
    for ordre, (code, entry) in enumerate(said.items(), start=1):
        role = known.get(code)
        if role is None:
            role = RoleService(code=code)
            service.roles.append(role)
            bilan.ajoutes += 1
        _fill(role, {"nom": entry["nom"], "ordre": ordre * 10}, bilan)
        _load_cells(session, role, entry, bilan)


def _load_cells(session: Session, role: RoleService, entry: Mapping[str, Any], bilan: Bilan) -> None:
    known = {row.profil: row for row in role.cellules if row.fin is None}
    for profil, values in cells_of(entry):
        cell = known.get(profil)
        if cell is None:
            role.cellules.append(CelluleService(profil=profil, **values))
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


def _load_components(service: Service, said: Any, bilan: Bilan) -> None:
    known = {row.code: row for row in service.composants}
    for ordre, entry in enumerate(said, start=1):
        component = known.get(entry["code"])
        if component is None:
            component = ComposantService(code=entry["code"])
            service.composants.append(component)
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
