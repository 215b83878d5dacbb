"""What a school lends: resources, who asked for them and when, what each request holds meanwhile (R6)."""

from __future__ import annotations

from datetime import datetime

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
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.comptes import Compte
from app.tables.mixins import PerimetreEtablissement, PerimetrePersonne
from app.tables.personnes import Personne


class Ressource(PerimetreEtablissement, Base):
    """Something a school lends: a room, a car, a projector, or several alike (``quantite``).

    ``ouvertures`` is when it may be had: [weekday (Monday is 0), "08:00", "12:30"], in Paris time.
    ``duree_max`` and ``preavis`` are minutes, 0 for none. A resource withdrawn keeps its bookings.
    """

    __tablename__ = "ressource"
    __table_args__ = (
        CheckConstraint("quantite BETWEEN 1 AND 500", name="quantite"),
        CheckConstraint("duree_max >= 0 AND preavis >= 0", name="delais"),
        UniqueConstraint("etablissement_id", "nom"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    nom: Mapped[str] = mapped_column(String(120))
    categorie: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(Text, default="")
    regles: Mapped[str] = mapped_column(Text, default="")
    lieu: Mapped[str] = mapped_column(String(120), default="")
    quantite: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)
    a_valider: Mapped[bool] = mapped_column(default=True)
    duree_max: Mapped[int] = mapped_column(default=0)
    preavis: Mapped[int] = mapped_column(default=0)
    ouvertures: Mapped[list[list[int | str]]] = mapped_column(JSON, default=list)
    photo_empreinte: Mapped[str | None] = mapped_column(String(64))
    photo: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.nom


class Reservation(PerimetreEtablissement, Base):
    """Somebody wants a resource from an instant to another; the end belongs to whoever comes next.

    ``cle`` names the form it was sent from, so that the same form twice is one booking. ``serie`` names
    the bookings asked together, one a week. ``decideur_id`` is who accepted, refused or withdrew it.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("etat IN ('demandee', 'validee', 'refusee', 'annulee')", name="etat"),
        CheckConstraint("debut < fin", name="ordre"),
        CheckConstraint("nombre >= 1", name="nombre"),
        UniqueConstraint("personne_id", "cle"),
        Index("ix_reservation_ressource_id_debut", "ressource_id", "debut"),
        Index("ix_reservation_etablissement_id_etat_debut", "etablissement_id", "etat", "debut"),
        Index("ix_reservation_serie", "serie"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ressource_id: Mapped[int] = mapped_column(ForeignKey("ressource.id", ondelete="RESTRICT"))
    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"), index=True)
    nombre: Mapped[int] = mapped_column(default=1)
    debut: Mapped[datetime] = mapped_column(Instant)
    fin: Mapped[datetime] = mapped_column(Instant)
    etat: Mapped[str] = mapped_column(String(8), default="demandee")
    motif: Mapped[str] = mapped_column(String(200), default="")
    serie: Mapped[str | None] = mapped_column(String(32))
    cle: Mapped[str] = mapped_column(String(48))
    demandee_le: Mapped[datetime] = mapped_column(Instant, default=now)
    decidee_le: Mapped[datetime | None] = mapped_column(Instant)
    decideur_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    reponse: Mapped[str] = mapped_column(String(400), default="")
    version: Mapped[int] = mapped_column(default=1)

    ressource: Mapped[Ressource] = relationship()
    personne: Mapped[Personne] = relationship()
    decideur: Mapped[Compte | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return f"Réservation n° {self.id}"


class Occupation(Base):
    """One unit of a resource held by a booking that stands; gone as soon as it is refused or withdrawn.

    The base itself refuses two bookings of one unit at one time (``ex_occupation_libre``): an exclusion
    constraint on PostgreSQL, triggers on SQLite, both in the migration.
    """

    __tablename__ = "occupation"
    __table_args__ = (
        UniqueConstraint("reservation_id", "exemplaire"),
        CheckConstraint("debut < fin", name="ordre"),
        Index("ix_occupation_ressource_id_debut", "ressource_id", "exemplaire", "debut"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id", ondelete="CASCADE"))
    ressource_id: Mapped[int] = mapped_column(ForeignKey("ressource.id", ondelete="RESTRICT"))
    exemplaire: Mapped[int]
    debut: Mapped[datetime] = mapped_column(Instant)
    fin: Mapped[datetime] = mapped_column(Instant)


class AdresseCalendrier(PerimetrePersonne, Base):
    """A secret address a calendar program reads: one's own bookings, or those of a resource.

    Only the digest of its 128 random bits is kept; a new one ends the one before.
    """

    __tablename__ = "adresse_calendrier"
    __table_args__ = (
        Index("ix_adresse_calendrier_ressource_id", "ressource_id"),
        UniqueConstraint("empreinte"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ressource_id: Mapped[int | None] = mapped_column(ForeignKey("ressource.id", ondelete="CASCADE"))
    empreinte: Mapped[str] = mapped_column(String(64))
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)

    ressource: Mapped[Ressource | None] = relationship()

    def __str__(self) -> str:
        return "Adresse de calendrier"
