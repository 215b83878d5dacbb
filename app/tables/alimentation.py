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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.territoires import Academie, Etablissement


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
            "etat IN ('lecture', 'apercu', 'application', 'appliquee', 'annulee', 'refusee', 'abandonnee')",
            name="etat",
        ),
        Index("ix_alimentation_cle_portee", "cle_portee", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(12))
    mode: Mapped[str] = mapped_column(String(8), default="complet")
    cle_portee: Mapped[str] = mapped_column(String(64))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
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
    academie: Mapped[Academie | None] = relationship()

    def __str__(self) -> str:
        return f"{self.source.upper()} n° {self.id}"


class AlimentationEtablissement(Base):
    """A school touched by a feed: what applies there, and whether it was.

    ``entier``: the files state the school in full, so who is missing has left (I3).
    A school the base does not know yet has its ``uai`` and ``nom`` here, and its row once applied:
    a preview creates nothing.
    """

    __tablename__ = "alimentation_etablissement"
    __table_args__ = (UniqueConstraint("alimentation_id", "uai"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alimentation_id: Mapped[int] = mapped_column(ForeignKey("alimentation.id", ondelete="CASCADE"))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    uai: Mapped[str] = mapped_column(String(8))
    nom: Mapped[str] = mapped_column(String(160), default="")
    comptes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    entier: Mapped[bool] = mapped_column(default=False)
    depart_bloque: Mapped[bool] = mapped_column(default=False)
    departs_acceptes: Mapped[bool] = mapped_column(default=False)
    applique_le: Mapped[datetime | None] = mapped_column(Instant)

    etablissement: Mapped[Etablissement | None] = relationship()


class Ecart(Base):
    """One difference between a feed and the base: created, changed, leaving, returning, anomaly.

    An object of several schools (a pupil, a teacher, a parent of two schools) has one row for each,
    marked ``partage``: each school applies its own part, the first one the identity too.
    ``donnees`` is the record as read (what applying it needs, gone once applied); ``avant`` and
    ``apres`` are the changed fields a person reads; ``defaire`` is what undoing needs, written when
    applied.
    ``cle`` is the source's own key of the object; ``libelle`` the name a person reads. ``uai``
    names the school, whose row may not exist before the feed is applied. A row is updated once, when
    applied, and no index holds what changes: on PostgreSQL its page keeps room for that (migration 0009).
    """

    __tablename__ = "ecart"
    __table_args__ = (
        CheckConstraint("nature IN ('cree', 'modifie', 'depart', 'retour', 'anomalie')", name="nature"),
        Index("ix_ecart_uai", "alimentation_id", "uai", "ordre", "id"),
        Index("ix_ecart_nature", "alimentation_id", "nature", "objet", "id"),
        Index(
            "ix_ecart_partage",
            "alimentation_id",
            "objet",
            "cle",
            sqlite_where=text("partage"),
            postgresql_where=text("partage"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alimentation_id: Mapped[int] = mapped_column(ForeignKey("alimentation.id", ondelete="CASCADE"))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"))
    uai: Mapped[str | None] = mapped_column(String(8))
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
    partage: Mapped[bool] = mapped_column(default=False)
    empreinte: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    donnees: Mapped[bytes | None] = mapped_column(LargeBinary)
    defaire: Mapped[bytes | None] = mapped_column(LargeBinary)
    applique_le: Mapped[datetime | None] = mapped_column(Instant)


class FicheSource(Base):
    """What a source last said of one object: its key there, a digest, and the object it became.

    An unchanged digest means nothing to do; a key not seen by a complete feed means a departure:
    ``absente_de`` is the last feed that read everything without meeting the key. ``champs`` are the
    fields it gave a value to, one bit each (``alimentation.provenance``); unknown when it is NULL.
    """

    __tablename__ = "fiche_source"
    __table_args__ = (
        UniqueConstraint("espace", "objet", "cle"),
        Index("ix_fiche_source_personne", "personne_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    espace: Mapped[str] = mapped_column(String(24))
    objet: Mapped[str] = mapped_column(String(14))
    cle: Mapped[str] = mapped_column(String(80))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"))
    personne_id: Mapped[int | None] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    empreinte: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    absente_de: Mapped[int | None]
    presente: Mapped[bool] = mapped_column(default=True)
    champs: Mapped[int | None]


class CitationResponsable(Base):
    """A guardian named by a pupil of a feed being read, and in which school; gone after the preview.

    Source files list adults that no pupil cites: only these are kept. A pupil the base already knows
    has rows of their own besides (``eleve_id``, else 0): a guardian may be found through the child.
    """

    __tablename__ = "citation_responsable"

    alimentation_id: Mapped[int] = mapped_column(
        ForeignKey("alimentation.id", ondelete="CASCADE"), primary_key=True
    )
    cle: Mapped[str] = mapped_column(String(80), primary_key=True)
    uai: Mapped[str] = mapped_column(String(8), primary_key=True)
    eleve_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
