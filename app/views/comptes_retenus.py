"""Counts past the cap, kept a while: «plus de 10 000» stays true from one page to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from flask import current_app

from app.queries.gens import COUNT_CAP

KEPT_FOR = 300.0
MOST_KEPT = 500


def counted_once(perimetre: Hashable, criteres: Hashable, read: Callable[[], int]) -> int:
    """Return a count; one past the cap is not counted again for a few minutes by this process.

    Smaller ones are always read: they are shown to the unit.
    """
    kept: dict[Hashable, float] = current_app.extensions.setdefault("comptes_retenus", {})
    key, moment = (perimetre, criteres), time.monotonic()
    if kept.get(key, 0.0) > moment:
        return COUNT_CAP + 1
    count = read()
    if count > COUNT_CAP:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[key] = moment + KEPT_FOR
    return count
