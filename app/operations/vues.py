"""Views of a list an account gives a name to. A choice of look, not an act: nothing is journalled."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.models import VueEnregistree

MOST = 12
LONGEST_NAME = 60
LONGEST_ARGUMENTS = 2000


def enregistrer(session: Session, *, compte_id: int, page: str, nom: str, arguments: str) -> VueEnregistree:
    """Keep the state of a list under a name.

    :raises RuleViolationError: no name, one already taken, too many views, too long an address.
    """
    if len(arguments) > LONGEST_ARGUMENTS:
        raise RuleViolationError("Cette vue a trop de filtres pour être enregistrée. Retirez-en.")
    if (session.scalar(_count(compte_id, page)) or 0) >= MOST:
        raise RuleViolationError(f"Vous avez déjà {MOST} vues sur cette liste. Supprimez-en une d’abord.")
    row = VueEnregistree(
        compte_id=compte_id, page=page, nom=_name(session, compte_id, page, nom), arguments=arguments
    )
    session.add(row)
    session.flush()
    return row


def renommer(session: Session, vue: VueEnregistree, nom: str) -> None:
    """Give a view another name.

    :raises RuleViolationError: no name, or one already taken.
    """
    vue.nom = _name(session, vue.compte_id, vue.page, nom, but=vue.id)
    session.flush()


def supprimer(session: Session, vue: VueEnregistree) -> None:
    """Forget a view."""
    session.delete(vue)
    session.flush()


def _count(compte_id: int, page: str) -> Select[tuple[int]]:
    mine = (VueEnregistree.compte_id == compte_id, VueEnregistree.page == page)
    return select(func.count(VueEnregistree.id)).where(*mine)


def _name(session: Session, compte_id: int, page: str, nom: str, *, but: int | None = None) -> str:
    """Return the name to keep, checked against those of the same list whatever their case."""
    name = " ".join(nom.split())
    if not name:
        raise RuleViolationError("Donnez un nom à cette vue.", field="nom")
    if len(name) > LONGEST_NAME:
        raise RuleViolationError(f"Ce nom dépasse {LONGEST_NAME} caractères. Raccourcissez-le.", field="nom")
    taken = session.execute(
        select(VueEnregistree.id, VueEnregistree.nom).where(
            VueEnregistree.compte_id == compte_id, VueEnregistree.page == page
        )
    )
    if any(row.nom.casefold() == name.casefold() and row.id != but for row in taken):
        raise RuleViolationError(f"Une vue s’appelle déjà « {name} ». Choisissez un autre nom.", field="nom")
    return name
