"""What the console remembers for an account: schools opened or kept at hand, choices of look.

Nothing here is an act: it concerns nobody else, and the journal has no line of it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import instant, rows_of
from app.errors import RuleViolationError
from app.extensions import now
from app.models import Favori, Preference

MOST_FAVOURITES = 50
MOST_PREFERENCES = 200
LONGEST_PREFERENCE = 2000
PREFERENCE = re.compile(r"[a-z][a-z0-9._-]{0,39}")


def note_visit(session: Session, compte_id: int, etablissement_id: int) -> None:
    """Remember that an account opened a school just now; two tabs at once are one visit."""
    rows_of(
        session,
        "INSERT INTO visite (compte_id, etablissement_id, le) VALUES (:compte, :ecole, :le)"
        " ON CONFLICT (compte_id, etablissement_id) DO UPDATE SET le = excluded.le",
        compte=compte_id,
        ecole=etablissement_id,
        le=instant(session, now()),
    )


def keep_favourite(session: Session, compte_id: int, etablissement_id: int, *, kept: bool) -> None:
    """Put a school among the favourites of an account, or out of them; doing it twice changes nothing.

    :raises RuleViolationError: beyond ``MOST_FAVOURITES``, which would be a list and no longer a choice.
    """
    held = select(func.count()).select_from(Favori).where(Favori.compte_id == compte_id)
    row = session.get(Favori, (compte_id, etablissement_id))
    if kept and row is None:
        if session.execute(held).scalar_one() >= MOST_FAVOURITES:
            raise RuleViolationError(
                f"Vous avez déjà {MOST_FAVOURITES} favoris. Retirez-en un avant d’en ajouter un autre."
            )
        session.add(Favori(compte_id=compte_id, etablissement_id=etablissement_id))
    elif not kept and row is not None:
        session.delete(row)
    session.flush()


def prefer(session: Session, compte_id: int, cle: str, valeur: Any) -> None:
    """Remember one choice of look; ``None`` forgets it.

    :raises RuleViolationError: on a key or a value no page writes.
    """
    if not PREFERENCE.fullmatch(cle) or len(json.dumps(valeur)) > LONGEST_PREFERENCE:
        raise RuleViolationError("Ce réglage d’affichage n’existe pas.")
    row = session.get(Preference, (compte_id, cle))
    if valeur is None:
        if row is not None:
            session.delete(row)
    elif row is not None:
        row.valeur = valeur
    else:
        held = select(func.count()).select_from(Preference).where(Preference.compte_id == compte_id)
        if session.execute(held).scalar_one() >= MOST_PREFERENCES:
            raise RuleViolationError("Trop de réglages d’affichage sont déjà enregistrés.")
        session.add(Preference(compte_id=compte_id, cle=cle, valeur=valeur))
    session.flush()
