"""Models of services: what a school makes of them, kept under a name, applied to many, undone (S3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.mixins import PerimetreEtablissement
from app.tables.suivi import Tache
from app.tables.territoires import Academie, Etablissement


class ModeleServices(Base):
    """States, rights, components and settings of services under one name, for schools to be like.

    ``portee``: who sees it: everybody (``plateforme``), whoever is over a school of its ``academie``, or
    its author alone (``compte``). ``version`` counts the changes of its name and lines alike.
    """

    __tablename__ = "modele_services"
    __table_args__ = (
        CheckConstraint("portee IN ('plateforme', 'academie', 'compte')", name="portee"),
        CheckConstraint("(portee = 'academie') = (academie_id IS NOT NULL)", name="academie"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    nom: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    portee: Mapped[str] = mapped_column(String(10), default="compte")
    academie_id: Mapped[int | None] = mapped_column(ForeignKey("academie.id"), index=True)
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    auteur: Mapped[str] = mapped_column(String(160), default="")
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now)
    modifie_par: Mapped[str] = mapped_column(String(160), default="")
    version: Mapped[int] = mapped_column(default=1)

    academie: Mapped[Academie | None] = relationship()
    lignes: Mapped[list[LigneModele]] = relationship(
        back_populates="modele", cascade="all, delete-orphan", passive_deletes=True
    )

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.nom


class LigneModele(Base):
    """One thing a model sets: ``cle`` names it by the codes of the catalogue, ``valeur`` is what it becomes.

    ``etat:chat``, ``droit:forum.lecteur:eleve``, ``composant:notes_absences.interne``,
    ``reglage:bcdi:adresse``, ``reglage:notes_absences.pronote_2010:adresse``. Never a secret.
    """

    __tablename__ = "ligne_modele"
    __table_args__ = (UniqueConstraint("modele_id", "cle"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    modele_id: Mapped[int] = mapped_column(ForeignKey("modele_services.id", ondelete="CASCADE"))
    cle: Mapped[str] = mapped_column(String(180))
    valeur: Mapped[Any] = mapped_column(JSON)

    modele: Mapped[ModeleServices] = relationship(back_populates="lignes")


class ApplicationModele(Base):
    """A model put on many schools in one act: worked out, confirmed, done school by school, reported.

    Until it is confirmed there is but what it would do. ``defait_id`` is the application this one undoes:
    one is undone once. ``conformes`` schools had nothing to change. ``effets`` tells, line by line, in how
    many schools it changes and how many people gain or lose by it. It holds what it does: the model may
    change or go meanwhile.
    """

    __tablename__ = "application_modele"

    id: Mapped[int] = mapped_column(primary_key=True)
    modele_id: Mapped[int | None] = mapped_column(
        ForeignKey("modele_services.id", ondelete="SET NULL"), index=True
    )
    modele: Mapped[str] = mapped_column(String(80))
    selection: Mapped[str] = mapped_column(String(240), default="")
    academie_id: Mapped[int | None] = mapped_column(ForeignKey("academie.id"), index=True)
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    acteur: Mapped[str] = mapped_column(String(160), default="")
    nombre: Mapped[int] = mapped_column(default=0)
    conformes: Mapped[int] = mapped_column(default=0)
    effets: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now, index=True)
    confirme_le: Mapped[datetime | None] = mapped_column(Instant)
    fini_le: Mapped[datetime | None] = mapped_column(Instant)
    tache_id: Mapped[int | None] = mapped_column(ForeignKey("tache.id", ondelete="SET NULL"), unique=True)
    defait_id: Mapped[int | None] = mapped_column(
        ForeignKey("application_modele.id", ondelete="SET NULL"), unique=True
    )

    tache: Mapped[Tache | None] = relationship()

    def __str__(self) -> str:
        return f"Retour sur « {self.modele} »" if self.defait_id else f"Application de « {self.modele} »"


class EtablissementApplication(PerimetreEtablissement, Base):
    """One school of such an act: waiting, done (some of its changes maybe refused), or left out.

    ``changements``: a list of ``cle``, ``avant`` and ``apres`` (null where the catalogue says), ``etait``
    and ``sera`` as people read them, ``refus`` with the reason when it is not done.
    """

    __tablename__ = "etablissement_application"
    __table_args__ = (
        CheckConstraint("etat IN ('attente', 'fait', 'refus')", name="etat"),
        UniqueConstraint("application_id", "etablissement_id"),
        Index("ix_etablissement_application_etat", "application_id", "etat", "etablissement_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application_modele.id", ondelete="CASCADE"))
    etat: Mapped[str] = mapped_column(String(7), default="attente")
    changements: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    nombre: Mapped[int] = mapped_column(default=0)
    refuses: Mapped[int] = mapped_column(default=0)
    gagnent: Mapped[int] = mapped_column(default=0)
    perdent: Mapped[int] = mapped_column(default=0)
    raison: Mapped[str | None] = mapped_column(String(255))
    le: Mapped[datetime | None] = mapped_column(Instant)

    etablissement: Mapped[Etablissement] = relationship()
