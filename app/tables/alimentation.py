"""Feeds: what was read, what it would change, what was applied."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.territoires import Etablissement


class Alimentation(Base):
    """One reading of a set of files of one source, from preview to application or undo.

    ``etat``: ``lecture`` → ``apercu`` → ``application`` → ``appliquee`` → ``annulee``, or
    ``refusee``, ``abandonnee``. ``comptes`` holds the counts by kind of object and nature.
    ``cle_portee`` names source and scope («aaf:19», «siecle:0751234J»): one feed at a time,
    and a feed older than the last applied one of the same scope is refused (I3).
    """

    __tablename__ = "alimentation"
    __table_args__ = (
        CheckConstraint(
            "etat IN ('lecture', 'apercu', 'application', 'appliquee', 'annulee', 'refusee',"
            " 'abandonnee')",
            name="etat",
        ),
        Index("ix_alimentation_cle_portee", "cle_portee", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(12))
    mode: Mapped[str] = mapped_column(String(8), default="complet")
    cle_portee: Mapped[str] = mapped_column(String(64))
    etablissement_id: Mapped[int | None] = mapped_column(
        ForeignKey("etablissement.id"), index=True
    )
    academie_id: Mapped[int | None] = mapped_column(ForeignKey("academie.id"), index=True)
    date_export: Mapped[datetime | None] = mapped_column(Instant)
    etat: Mapped[str] = mapped_column(String(12), default="lecture")
    motif: Mapped[str | None] = mapped_column(Text)
    fichiers: Mapped[list[Any]] = mapped_column(JSON, default=list)
    comptes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    empreinte: Mapped[str | None] = mapped_column(String(64))
    demandee_par: Mapped[str] = mapped_column(String(160), default="")
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    appliquee_le: Mapped[datetime | None] = mapped_column(Instant)
    annulee_le: Mapped[datetime | None] = mapped_column(Instant)

    etablissement: Mapped[Etablissement | None] = relationship()

    def __str__(self) -> str:
        return f"{self.source.upper()} n° {self.id}"


class AlimentationEtablissement(Base):
    """A school touched by a feed: what applies there, and whether it was."""

    __tablename__ = "alimentation_etablissement"
    __table_args__ = (UniqueConstraint("alimentation_id", "etablissement_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alimentation_id: Mapped[int] = mapped_column(ForeignKey("alimentation.id", ondelete="CASCADE"))
    etablissement_id: Mapped[int] = mapped_column(ForeignKey("etablissement.id"), index=True)
    comptes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    depart_bloque: Mapped[bool] = mapped_column(default=False)
    departs_acceptes: Mapped[bool] = mapped_column(default=False)
    applique_le: Mapped[datetime | None] = mapped_column(Instant)

    etablissement: Mapped[Etablissement] = relationship()


class Ecart(Base):
    """One difference between a feed and the base: created, changed, leaving, returning, anomaly.

    ``donnees`` is the record as read (what applying it needs); ``avant`` and ``apres`` are the
    changed fields a person reads; ``defaire`` is what undoing needs, written when applied.
    ``cle`` is the source's own key of the object; ``libelle`` the name a person reads.
    """

    __tablename__ = "ecart"
    __table_args__ = (
        CheckConstraint(
            "nature IN ('cree', 'modifie', 'depart', 'retour', 'anomalie')", name="nature"
        ),
        Index("ix_ecart_etablissement", "alimentation_id", "etablissement_id", "ordre", "id"),
        Index("ix_ecart_nature", "alimentation_id", "nature", "objet", "id"),
        Index("ix_ecart_cle", "alimentation_id", "objet", "cle"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alimentation_id: Mapped[int] = mapped_column(ForeignKey("alimentation.id", ondelete="CASCADE"))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"))
    nature: Mapped[str] = mapped_column(String(8))
    objet: Mapped[str] = mapped_column(String(14))
    ordre: Mapped[int] = mapped_column(default=0)
    cle: Mapped[str] = mapped_column(String(80))
    libelle: Mapped[str] = mapped_column(String(240), default="")
    identifiant: Mapped[str | None] = mapped_column(String(80))
    personne_id: Mapped[int | None]
    fichier: Mapped[str] = mapped_column(String(160), default="")
    ligne: Mapped[int | None]
    code: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str | None] = mapped_column(Text)
    avant: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    apres: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    donnees: Mapped[bytes | None] = mapped_column(LargeBinary)
    defaire: Mapped[bytes | None] = mapped_column(LargeBinary)
    applique_le: Mapped[datetime | None] = mapped_column(Instant)


class FicheSource(Base):
    """What a source last said of one object: its key there, a digest, and the object it became.

    An unchanged digest means nothing to do; a key not seen by a complete feed means a departure.
    """

    __tablename__ = "fiche_source"
    __table_args__ = (
        UniqueConstraint("espace", "objet", "cle"),
        Index("ix_fiche_source_etablissement", "etablissement_id", "espace", "objet"),
        Index("ix_fiche_source_personne", "personne_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    espace: Mapped[str] = mapped_column(String(24))
    objet: Mapped[str] = mapped_column(String(14))
    cle: Mapped[str] = mapped_column(String(80))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"))
    personne_id: Mapped[int | None] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    empreinte: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    vue_par: Mapped[int | None]
    presente: Mapped[bool] = mapped_column(default=True)
