"""The panes a person sized: drawn by the server at once, so that no page jumps (C2)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from app.views.preferences import preference, size

STEP = 8


@dataclass(frozen=True)
class Volet:
    """One pane: what remembers it, and its bounds in pixels of 1/16 rem."""

    key: str
    default: int
    least: int
    most: int

    @property
    def value(self) -> int:
        """The size this person chose, on a step of the style sheet."""
        return size(self.key, self.default, self.least, self.most, STEP)


ARBRE = Volet("volet.arbre", 264, 200, 480)
JOURNAL = Volet("volet.journal", 168, 96, 640)
SHEET = "EtablissementConsole.fiche"


@dataclass(frozen=True)
class Volets:
    """The panes of a page."""

    arbre: Volet
    journal: Volet
    journal_ouvert: bool


def volets() -> Volets:
    """Return the panes as this person left them."""
    kept = preference("volet.journal.ouvert", None)
    # a list needs the height of the page: the journal opens by itself on the sheet alone
    opened = kept if isinstance(kept, bool) else request.endpoint == SHEET
    return Volets(ARBRE, JOURNAL, opened)
