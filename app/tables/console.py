"""What the console remembers for each account, and the figures it computes ahead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.territoires import Etablissement


class Preference(Base):
    """One choice of look an account made: the width of a pane, a pane folded, the columns of a list."""

    __tablename__ = "preference"

    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    cle: Mapped[str] = mapped_column(String(40), primary_key=True)
    valeur: Mapped[Any] = mapped_column(JSON)


class Favori(Base):
    """A school an account keeps at hand."""

    __tablename__ = "favori"

    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    etablissement_id: Mapped[int] = mapped_column(
        ForeignKey("etablissement.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    ajoute_le: Mapped[datetime] = mapped_column(Instant, default=now)

    etablissement: Mapped[Etablissement] = relationship()


class Visite(Base):
    """When an account last opened a school: the recents of «Changer d'établissement»."""

    __tablename__ = "visite"
    __table_args__ = (Index("ix_visite_recente", "compte_id", "le"),)

    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    etablissement_id: Mapped[int] = mapped_column(
        ForeignKey("etablissement.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    le: Mapped[datetime] = mapped_column(Instant, default=now)

    etablissement: Mapped[Etablissement] = relationship()


class VueEnregistree(Base):
    """The filters, sort and columns of a list an account gave a name to.

    ``page`` is the endpoint of the list, ``arguments`` its query string.
    """

    __tablename__ = "vue_enregistree"
    __table_args__ = (UniqueConstraint("compte_id", "page", "nom"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    page: Mapped[str] = mapped_column(String(80))
    nom: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[str] = mapped_column(String(2000), default="")
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)


class BilanEtablissement(Base):
    """The figures of one school, computed ahead: the académie view reads 3 000 of them at once (C7).

    People count once per profile, present ones only. ``actives`` are those of any profile who have
    an account. ``anomalies`` are those of the last applied feed; ``services_inactifs`` the optional
    services the school is offered and has off.
    """

    __tablename__ = "bilan_etablissement"
    __table_args__ = (CheckConstraint("actives >= 0", name="actives"),)

    etablissement_id: Mapped[int] = mapped_column(
        ForeignKey("etablissement.id", ondelete="CASCADE"), primary_key=True
    )
    eleves: Mapped[int] = mapped_column(default=0)
    enseignants: Mapped[int] = mapped_column(default=0)
    personnels: Mapped[int] = mapped_column(default=0)
    responsables: Mapped[int] = mapped_column(default=0)
    invites: Mapped[int] = mapped_column(default=0)
    divisions: Mapped[int] = mapped_column(default=0)
    actives: Mapped[int] = mapped_column(default=0)
    anomalies: Mapped[int] = mapped_column(default=0)
    administrateurs: Mapped[int] = mapped_column(default=0)
    services_inactifs: Mapped[int] = mapped_column(default=0)
    alimente_le: Mapped[datetime | None] = mapped_column(Instant)
    calcule_le: Mapped[datetime] = mapped_column(Instant, default=now)

    etablissement: Mapped[Etablissement] = relationship()


class BilanNiveau(Base):
    """Pupils of one school at one level, and how many of them have an account."""

    __tablename__ = "bilan_niveau"

    etablissement_id: Mapped[int] = mapped_column(
        ForeignKey("etablissement.id", ondelete="CASCADE"), primary_key=True
    )
    niveau: Mapped[str] = mapped_column(String(60), primary_key=True)
    eleves: Mapped[int] = mapped_column(default=0)
    actives: Mapped[int] = mapped_column(default=0)
