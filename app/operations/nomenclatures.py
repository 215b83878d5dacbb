"""Acts on nomenclatures: MEF, subjects, disciplines, functions. Feeds add to them by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import RuleViolationError
from app.models import (
    Discipline,
    DivisionMef,
    Fonction,
    FonctionExercee,
    Matiere,
    Mef,
    OptionSuivie,
    Rattachement,
    ServiceEnseigne,
)
from app.operations import saisies
from app.operations.saisies import Actor, clean_text

Nomenclature = Mef | Matiere | Discipline | Fonction

USERS: dict[type, Sequence[tuple[InstrumentedAttribute[int] | InstrumentedAttribute[int | None], str]]] = {
    Mef: [(Rattachement.mef_id, "des élèves le suivent"), (DivisionMef.mef_id, "des classes le suivent")],
    Matiere: [
        (ServiceEnseigne.matiere_id, "elle est enseignée"),
        (OptionSuivie.matiere_id, "des élèves la suivent en option"),
    ],
    Discipline: [(FonctionExercee.discipline_id, "des personnels l’exercent")],
    Fonction: [(FonctionExercee.fonction_id, "des personnels l’exercent")],
}
"""What refers to each kind of code, and how to say it."""


def save(session: Session, item: Nomenclature, *, acteur: Actor) -> None:
    """Create or change a line of a nomenclature.

    :raises RuleViolationError: when its code or its label is missing, too long or unreadable.
    """
    columns = type(item).__table__.c
    item.code = (
        clean_text(item.code, field="code", longest=_longest(item, "code"), required="Donnez un code.") or ""
    )
    if any(char.isspace() for char in item.code):
        raise RuleViolationError("Un code s’écrit sans espace.", field="code")
    item.libelle = clean_text(item.libelle, field="libelle", longest=120, required="Donnez un libellé.") or ""
    for name in ("niveau", "filiere", "libelle_court"):
        if name in columns:
            setattr(item, name, clean_text(getattr(item, name), field=name, longest=_longest(item, name)))
    saisies.save(session, item, acteur)


def remove(session: Session, item: Nomenclature, *, acteur: Actor) -> None:
    """Remove a line nothing uses.

    :raises RuleViolationError: while something uses it.
    """
    for column, reason in USERS[type(item)]:
        if session.execute(select(func.count()).where(column == item.id)).scalar_one():
            raise RuleViolationError(f"« {item.libelle} » ne peut pas être supprimé : {reason}.")
    saisies.remove(session, item, acteur, kept=("code", "libelle"))


def _longest(item: Nomenclature, name: str) -> int:
    return int(getattr(type(item).__table__.c[name].type, "length", 120))
