"""People who may be one: pairs proposed, and merges with what undoing them needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.personnes import Personne


class Doublon(Base):
    """Two people who may be one; the lower id first, so that a pair stands once.

    ``etat``: ``propose`` by the search, ``demande`` when somebody who may not merge them asks for it,
    ``distinct`` when they were told apart: never proposed again.
    """

    __tablename__ = "doublon"
    __table_args__ = (
        UniqueConstraint("personne_a_id", "personne_b_id"),
        CheckConstraint("etat IN ('propose', 'demande', 'distinct')", name="etat"),
        CheckConstraint("personne_a_id <> personne_b_id", name="deux_personnes"),
        Index(
            "ix_doublon_a_traiter",
            "etat",
            "id",
            sqlite_where=text("etat <> 'distinct'"),
            postgresql_where=text("etat <> 'distinct'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    personne_a_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    personne_b_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"), index=True)
    motifs: Mapped[list[Any]] = mapped_column(JSON, default=list)
    etat: Mapped[str] = mapped_column(String(8), default="propose")
    detecte_le: Mapped[datetime] = mapped_column(Instant, default=now)
    demandeur_id: Mapped[int | None] = mapped_column(
        ForeignKey("ab_user.id", ondelete="SET NULL"), index=True
    )
    demande_le: Mapped[datetime | None] = mapped_column(Instant)
    message: Mapped[str | None] = mapped_column(String(500))
    traite_par: Mapped[str] = mapped_column(String(160), default="")
    traite_le: Mapped[datetime | None] = mapped_column(Instant)

    personne_a: Mapped[Personne] = relationship(foreign_keys=[personne_a_id])
    personne_b: Mapped[Personne] = relationship(foreign_keys=[personne_b_id])


class Fusion(Base):
    """Two people made one: every row that was moved, changed or removed, to give both back.

    ``empreinte`` digests what the merged person was just after: undoing is refused once it changed.
    """

    __tablename__ = "fusion"

    id: Mapped[int] = mapped_column(primary_key=True)
    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"), index=True)
    absorbee: Mapped[int]
    libelle: Mapped[str] = mapped_column(String(240), default="")
    gestes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    empreinte: Mapped[str] = mapped_column(String(64))
    par: Mapped[str] = mapped_column(String(160), default="")
    le: Mapped[datetime] = mapped_column(Instant, default=now)

    personne: Mapped[Personne] = relationship()
