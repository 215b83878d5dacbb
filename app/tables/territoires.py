"""Académies, collectivités and schools."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, SearchKey, now


class Academie(Base):
    """An académie of the Éducation nationale; State codes are read as text («19»)."""

    __tablename__ = "academie"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(3), unique=True)
    nom: Mapped[str] = mapped_column(String(80))

    etablissements: Mapped[list[Etablissement]] = relationship(back_populates="academie")

    def __str__(self) -> str:
        return self.nom


class Collectivite(Base):
    """The local authority that runs school buildings: commune, département or région."""

    __tablename__ = "collectivite"
    __table_args__ = (CheckConstraint("type IN ('commune', 'departement', 'region', 'autre')", name="type"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(14), unique=True)
    nom: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(12), default="departement")

    etablissements: Mapped[list[Etablissement]] = relationship(back_populates="collectivite")

    def __str__(self) -> str:
        return self.nom


class Etablissement(Base):
    """A school, identified nationally by its UAI, or virtual and created by hand (S2).

    ``nom_recherche`` sorts; ``recherche`` holds name, town and UAI as one key, searched by any part.
    """

    __tablename__ = "etablissement"
    __table_args__ = (
        CheckConstraint("secteur IN ('public', 'prive')", name="secteur"),
        CheckConstraint("etat IN ('ouvert', 'ferme')", name="etat"),
        Index("ix_etablissement_nom_recherche", "nom_recherche"),
        Index("ix_etablissement_code_academie", "academie_id", "nom_recherche"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uai: Mapped[str] = mapped_column(String(8), unique=True)
    nom: Mapped[str] = mapped_column(String(160))
    nom_recherche: Mapped[str] = mapped_column(SearchKey(240))
    recherche: Mapped[str] = mapped_column(SearchKey(400), default="")
    type: Mapped[str] = mapped_column(String(60), default="")
    code_nature: Mapped[str | None] = mapped_column(String(4))
    secteur: Mapped[str] = mapped_column(String(6), default="public")
    etat: Mapped[str] = mapped_column(String(6), default="ouvert")
    virtuel: Mapped[bool] = mapped_column(default=False)
    siren: Mapped[str | None] = mapped_column(String(14))

    adresse: Mapped[str | None] = mapped_column(String(255))
    code_postal: Mapped[str | None] = mapped_column(String(10))
    commune: Mapped[str | None] = mapped_column(String(80))
    telephone: Mapped[str | None] = mapped_column(String(20))
    email: Mapped[str | None] = mapped_column(String(255))
    site_web: Mapped[str | None] = mapped_column(String(255))
    xiti: Mapped[str | None] = mapped_column(String(20))
    chef: Mapped[str | None] = mapped_column(String(160))
    nombre_eleves: Mapped[int | None]

    academie_id: Mapped[int | None] = mapped_column(ForeignKey("academie.id"))
    collectivite_id: Mapped[int | None] = mapped_column(ForeignKey("collectivite.id"), index=True)
    mere_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)

    source: Mapped[str] = mapped_column(String(12), default="manuel")
    ouvert_le: Mapped[date | None]
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now, onupdate=now)

    academie: Mapped[Academie | None] = relationship(back_populates="etablissements")
    collectivite: Mapped[Collectivite | None] = relationship(back_populates="etablissements")
    mere: Mapped[Etablissement | None] = relationship(remote_side="Etablissement.id")

    def __str__(self) -> str:
        return f"{self.nom} ({self.uai})"


class VerrouEtablissement(Base):
    """A field of a school edited by hand: feeds leave it alone until the lock is lifted."""

    __tablename__ = "verrou_etablissement"
    __table_args__ = (UniqueConstraint("etablissement_id", "champ"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    etablissement_id: Mapped[int] = mapped_column(ForeignKey("etablissement.id", ondelete="CASCADE"))
    champ: Mapped[str] = mapped_column(String(40))
    le: Mapped[datetime] = mapped_column(Instant, default=now)
    par: Mapped[str] = mapped_column(String(160), default="")
