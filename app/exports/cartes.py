"""What the cards of first connection say (U14); what draws them is loaded when the first one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

PAR_PAGE = (1, 2, 8)


@dataclass(frozen=True, slots=True)
class Enfant:
    """A pupil on the card of who answers for them; ``code`` is empty once they activated."""

    nom: str
    classe: str
    code: str


@dataclass(frozen=True, slots=True)
class Carte:
    """What the card of one person says."""

    nom: str
    detail: str
    login: str
    code: str
    enfants: tuple[Enfant, ...] = ()
    adresse: tuple[str, ...] = ()
    rappel: str = ""
    """What a parent is asked for beside the codes: their postcode and town."""


@dataclass(frozen=True, slots=True)
class Entete:
    """What every card of a file says: the school, where one first connects."""

    etablissement: str
    adresse: str

    @property
    def affichee(self) -> str:
        """Return the address as one types it."""
        return self.adresse.partition("://")[2].rstrip("/") or self.adresse


def draw(output: BinaryIO, cartes: Iterable[Carte], entete: Entete, *, par_page: int) -> int:
    """Draw the cards into ``output`` and return how many pages they took."""
    from app.exports import cartes_pdf

    return cartes_pdf.draw(output, cartes, entete, par_page=par_page)
