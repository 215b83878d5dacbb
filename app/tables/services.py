"""What each school makes of the services: on or off, who has which role, settings, managers.

Rows with ``debut`` and ``fin`` are closed, never changed: what held at a date is what was open then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.catalogue import ComposantService, RoleService, Service
from app.tables.mixins import PerimetreEtablissement, PerimetrePersonne
from app.tables.personnes import Personne

_PROFIL_CHECK = "profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')"


def _one_open(name: str, *columns: str, where: str = "fin IS NULL") -> Index:
    """Return the index that lets at most one row hold at a time."""
    condition = text(where)
    return Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)


class EtatService(PerimetreEtablissement, Base):
    """A service on or off in a school, from a moment to another; without a row, its nature says."""

    __tablename__ = "etat_service"
    __table_args__ = (_one_open("uq_etat_service_ouvert", "etablissement_id", "service_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    actif: Mapped[bool]
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)
    par: Mapped[str] = mapped_column(String(160), default="")

    service: Mapped[Service] = relationship()


class DroitService(PerimetreEtablissement, Base):
    """A school gives a role to a profile, or takes it; without a row, the catalogue says."""

    __tablename__ = "droit_service"
    __table_args__ = (
        CheckConstraint(_PROFIL_CHECK, name="profil"),
        _one_open("uq_droit_service_ouvert", "etablissement_id", "role_id", "profil"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role_service.id"), index=True)
    profil: Mapped[str] = mapped_column(String(11))
    accorde: Mapped[bool]
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)
    par: Mapped[str] = mapped_column(String(160), default="")

    role: Mapped[RoleService] = relationship()


class ComposantEtablissement(PerimetreEtablissement, Base):
    """A software or a resource that is on in a school, from a moment to another.

    ``service_id`` and ``place`` are the component's: one of each place at most holds at a time.
    """

    __tablename__ = "composant_etablissement"
    __table_args__ = (
        _one_open("uq_composant_etablissement_ouvert", "etablissement_id", "composant_id"),
        _one_open(
            "uq_composant_etablissement_place",
            "etablissement_id",
            "service_id",
            "place",
            where="fin IS NULL AND place IS NOT NULL",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    composant_id: Mapped[int] = mapped_column(ForeignKey("composant_service.id"), index=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    place: Mapped[str | None] = mapped_column(String(7))
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)
    par: Mapped[str] = mapped_column(String(160), default="")

    composant: Mapped[ComposantService] = relationship()


class ReglageService(PerimetreEtablissement, Base):
    """How a school set a service, or one component of it, after the schema the catalogue gives.

    ``secrets`` are the fields of that type, sealed together with the key kept outside the database.
    """

    __tablename__ = "reglage_service"
    __table_args__ = (
        _one_open(
            "uq_reglage_service_service", "etablissement_id", "service_id", where="composant_id IS NULL"
        ),
        _one_open(
            "uq_reglage_service_composant",
            "etablissement_id",
            "composant_id",
            where="composant_id IS NOT NULL",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    composant_id: Mapped[int | None] = mapped_column(ForeignKey("composant_service.id"), index=True)
    valeurs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    secrets: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now, onupdate=now)
    par: Mapped[str] = mapped_column(String(160), default="")

    service: Mapped[Service] = relationship()
    composant: Mapped[ComposantService | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class GestionnaireService(PerimetreEtablissement, PerimetrePersonne, Base):
    """Who takes over the contents of a service whose owner is gone, in a school (U9)."""

    __tablename__ = "gestionnaire_service"
    __table_args__ = (
        CheckConstraint(_PROFIL_CHECK, name="profil"),
        _one_open("uq_gestionnaire_service_ouvert", "etablissement_id", "service_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    profil: Mapped[str] = mapped_column(String(11))
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)
    par: Mapped[str] = mapped_column(String(160), default="")

    service: Mapped[Service] = relationship()
    personne: Mapped[Personne] = relationship()
