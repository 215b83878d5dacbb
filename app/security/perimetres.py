"""The perimeter wall: every SELECT of the session is limited to the actor's rows (A1, rule 5).

A perimeter is stated on the session (``session.info``), by the request for its actor, by jobs
and the command line by name. A query that touches a walled table without any perimeter raises:
forgetting fails closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, event, false, or_, select, true
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from app.errors import PerimetreAbsentError
from app.models import (
    Alimentation,
    Etablissement,
    PerimetreEtablissement,
    PerimetrePersonne,
    Personne,
    Rattachement,
    Responsabilite,
)

KEY = "perimetre"


@dataclass(frozen=True)
class Perimetre:
    """The rows an actor reaches: everything, or the union of what the four sets name."""

    tout: bool = False
    academies: frozenset[int] = frozenset()
    collectivites: frozenset[int] = frozenset()
    etablissements: frozenset[int] = frozenset()
    personne_id: int | None = None

    def etablissement_clause(self, id_column: Any) -> ColumnElement[bool]:
        """Return the condition «this school id is mine»."""
        if self.tout:
            return true()
        parts: list[ColumnElement[bool]] = []
        if self.etablissements:
            parts.append(id_column.in_(sorted(self.etablissements)))
        table = Etablissement.__table__
        for column, ids in (("academie_id", self.academies), ("collectivite_id", self.collectivites)):
            if ids:
                parts.append(id_column.in_(select(table.c.id).where(table.c[column].in_(sorted(ids)))))
        return or_(*parts) if parts else false()

    def personne_clause(self, id_column: Any) -> ColumnElement[bool]:
        """Return the condition «this person id is mine»: oneself, or attached to a school of mine."""
        if self.tout:
            return true()
        table = Rattachement.__table__
        clause = id_column.in_(
            select(table.c.personne_id).where(self.etablissement_clause(table.c.etablissement_id))
        )
        return clause if self.personne_id is None else or_(id_column == self.personne_id, clause)


TOUT = Perimetre(tout=True)
RIEN = Perimetre()
