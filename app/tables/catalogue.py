"""The catalogue of services: what the platform offers, which rights each has, what it is set by.

A new service, a new software or a new digital resource is rows here, never code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.territoires import Collectivite

_PROFIL_CHECK = "profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')"
_OPEN = text("fin IS NULL")


class Service(Base):
    """A service of the platform, as schools see it: on or off, with rights by profile and settings.

    ``nature``: ``initial`` services are on in every school, ``optionnel`` ones are switched by each.
    ``forme`` is what its page shows: a ``roles`` grid, the ``annuaire`` matrix, ``acces`` by profile, or
    but its ``etat``. ``reglages`` is the schema of its settings: a list of fields, each with ``code``,
    ``libelle``, ``type``, ``obligatoire``, ``aide``, ``choix``; ``export`` names the list of identifiers it
    asks for, empty for none. ``reprise_contenus``: somebody may be
    designated to own contents whose owner is gone (U9). ``saisi``: edited by hand, the catalogue's file
    leaves it alone. From ``retire_le`` on, no school has it.
    """

    __tablename__ = "service"
    __table_args__ = (
        CheckConstraint(
            "categorie IN ('communication', 'pedagogie', 'vie_scolaire', 'ressources')", name="categorie"
        ),
        CheckConstraint("nature IN ('initial', 'optionnel')", name="nature"),
        CheckConstraint("forme IN ('roles', 'annuaire', 'acces', 'etat')", name="forme"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    nom: Mapped[str] = mapped_column(String(80))
    categorie: Mapped[str] = mapped_column(String(14))
    nature: Mapped[str] = mapped_column(String(9), default="optionnel")
    forme: Mapped[str] = mapped_column(String(8), default="roles")
    description: Mapped[str] = mapped_column(Text, default="")
    ordre: Mapped[int] = mapped_column(default=100)
    reglages: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    export: Mapped[str] = mapped_column(String(20), default="")
    reprise_contenus: Mapped[bool] = mapped_column(default=False)
    peuple_par_groupes: Mapped[bool] = mapped_column(default=False)
    saisi: Mapped[bool] = mapped_column(default=False)
    retire_le: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    roles: Mapped[list[RoleService]] = relationship(back_populates="service")
    composants: Mapped[list[ComposantService]] = relationship(back_populates="service")
    disponibilites: Mapped[list[ServiceCollectivite]] = relationship(back_populates="service")

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.nom


class ServiceCollectivite(Base):
    """A service offered to the schools of a collectivité, or to every school when none is named.

    Rows are closed, never deleted: what was offered at a date can be told.
    """

    __tablename__ = "service_collectivite"
    __table_args__ = (
        Index(
            "uq_service_collectivite_ouverte",
            "service_id",
            "collectivite_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "uq_service_collectivite_partout",
            "service_id",
            unique=True,
            sqlite_where=text("fin IS NULL AND collectivite_id IS NULL"),
            postgresql_where=text("fin IS NULL AND collectivite_id IS NULL"),
        ),
        Index("ix_service_collectivite_collectivite_id", "collectivite_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    collectivite_id: Mapped[int | None] = mapped_column(ForeignKey("collectivite.id"))
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship(back_populates="disponibilites")
    collectivite: Mapped[Collectivite | None] = relationship()

    def __str__(self) -> str:
        return f"{self.service}, {self.collectivite or 'toutes les collectivités'}"


class RoleService(Base):
    """What a profile may be in a service: ``gestionnaire``, ``lecteur``, ``validateur``, ``acces``.

    The directory has one for each profile it shows: its code is ``consulte_`` and that profile's.
    """

    __tablename__ = "role_service"
    __table_args__ = (UniqueConstraint("service_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    nom: Mapped[str] = mapped_column(String(80))
    ordre: Mapped[int] = mapped_column(default=100)
    saisi: Mapped[bool] = mapped_column(default=False)
    retire_le: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship(back_populates="roles", lazy="joined")
    cellules: Mapped[list[CelluleService]] = relationship(back_populates="role")

    def __str__(self) -> str:
        return f"{self.service}, {self.nom.lower()}"


class CelluleService(Base):
    """Whether a profile has a role when the school said nothing, and whether the school may say.

    A ``fixe`` cell is greyed, with its ``raison``. A changed cell leaves a closed copy of what it said.
    """

    __tablename__ = "cellule_service"
    __table_args__ = (
        CheckConstraint(_PROFIL_CHECK, name="profil"),
        Index(
            "uq_cellule_service_ouverte",
            "role_id",
            "profil",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role_service.id", ondelete="CASCADE"))
    profil: Mapped[str] = mapped_column(String(11))
    defaut: Mapped[bool] = mapped_column(default=False)
    fixe: Mapped[bool] = mapped_column(default=False)
    raison: Mapped[str] = mapped_column(String(160), default="")
    saisi: Mapped[bool] = mapped_column(default=False)
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)

    role: Mapped[RoleService] = relationship(back_populates="cellules", lazy="joined")

    def __str__(self) -> str:
        return f"{self.role}, {self.profil}"


class ComposantService(Base):
    """A part of a service that schools switch on one by one: a school-life software, a digital resource.

    ``place`` is where a software is hosted: at most one ``interne`` and one ``externe`` are on in a
    school; empty for resources. ``reglages`` is the schema of its own settings, as that of a service;
    ``export`` names the list of identifiers it asks for, empty for none. One that is ``sur_abonnement``
    is only for schools with an ``Abonnement``.
    """

    __tablename__ = "composant_service"
    __table_args__ = (
        UniqueConstraint("service_id", "code"),
        CheckConstraint("place IN ('interne', 'externe')", name="place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    nom: Mapped[str] = mapped_column(String(80))
    place: Mapped[str | None] = mapped_column(String(7))
    description: Mapped[str] = mapped_column(Text, default="")
    ordre: Mapped[int] = mapped_column(default=100)
    reglages: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    export: Mapped[str] = mapped_column(String(20), default="")
    sur_abonnement: Mapped[bool] = mapped_column(default=False)
    saisi: Mapped[bool] = mapped_column(default=False)
    retire_le: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship(back_populates="composants")

    def __str__(self) -> str:
        return self.nom
