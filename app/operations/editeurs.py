"""«Éditeur de page publique»: who of a school may write its public page (U5, P3)."""

from __future__ import annotations

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import EditeurPage, Personne, Rattachement
from app.operations.saisies import Actor, record
from app.queries.droits import living

PROFILS_EDITEURS = ("enseignant", "personnel")


def editeur(session: Session, personne_id: int, etablissement_id: int) -> EditeurPage | None:
    """Return what makes somebody an editor of the page of a school."""
    return session.scalars(
        select(EditeurPage).where(
            EditeurPage.personne_id == personne_id, EditeurPage.etablissement_id == etablissement_id
        )
    ).first()


def schools_of(session: Session, personne_id: int) -> list[int]:
    """Return the schools whose page somebody writes, while they are attached to them."""
    return list(
        session.scalars(
            select(EditeurPage.etablissement_id).where(
                EditeurPage.personne_id == personne_id,
                exists(
                    select(Rattachement.id)
                    .join(Personne, Personne.id == Rattachement.personne_id)
                    .where(
                        Rattachement.personne_id == personne_id,
                        Rattachement.etablissement_id == EditeurPage.etablissement_id,
                        Rattachement.profil.in_(PROFILS_EDITEURS),
                        Rattachement.fin.is_(None),
                        *living(now()),
                    )
                ),
            )
        )
    )


def designer(session: Session, personne: Personne, etablissement_id: int, *, acteur: Actor) -> None:
    """Let a teacher or a member of staff of the school write its public page.

    :raises RuleViolationError: another profile, or an editor already.
    """
    lock(session, f"editeurs:{etablissement_id}")
    place = select(Rattachement.id).where(
        Rattachement.personne_id == personne.id,
        Rattachement.etablissement_id == etablissement_id,
        Rattachement.profil.in_(PROFILS_EDITEURS),
        Rattachement.fin.is_(None),
    )
    if session.scalars(place.limit(1)).first() is None:
        raise RuleViolationError(
            "Seul un enseignant ou un personnel de l’établissement tient sa page publique.", field="editeur"
        )
    if editeur(session, personne.id, etablissement_id) is not None:
        raise RuleViolationError(f"{personne} est déjà éditeur de la page publique.", field="editeur")
    session.add(
        EditeurPage(personne_id=personne.id, etablissement_id=etablissement_id, accorde_par=acteur.nom[:160])
    )
    session.flush()
    record(session, personne, "page.designer", acteur, etablissement_id=etablissement_id)


def retirer(session: Session, personne: Personne, etablissement_id: int, *, acteur: Actor) -> None:
    """Take the public page of the school back from somebody.

    :raises RuleViolationError: they were no editor.
    """
    removed = session.execute(
        delete(EditeurPage)
        .where(EditeurPage.personne_id == personne.id, EditeurPage.etablissement_id == etablissement_id)
        .execution_options(synchronize_session=False)
    )
    if not removed.rowcount:  # type: ignore[attr-defined]
        raise RuleViolationError(f"{personne} n’est pas éditeur de la page publique.", field="editeur")
    record(session, personne, "page.retirer", acteur, etablissement_id=etablissement_id)
