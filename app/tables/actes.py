"""What one person does to many accounts in one act, row by row, and who writes public pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.mixins import PerimetreEtablissement, PerimetrePersonne
from app.tables.personnes import Personne
from app.tables.suivi import Tache
from app.tables.territoires import Etablissement


class EditeurPage(PerimetreEtablissement, PerimetrePersonne, Base):
    """Somebody who may write the public page of a school, for as long as they are attached to it."""

    __tablename__ = "editeur_page"
    __table_args__ = (UniqueConstraint("etablissement_id", "personne_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    depuis: Mapped[datetime] = mapped_column(Instant, default=now)
    accorde_par: Mapped[str] = mapped_column(String(160), default="")


class ActeEnNombre(Base):
    """One act on many people: chosen, confirmed, done row by row in the background, kept as its report.

    Until it is confirmed there is but the list of people. ``tache_id`` is the work that does a long one;
    ``defait_id`` the act this one undoes: an act is undone once.
    """

    __tablename__ = "acte_en_nombre"
    __table_args__ = (
        CheckConstraint("acte IN ('suspendre', 'reactiver', 'mot_de_passe')", name="acte"),
        Index("ix_acte_en_nombre_cree_le", "cree_le"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    acte: Mapped[str] = mapped_column(String(12))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    acteur: Mapped[str] = mapped_column(String(160))
    selection: Mapped[str] = mapped_column(String(240))
    nombre: Mapped[int] = mapped_column(default=0)
    motif: Mapped[str | None] = mapped_column(String(255))
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    confirme_le: Mapped[datetime | None] = mapped_column(Instant)
    fini_le: Mapped[datetime | None] = mapped_column(Instant)
    tache_id: Mapped[int | None] = mapped_column(ForeignKey("tache.id", ondelete="SET NULL"), unique=True)
    defait_id: Mapped[int | None] = mapped_column(
        ForeignKey("acte_en_nombre.id", ondelete="SET NULL"), unique=True
    )

    etablissement: Mapped[Etablissement | None] = relationship()
    tache: Mapped[Tache | None] = relationship()


class LigneActeEnNombre(PerimetrePersonne, Base):
    """One person of such an act: waiting, done, or refused with the reason.

    ``suspendu_le`` and ``motif`` are what the person was before, so that undoing puts it back;
    ``etablissement_id`` is the school whose journal tells it.
    """

    __tablename__ = "ligne_acte_en_nombre"
    __table_args__ = (
        CheckConstraint("etat IN ('attente', 'fait', 'refus')", name="etat"),
        Index("ix_ligne_acte_en_nombre_etat", "acte_id", "etat", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    acte_id: Mapped[int] = mapped_column(ForeignKey("acte_en_nombre.id", ondelete="CASCADE"))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"))
    etat: Mapped[str] = mapped_column(String(7), default="attente")
    raison: Mapped[str | None] = mapped_column(String(255))
    le: Mapped[datetime | None] = mapped_column(Instant)
    suspendu_le: Mapped[datetime | None] = mapped_column(Instant)
    motif: Mapped[str | None] = mapped_column(String(255))

    personne: Mapped[Personne] = relationship()
