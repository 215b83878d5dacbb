"""Guests who come in a file: what was read, what is wrong with it, what became of each line (U13)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, Instant, now
from app.tables.mixins import PerimetreEtablissement


class ImportInvites(PerimetreEtablissement, Base):
    """A file of guests of one school, from the moment it is put down until it is applied or undone.

    ``colonnes`` tells the field each column of the file was read as. ``tache_id`` is the work under way.
    """

    __tablename__ = "import_invites"
    __table_args__ = (
        CheckConstraint(
            "etat IN ('lecture', 'apercu', 'application', 'applique', 'annulation', 'annule', 'refuse')",
            name="etat",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    fichier: Mapped[str] = mapped_column(String(255))
    etat: Mapped[str] = mapped_column(String(11), default="lecture")
    colonnes: Mapped[list[str]] = mapped_column(JSON, default=list)
    entetes: Mapped[list[str]] = mapped_column(JSON, default=list)
    encodage: Mapped[str] = mapped_column(String(20), default="")
    separateur: Mapped[str] = mapped_column(String(1), default="")
    dernier_jour: Mapped[date | None]
    motif: Mapped[str | None] = mapped_column(String(400))
    tache_id: Mapped[int | None] = mapped_column(ForeignKey("tache.id", ondelete="SET NULL"))
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"))
    demande_par: Mapped[str] = mapped_column(String(160), default="")
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    applique_le: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return f"Import n° {self.id} : {self.fichier}"


class LigneImport(Base):
    """One line of such a file: its cells as they came, as they read, what is said of them.

    ``choix`` is what will be made of a line that may pass: ``creer``, ``rattacher`` the person it names
    already, or ``ecarter``. ``personne_id`` is that person, before; the guest, after.
    """

    __tablename__ = "ligne_import"
    __table_args__ = (
        CheckConstraint("etat IN ('valide', 'erreur', 'deja', 'ecartee', 'faite', 'defaite')", name="etat"),
        CheckConstraint("choix IN ('', 'creer', 'rattacher')", name="choix"),
        UniqueConstraint("import_id", "numero"),
        Index("ix_ligne_import_etat", "import_id", "etat", "numero"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_invites.id", ondelete="CASCADE"))
    numero: Mapped[int]
    cellules: Mapped[list[str]] = mapped_column(JSON)
    constats: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    etat: Mapped[str] = mapped_column(String(8))
    choix: Mapped[str] = mapped_column(String(9), default="")
    remarque: Mapped[bool] = mapped_column(default=False)
    personne_id: Mapped[int | None] = mapped_column(
        ForeignKey("personne.id", ondelete="SET NULL"), index=True
    )
    creee: Mapped[bool] = mapped_column(default=False)
