"""What an act must know of this deployment: its name, its address in mails, the key outside the database."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.config import Reglages


@dataclass(frozen=True, slots=True)
class Deployment:
    """Whose console this is, and where."""

    nom: str
    adresse: str
    cle: str = field(repr=False)

    @classmethod
    def of(cls, settings: Reglages) -> Deployment:
        """Read it from the settings."""
        return cls(settings.deployment(), settings.public_url(), settings.code_key())
