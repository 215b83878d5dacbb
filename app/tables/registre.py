"""The register of processing: what is done with personal data here, why, for whom, for how long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, Instant, now


class Traitement(Base):
    """One processing of personal data, as article 30 of the GDPR asks it described."""

    __tablename__ = "traitement"

    id: Mapped[int] = mapped_column(primary_key=True)
    nom: Mapped[str] = mapped_column(String(160), unique=True)
    finalite: Mapped[str] = mapped_column(Text)
    base_legale: Mapped[str] = mapped_column(Text)
    personnes: Mapped[str] = mapped_column(Text)
    donnees: Mapped[str] = mapped_column(Text)
    destinataires: Mapped[str] = mapped_column(Text)
    conservation: Mapped[str] = mapped_column(Text)
    securite: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now, onupdate=now)

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.nom
