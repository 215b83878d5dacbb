"""What the console remembers for an account: the schools it opened. Nothing here is an act to journal."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.database import instant, rows_of
from app.extensions import now


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
