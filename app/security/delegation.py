"""What an account may hand on, or act upon in others: each role it holds, and the roles that one is worth."""

from __future__ import annotations

from functools import cache

from app.models import Compte
from app.operations.pouvoirs import Pouvoir
from app.security.acteur import active_attributions, current_account, perimetre_of_role
from app.security.roles import RIGHTS, Role


@cache
def worth(role: Role) -> frozenset[str]:
    """Return the roles that give no right this one does not."""
    return frozenset(str(other) for other in Role if RIGHTS[other] <= RIGHTS[role])


def pouvoirs_of(compte: Compte | None) -> tuple[Pouvoir, ...]:
    """Return what an account holds, role by role; nothing for nobody."""
    if compte is None:
        return ()
    found = []
    for row in active_attributions(compte):
        where = perimetre_of_role(compte, row)
        found.append(
            Pouvoir(
                worth(Role(row.role)), where.tout, where.academies, where.collectivites, where.etablissements
            )
        )
    return tuple(found)


def current_pouvoirs() -> tuple[Pouvoir, ...]:
    """Return what the account of the request holds."""
    return pouvoirs_of(current_account())
