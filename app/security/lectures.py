"""Feeds read while somebody waits: so many a minute in a school, for each may hold a process ten seconds."""

from __future__ import annotations

from datetime import timedelta

from app.errors import RuleViolationError
from app.operations.connexions import Frein, attempt, wait_text
from app.security.transactions import own_transaction

LIBRES = 12
"""As many as a page shows, added one after the other."""
MINUTE = timedelta(minutes=1)


def count_reading(etablissement_id: int) -> None:
    """Count one reading for a school; called outside any transaction of the request.

    :raises RuleViolationError: too many lately; the sentence says how long to wait.
    """
    frein = Frein(f"flux:{etablissement_id}", libres=LIBRES, plafond=MINUTE, oubli=MINUTE)
    with own_transaction() as own:
        wait = attempt(own, [frein])
    if wait > timedelta(0):
        raise RuleViolationError(
            f"Beaucoup de flux viennent d’être lus ici. Recommencez dans {wait_text(wait)}.", field="url"
        )
