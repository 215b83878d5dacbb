"""Outside programs: the keys they act with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.comptes import Compte
from app.tables.territoires import Academie, Collectivite, Etablissement


class CleApi(Base):
    """A key an outside program acts with: one role over one perimeter, shown once, kept as a digest.

    ``compte_id`` is who made it: the key does nothing its maker may no longer do. ``minute`` and
    ``appels`` count the calls of the current minute, for every process together.
    """

    __tablename__ = "cle_api"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN academie_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN collectivite_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN etablissement_id IS NULL THEN 0 ELSE 1 END) <= 1",
            name="un_perimetre",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    nom: Mapped[str] = mapped_column(String(80))
    prefixe: Mapped[str] = mapped_column(String(8))
    empreinte: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(30))
    academie_id: Mapped[int | None] = mapped_column(ForeignKey("academie.id"), index=True)
    collectivite_id: Mapped[int | None] = mapped_column(ForeignKey("collectivite.id"), index=True)
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    ecriture: Mapped[bool] = mapped_column(default=False)
    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    creee_le: Mapped[datetime] = mapped_column(Instant, default=now)
    expire_le: Mapped[datetime] = mapped_column(Instant)
    revoquee_le: Mapped[datetime | None] = mapped_column(Instant)
    revoquee_par: Mapped[str] = mapped_column(String(160), default="")
    vue_le: Mapped[datetime | None] = mapped_column(Instant)
    minute: Mapped[int] = mapped_column(default=0)
    appels: Mapped[int] = mapped_column(default=0)

    compte: Mapped[Compte] = relationship()
    academie: Mapped[Academie | None] = relationship()
    collectivite: Mapped[Collectivite | None] = relationship()
    etablissement: Mapped[Etablissement | None] = relationship()

    @property
    def etat(self) -> str:
        """Return ``active``, ``expiree`` or ``revoquee``."""
        if self.revoquee_le is not None:
            return "revoquee"
        return "expiree" if self.expire_le <= now() else "active"

    def __str__(self) -> str:
        return f"{self.nom} ({self.prefixe}…)"
