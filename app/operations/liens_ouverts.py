"""Links of mails that may still serve: making them useless when what they were sent for is no longer true."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import LienMotDePasse

EXEMPT = {"synchronize_session": False, "hors_perimetre": True}
"""Nobody's perimeter holds the links: counting and closing them goes past it."""


def close(
    session: Session, personne_id: int | None, compte_id: int | None, *, usage: str | None = None
) -> None:
    """Make the links already sent useless: a newer one leaves, the address or the password changed, one has
    served, or a code opened the account meanwhile.
    """
    instant = now()
    statement = update(LienMotDePasse).where(
        *of(personne_id, compte_id), LienMotDePasse.servi_le.is_(None), LienMotDePasse.expire_le > instant
    )
    if usage is not None:
        statement = statement.where(LienMotDePasse.usage == usage)
    session.execute(statement.values(expire_le=instant).execution_options(**EXEMPT))


def of(personne_id: int | None, compte_id: int | None) -> Sequence[ColumnElement[bool]]:
    """Return the condition «a link of this person», or of this account that is nobody's."""
    if personne_id is not None:
        return (LienMotDePasse.personne_id == personne_id,)
    return (LienMotDePasse.compte_id == compte_id,)
