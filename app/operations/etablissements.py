"""Acts on schools: create a virtual one, edit the sheet, lift a lock (S1, S2).

A school is never deleted, for its journal stays: a virtual one that is over is closed.

A field edited by hand on a school that a feed keeps is locked (``VerrouEtablissement``): the feed
leaves it alone until the lock is lifted. Which fields an actor may edit is decided by
``app.security.champs`` and handed in as ``champs``; a field outside it is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Etablissement, VerrouEtablissement
from app.operations.saisies import (
    Actor,
    clean_email,
    clean_telephone,
    clean_text,
    clean_url,
    pending_changes,
    record,
)
from app.queries.noms import ecole_key, search_key

UAI = re.compile(r"[0-9]{7}[A-Z]")
UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
DERIVED = {"nom_recherche", "recherche", "modifie_le"}
"""Columns of a school that follow the others: nobody types them."""


CLEANERS: dict[str, Callable[[str | None], str | None]] = {
    "nom": partial(clean_text, field="nom", longest=160, required="Donnez un nom à l’établissement."),
    "type": partial(clean_text, field="type", longest=60),
    "adresse": partial(clean_text, field="adresse", longest=255),
    "code_postal": partial(clean_text, field="code_postal", longest=10),
    "commune": partial(clean_text, field="commune", longest=80),
    "telephone": partial(clean_telephone, field="telephone"),
    "email": partial(clean_email, field="email"),
    "site_web": partial(clean_url, field="site_web"),
    "xiti": partial(clean_text, field="xiti", longest=20),
    "chef": partial(clean_text, field="chef", longest=160),
}

LABELS: dict[str, str] = {
    "uai": "UAI",
    "nom": "Nom",
    "type": "Type",
    "secteur": "Secteur",
    "etat": "État",
    "adresse": "Adresse",
    "code_postal": "Code postal",
    "commune": "Commune",
    "telephone": "Téléphone",
    "email": "E-mail",
    "site_web": "Site web",
    "xiti": "Identifiant XiTi",
    "chef": "Chef d’établissement",
    "academie_id": "Académie",
    "collectivite_id": "Collectivité",
}


def uai_letter(digits: str) -> str:
    """Return the check letter of the seven digits of a UAI."""
    return UAI_LETTERS[int(digits) % 23]


def uai_warning(uai: str) -> str | None:
    """Return what looks wrong in a UAI, None when nothing does. A warning: it never refuses."""
    if not UAI.fullmatch(uai):
        return None
    expected = uai_letter(uai[:7])
    if uai[7] == expected:
        return None
    return f"La lettre de contrôle de {uai} devrait être {expected}. Vérifiez l’UAI."


def create_virtual(session: Session, etablissement: Etablissement, *, acteur: Actor) -> str | None:
    """Add a virtual school typed by hand (S2); return the warning on its UAI, if any.

    Without a UAI the school receives a number of its own, ``V`` and seven digits.

    :raises RuleViolationError: when the UAI has not the shape of one, or a field is not right.
    """
    typed = clean_text(etablissement.uai, field="uai", longest=8)
    if typed is None:
        etablissement.uai = _next_virtual_uai(session)
    else:
        etablissement.uai = typed.upper()
        if not UAI.fullmatch(etablissement.uai):
            raise RuleViolationError(
                "Un UAI compte sept chiffres et une lettre. Laissez vide pour un numéro virtuel.", field="uai"
            )
    _clean(etablissement)
    etablissement.virtuel = True
    etablissement.source = "manuel"
    etablissement.secteur = etablissement.secteur or "public"
    session.add(etablissement)
    session.flush()
    typed_values = {"uai": (None, etablissement.uai), "nom": (None, etablissement.nom)}
    record(
        session,
        etablissement,
        "etablissement.creer",
        acteur,
        changes=typed_values,
        etablissement_id=etablissement.id,
    )
    return uai_warning(etablissement.uai)


def edit(
    session: Session, etablissement: Etablissement, *, champs: Collection[str], acteur: Actor
) -> dict[str, tuple[Any, Any]]:
    """Write the pending changes of a school, lock what a feed could overwrite, journal.

    :raises RuleViolationError: when a field changed that ``champs`` does not allow, or is not right.
    """
    touched = set(pending_changes(etablissement)) - DERIVED
    _clean(etablissement, touched)
    changes = pending_changes(etablissement)
    changes = {name: change for name, change in changes.items() if name not in DERIVED}
    for name in changes:
        if name not in champs:
            label = LABELS.get(name, name)
            raise RuleViolationError(
                f"« {label} » n’est pas modifiable ici : la valeur vient de l’annuaire"
                " ou demande un autre rôle.",
                field=name,
            )
    if not changes:
        return {}
    if not etablissement.virtuel:
        _lock(session, etablissement, changes, acteur)
    session.flush()
    record(
        session,
        etablissement,
        "etablissement.modifier",
        acteur,
        changes=changes,
        etablissement_id=etablissement.id,
    )
    return changes


def unlock(session: Session, etablissement: Etablissement, champ: str, *, acteur: Actor) -> None:
    """Let the feeds fill a field again.

    :raises RuleViolationError: when the field was not locked.
    """
    removed = session.execute(
        delete(VerrouEtablissement)
        .where(VerrouEtablissement.etablissement_id == etablissement.id, VerrouEtablissement.champ == champ)
        .execution_options(synchronize_session=False)
    )
    if not removed.rowcount:  # type: ignore[attr-defined]
        raise RuleViolationError("Ce champ suit déjà l’alimentation.")
    record(
        session,
        etablissement,
        "etablissement.deverrouiller",
        acteur,
        changes={"champ": (champ, None)},
        etablissement_id=etablissement.id,
    )


def _clean(etablissement: Etablissement, touched: Collection[str] | None = None) -> None:
    for name, cleaner in CLEANERS.items():
        if touched is None or name in touched:
            setattr(etablissement, name, cleaner(getattr(etablissement, name)))
    etablissement.type = etablissement.type or ""
    if touched is None or "nom" in touched:
        etablissement.nom_recherche = search_key(etablissement.nom)
    if touched is None or {"nom", "commune"} & set(touched):
        etablissement.recherche = ecole_key(etablissement.nom, etablissement.commune, etablissement.uai)


def _lock(session: Session, etablissement: Etablissement, changes: Collection[str], acteur: Actor) -> None:
    already = set(
        session.scalars(
            select(VerrouEtablissement.champ).where(VerrouEtablissement.etablissement_id == etablissement.id)
        )
    )
    for champ in sorted(set(changes) - already):
        session.add(
            VerrouEtablissement(etablissement_id=etablissement.id, champ=champ, le=now(), par=acteur.nom)
        )


def _next_virtual_uai(session: Session) -> str:
    last = session.execute(
        select(func.max(Etablissement.uai)).where(Etablissement.uai.like("V_______"), Etablissement.virtuel)
    ).scalar()
    number = int(last[1:]) + 1 if last and last[1:].isdigit() else 1
    return f"V{number:07d}"
