"""Who an account is for: somebody of the directory, an account nobody there holds, or both."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models import Compte, Personne
from app.operations.comptes import suspended_text


@dataclass(frozen=True)
class Titulaire:
    """A person, their account, or both; never neither."""

    personne: Personne | None
    compte: Compte | None

    @property
    def login(self) -> str:
        """The identifier to type when signing in."""
        if self.compte is not None:
            return str(self.compte.username)
        return (self.personne and self.personne.login) or ""

    @property
    def address(self) -> str:
        """Where they read their mail: the address of their sheet first."""
        if self.compte is not None:
            return self.compte.adresse
        return (self.personne and self.personne.email) or ""

    @property
    def call_name(self) -> str:
        """First and last name, as a sentence writes them."""
        if self.personne is not None:
            return f"{self.personne.prenom} {self.personne.nom_courant}"
        return f"{self.compte.first_name} {self.compte.last_name}" if self.compte else ""

    @property
    def suspension(self) -> str | None:
        """What they read when they are suspended, None otherwise (A4)."""
        held = self.personne or self.compte
        if held is not None and held.suspendu_le is not None:
            return suspended_text(held.motif_suspension)
        return None

    @property
    def deleted(self) -> bool:
        """Whether they get the answer of somebody unknown: gone, deleted or disabled."""
        if self.personne is not None and self.personne.supprime_le is not None:
            return True
        account = self.compte
        return account is not None and (
            account.supprime_le is not None or not (account.active or self.suspension)
        )

    @property
    def keys(self) -> tuple[int | None, int | None]:
        """The person's number, or the account's when no person is known."""
        if self.personne is not None:
            return self.personne.id, None
        return None, self.compte.id if self.compte else None


def holder_of(session: Session, personne: Personne) -> Titulaire:
    """Return a person with their account, whatever its state."""
    account = session.scalars(
        select(Compte)
        .where(Compte.personne_id == personne.id)
        .options(joinedload(Compte.personne))
        .execution_options(hors_perimetre=True)
    ).one_or_none()
    return Titulaire(personne, account)
