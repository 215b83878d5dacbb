"""The catalogue of services edited by hand: what is typed is kept against the file that comes with Préau.

Nothing a school may depend on is deleted: a service, a role, a component is withdrawn, and may come back.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import (
    PROFILS,
    CelluleService,
    ComposantService,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.operations import saisies
from app.operations.catalogue import RAISON, replace_cell
from app.operations.champs_service import check_schema
from app.operations.saisies import Actor, clean_text, pending_changes, record
from app.queries.droits import PROFIL_LABELS

RESERVES = frozenset({"categorie", "droits", "export", "modeles", "reglages"})
"""Words of the addresses of services, which no service is called by."""
ROLES = {
    "roles": (("gestionnaire", "Gestionnaire", False), ("lecteur", "Lecteur", False)),
    "acces": (("acces", "Accès", False),),
    "etat": (("acces", "Accès", True),),
}
"""What a service of each form starts with: code, name, and whether the platform gives it to everybody."""
Retirable = Service | RoleService | ComposantService


def save_service(session: Session, item: Service, *, acteur: Actor) -> None:
    """Create or change a service; a new one starts with the roles of its form, offered to nobody yet.

    :raises RuleViolationError: a code, a name, settings or a nature that cannot be.
    """
    created = item.id is None
    changes = {} if created else pending_changes(item)
    _name(item)
    if item.code in RESERVES:
        raise RuleViolationError("Ce mot est réservé. Choisissez un autre code.", field="code")
    if not created and {"nature", "forme", "code"} & set(changes):
        field = next(name for name in ("nature", "forme", "code") if name in changes)
        raise RuleViolationError(
            "Cela ne change plus une fois le service créé : les droits des établissements en dépendent.",
            field=field,
        )
    if created and item.forme == "annuaire":
        raise RuleViolationError("Il n’y a qu’un annuaire. Choisissez une autre forme.", field="forme")
    check_schema(item.reglages or [])
    item.saisi = True
    saisies.save(session, item, acteur)
    for ordre, (code, nom, given) in enumerate(ROLES.get(item.forme, ()) if created else (), start=1):
        role = RoleService(service_id=item.id, code=code, nom=nom, ordre=ordre * 10, saisi=True)
        session.add(role)
        session.flush()
        _open_cells(session, role, given=given)


def save_role(session: Session, item: RoleService, *, acteur: Actor) -> None:
    """Create or change a role; a new one is given to no profile, and schools may give it.

    :raises RuleViolationError: a code or a name that cannot be, or a service whose roles are fixed.
    """
    created = item.id is None
    if not created and {"code", "service_id"} & set(pending_changes(item)):
        raise RuleViolationError("Le code et le service d’un droit ne changent plus.", field="code")
    _name(item)
    service = item.service or session.get_one(Service, item.service_id)
    if created and service.forme != "roles":
        raise RuleViolationError(
            f"« {service.nom} » n’a pas de grille de rôles : aucun droit ne s’y ajoute.", field="service"
        )
    item.saisi = True
    saisies.save(session, item, acteur)
    if created:
        _open_cells(session, item, given=False)


def save_cell(session: Session, item: CelluleService, *, acteur: Actor) -> None:
    """Change a cell of the catalogue from now on; what it said until now stays told.

    :raises RuleViolationError: a fixed cell without a reason, or a cell of the past.
    """
    changes = {
        name: pair for name, pair in pending_changes(item).items() if name in {"defaut", "fixe", "raison"}
    }
    reason = clean_text(item.raison, field="raison", longest=160)
    values = {
        "defaut": bool(item.defaut),
        "fixe": bool(item.fixe),
        "raison": (reason or RAISON) if item.fixe else "",
        "saisi": True,
    }
    if not changes:
        return
    session.refresh(item)
    if item.fin is not None:
        raise RuleViolationError("Cette cellule appartient au passé. Ouvrez celle d’aujourd’hui.")
    before = {name: getattr(item, name) for name in values}
    replace_cell(session, item, values)
    changed = {name: (before[name], values[name]) for name in values if before[name] != values[name]}
    record(session, item, "cellule_service.modifier", acteur, changes=changed)


def save_component(session: Session, item: ComposantService, *, acteur: Actor) -> None:
    """Create or change a software or a resource.

    :raises RuleViolationError: a code, a name, a place or settings that cannot be.
    """
    _name(item)
    if item.id is not None and {"code", "service_id", "place"} & set(pending_changes(item)):
        raise RuleViolationError(
            "Le code, le service et l’hébergement ne changent plus : des établissements s’en servent.",
            field="code",
        )
    check_schema(item.reglages or [])
    item.saisi = True
    saisies.save(session, item, acteur)


def offer(session: Session, item: ServiceCollectivite, *, acteur: Actor) -> None:
    """Offer a service to the schools of a collectivité, or to every school when none is named.

    :raises RuleViolationError: it is so already.
    """
    service_id = item.service.id if item.service else item.service_id
    collectivite_id = item.collectivite.id if item.collectivite else item.collectivite_id
    same = select(ServiceCollectivite.id).where(
        ServiceCollectivite.service_id == service_id,
        ServiceCollectivite.collectivite_id == collectivite_id,
        ServiceCollectivite.fin.is_(None),
    )
    with session.no_autoflush:  # looked for before the row itself is written
        session.add(item)
        known = session.scalars(same).first()
    if known is not None:
        raise RuleViolationError("Ce service leur est déjà proposé.", field="collectivite")
    # the columns too: what is journalled is read of them
    item.service_id, item.collectivite_id = service_id, collectivite_id
    saisies.save(session, item, acteur)


def stop_offering(session: Session, item: ServiceCollectivite, *, acteur: Actor) -> None:
    """Offer a service no longer: from now on these schools do not have it; what they set is kept.

    :raises RuleViolationError: it was over already.
    """
    if item.fin is not None:
        raise RuleViolationError("Cette offre a déjà pris fin.")
    item.fin = now()
    saisies.save(session, item, acteur)


def retirer(session: Session, item: Retirable, *, acteur: Actor) -> None:
    """Withdraw a service, a role or a component from the catalogue: nobody has it any more.

    :raises RuleViolationError: it is already.
    """
    if item.retire_le is not None:
        raise RuleViolationError(f"« {item} » est déjà retiré du catalogue.")
    item.retire_le, item.saisi = now(), True
    saisies.save(session, item, acteur)


def remettre(session: Session, item: Retirable, *, acteur: Actor) -> None:
    """Put back what was withdrawn, as it was.

    :raises RuleViolationError: it is in the catalogue.
    """
    if item.retire_le is None:
        raise RuleViolationError(f"« {item} » est au catalogue.")
    item.retire_le = None
    saisies.save(session, item, acteur)


def _open_cells(session: Session, role: RoleService, *, given: bool) -> None:
    session.add_all(
        CelluleService(
            role_id=role.id,
            profil=profil,
            defaut=given,
            fixe=given,
            raison=RAISON if given else "",
            saisi=True,
        )
        for profil in PROFILS
    )
    session.flush()


def _name(item: Any) -> None:
    """Clean the code and the name of a row."""
    code = clean_text(item.code, field="code", longest=40, required="Donnez un code.") or ""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
        raise RuleViolationError(
            "Un code s’écrit en minuscules sans accent, avec des chiffres et « _ ».", field="code"
        )
    item.code = code
    item.nom = clean_text(item.nom, field="nom", longest=80, required="Donnez un nom.") or ""


def cell_title(item: CelluleService) -> str:
    """Return what a cell is called: «Forum, lecteur, Parents»."""
    return f"{item.role}, {PROFIL_LABELS[item.profil]}"
