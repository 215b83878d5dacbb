"""What goes with the settings of services: tries of what was typed, subscriptions to resources."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.catalogue import ComposantService, Service
from app.tables.mixins import PerimetreEtablissement
from app.tables.territoires import Collectivite, Etablissement


class EssaiService(PerimetreEtablissement, Base):
    """One «Tester»: what a school had typed, whether the server answered, what was said of it.

    ``valeurs`` are the values tried, ``secrets`` those of that type, sealed, gone once it is over.
    ``reussi`` is unknown while it is under way.
    """

    __tablename__ = "essai_service"
    __table_args__ = (
        Index("ix_essai_service_cible", "etablissement_id", "service_id", "composant_id", "demande_le"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    composant_id: Mapped[int | None] = mapped_column(ForeignKey("composant_service.id"), index=True)
    cible: Mapped[str] = mapped_column(String(300))
    valeurs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    secrets: Mapped[str | None] = mapped_column(Text)
    reussi: Mapped[bool | None]
    phrase: Mapped[str] = mapped_column(String(300), default="")
    statut: Mapped[int | None]
    duree_ms: Mapped[int | None]
    demande_le: Mapped[datetime] = mapped_column(Instant, default=now)
    fini_le: Mapped[datetime | None] = mapped_column(Instant)
    par: Mapped[str] = mapped_column(String(160), default="")
    compte_id: Mapped[int | None]

    service: Mapped[Service] = relationship()
    composant: Mapped[ComposantService | None] = relationship()


class Abonnement(Base):
    """A digital resource subscribed to, by one school or by a collectivité for all of its schools."""

    __tablename__ = "abonnement"
    __table_args__ = (
        CheckConstraint(
            "(etablissement_id IS NULL) <> (collectivite_id IS NULL)", name="etablissement_ou_collectivite"
        ),
        CheckConstraint("fin IS NULL OR debut IS NULL OR fin >= debut", name="dates"),
        Index(
            "uq_abonnement_composant_id_etablissement_id",
            "composant_id",
            "etablissement_id",
            unique=True,
            sqlite_where=text("etablissement_id IS NOT NULL"),
            postgresql_where=text("etablissement_id IS NOT NULL"),
        ),
        Index(
            "uq_abonnement_composant_id_collectivite_id",
            "composant_id",
            "collectivite_id",
            unique=True,
            sqlite_where=text("collectivite_id IS NOT NULL"),
            postgresql_where=text("collectivite_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    composant_id: Mapped[int] = mapped_column(ForeignKey("composant_service.id", ondelete="CASCADE"))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    collectivite_id: Mapped[int | None] = mapped_column(ForeignKey("collectivite.id"), index=True)
    debut: Mapped[date | None]
    fin: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)

    composant: Mapped[ComposantService] = relationship()
    etablissement: Mapped[Etablissement | None] = relationship()
    collectivite: Mapped[Collectivite | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return f"{self.composant}, {self.etablissement or self.collectivite}"
