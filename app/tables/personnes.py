"""People, their identifiers, attachments to schools and guardianships."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SQLColumnExpression,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, SearchKey, now
from app.tables.mixins import PerimetreEtablissement, PerimetrePersonne

if TYPE_CHECKING:
    from app.tables.scolarite import Division, Mef
    from app.tables.territoires import Etablissement

PROFILS = ("eleve", "enseignant", "personnel", "responsable", "invite")
_PROFIL_CHECK = "profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')"


class Personne(Base):
    """One human being known to the platform, whatever the number of schools and profiles.

    ``login`` is reserved when the person is created (I5); the account itself exists only once
    the person activates. ``code_generation`` numbers the activation code, which is derived
    with a key kept outside the database and never stored (ATTACKS K4).
    ``supprime_le`` is the instant the last feed that knew the person stopped naming them (U8);
    ``anonymise_le`` the one their fields were emptied, after which the row only counts.
    ``suspendu_le`` closes the account there is, and the one there may be: nobody activates it meanwhile;
    ``suspension_de`` is ``academie`` when only the académie may give it back.
    Ids are never given twice: codes are derived from them, and a merge is undone by them.
    """

    __tablename__ = "personne"
    __table_args__ = (
        CheckConstraint("login = lower(login)", name="login_minuscule"),
        # unique as the id is: what lets attachments refer to both, and so keep a true copy of the key
        Index("ix_personne_nom_recherche", "nom_recherche", "id", unique=True),
        Index("ix_personne_naissance_nom", "date_naissance", "nom_recherche"),
        Index("ix_personne_cree_le", "cree_le"),
        Index(
            "ix_personne_supprime_le",
            "supprime_le",
            sqlite_where=text("supprime_le IS NOT NULL"),
            postgresql_where=text("supprime_le IS NOT NULL"),
        ),
        Index(
            "ix_personne_suspendu_le",
            "suspendu_le",
            sqlite_where=text("suspendu_le IS NOT NULL"),
            postgresql_where=text("suspendu_le IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    nom: Mapped[str] = mapped_column(String(100))
    nom_usage: Mapped[str | None] = mapped_column(String(100))
    prenom: Mapped[str] = mapped_column(String(100))
    autres_prenoms: Mapped[str | None] = mapped_column(String(200))
    civilite: Mapped[str | None] = mapped_column(String(4))
    sexe: Mapped[str | None] = mapped_column(String(1))
    date_naissance: Mapped[date | None]
    nom_recherche: Mapped[str] = mapped_column(SearchKey(220))

    login: Mapped[str | None] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(255), index=True)
    telephone_domicile: Mapped[str | None] = mapped_column(String(20))
    telephone_portable: Mapped[str | None] = mapped_column(String(20))
    telephone_travail: Mapped[str | None] = mapped_column(String(20))
    poste_interne: Mapped[str | None] = mapped_column(String(10))
    adresse: Mapped[str | None] = mapped_column(String(255))
    code_postal: Mapped[str | None] = mapped_column(String(10))
    commune: Mapped[str | None] = mapped_column(String(80))
    pays: Mapped[str | None] = mapped_column(String(60))

    source: Mapped[str] = mapped_column(String(12), default="manuel")
    code_generation: Mapped[int] = mapped_column(default=1)
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now, onupdate=now)
    supprime_le: Mapped[datetime | None] = mapped_column(Instant)
    suspendu_le: Mapped[datetime | None] = mapped_column(Instant)
    motif_suspension: Mapped[str | None] = mapped_column(String(255))
    suspension_de: Mapped[str | None] = mapped_column(String(8))
    anonymise_le: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    identifiants: Mapped[list[Identifiant]] = relationship(back_populates="personne")
    rattachements: Mapped[list[Rattachement]] = relationship(
        back_populates="personne", primaryjoin="Rattachement.personne_id == Personne.id"
    )
    verrous: Mapped[list[VerrouPersonne]] = relationship(back_populates="personne")

    __mapper_args__ = {"version_id_col": version}

    @hybrid_property
    def nom_courant(self) -> str:
        """The name people are listed under; in a query, its key, so that lists follow the eye."""
        return self.nom_usage or self.nom

    @nom_courant.inplace.expression
    @classmethod
    def _nom_courant_key(cls) -> SQLColumnExpression[str]:
        return cls.nom_recherche

    def __str__(self) -> str:
        return f"{self.nom_courant.upper()} {self.prenom}"


class VarianteNom(PerimetrePersonne, Base):
    """Another key a person is found under: «tour …» and «delatour …» for «de La Tour», each part of a
    double name, the birth name behind a name of use. Most people have none.
    """

    __tablename__ = "variante_nom"
    __table_args__ = (Index("ix_variante_nom_cle", "cle", "personne_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cle: Mapped[str] = mapped_column(SearchKey(220))


class VerrouPersonne(PerimetrePersonne, Base):
    """A field of a person edited by hand: feeds leave it alone until the lock is lifted."""

    __tablename__ = "verrou_personne"
    __table_args__ = (UniqueConstraint("personne_id", "champ"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    champ: Mapped[str] = mapped_column(String(40))
    le: Mapped[datetime] = mapped_column(Instant, default=now)
    par: Mapped[str] = mapped_column(String(160), default="")

    personne: Mapped[Personne] = relationship(back_populates="verrous")


class Identifiant(PerimetrePersonne, Base):
    """A name some outside system gives a person, unique within that system's scope.

    ``portee`` is the scope: an académie code, a UAI, or empty for national identifiers (INE).
    """

    __tablename__ = "identifiant"
    __table_args__ = (
        UniqueConstraint("type", "portee", "valeur"),
        Index("ix_identifiant_valeur", "valeur"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(16))
    portee: Mapped[str] = mapped_column(String(16), default="")
    valeur: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(12))

    personne: Mapped[Personne] = relationship(back_populates="identifiants")


def _key_of_person(context: Any) -> str | None:
    """Copy the key of the person a new attachment names, whoever writes it."""
    person = context.get_current_parameters()["personne_id"]
    key: str | None = context.connection.scalar(select(Personne.nom_recherche).where(Personne.id == person))
    return key


class Rattachement(PerimetreEtablissement, PerimetrePersonne, Base):
    """A person's place in one school under one profile, from a date until it ends.

    Pupils carry their MEF and division here: a pupil in two schools has two attachments.
    ``motif_fin`` is ``depart`` (the feed stopped naming them), ``annulation``, ``manuel``, or ``echeance``
    when ``dernier_jour``, the day until which a guest is expected, has passed.

    ``cle`` is the person's ``nom_recherche``: the index of a list holds it, so that a page of a
    school is read in order, and its people searched, without opening everybody. The foreign key
    keeps it true: a wrong one is refused, a renamed person's follows.
    """

    __tablename__ = "rattachement"
    __table_args__ = (
        CheckConstraint(_PROFIL_CHECK, name="profil"),
        ForeignKeyConstraint(
            ["personne_id", "cle"],
            ["personne.id", "personne.nom_recherche"],
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        UniqueConstraint("personne_id", "etablissement_id", "profil"),
        Index("ix_rattachement_liste", "etablissement_id", "profil", "fin", "cle", "personne_id"),
        Index(
            "ix_rattachement_dernier_jour",
            "dernier_jour",
            sqlite_where=text("dernier_jour IS NOT NULL AND fin IS NULL"),
            postgresql_where=text("dernier_jour IS NOT NULL AND fin IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # the indexes above answer for both alone
    etablissement_id: Mapped[int] = mapped_column(ForeignKey("etablissement.id", ondelete="RESTRICT"))
    personne_id: Mapped[int] = mapped_column()
    cle: Mapped[str] = mapped_column(SearchKey(220), default=_key_of_person)
    profil: Mapped[str] = mapped_column(String(11))
    source: Mapped[str] = mapped_column(String(12), default="manuel")
    debut: Mapped[date | None]
    dernier_jour: Mapped[date | None]
    fin: Mapped[datetime | None] = mapped_column(Instant)
    motif_fin: Mapped[str | None] = mapped_column(String(12))
    mef_id: Mapped[int | None] = mapped_column(ForeignKey("mef.id"))
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    regime: Mapped[str | None] = mapped_column(String(60))

    personne: Mapped[Personne] = relationship(
        back_populates="rattachements", primaryjoin="Rattachement.personne_id == Personne.id"
    )
    etablissement: Mapped[Etablissement] = relationship()
    division: Mapped[Division | None] = relationship()
    mef: Mapped[Mef | None] = relationship()


class Responsabilite(Base):
    """What an adult is to a pupil: parenthood code and level (1 legal, 2 in charge, 3 contact).

    The same pair stands once; separated parents are two rows of the same pupil (ATTACKS D4:
    visible to neither parent through the other).
    """

    __tablename__ = "responsabilite"
    __table_args__ = (
        UniqueConstraint("eleve_id", "responsable_id"),
        CheckConstraint("niveau IN (1, 2, 3)", name="niveau"),
        CheckConstraint("eleve_id <> responsable_id", name="distincts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    eleve_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    responsable_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"), index=True)
    code_parente: Mapped[str] = mapped_column(String(2), default="90")
    niveau: Mapped[int] = mapped_column(default=1)
    financier: Mapped[bool] = mapped_column(default=False)
    contact: Mapped[bool] = mapped_column(default=False)
    paiement: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(12), default="manuel")

    eleve: Mapped[Personne] = relationship(foreign_keys=[eleve_id])
    responsable: Mapped[Personne] = relationship(foreign_keys=[responsable_id])


class RacineLogin(Base):
    """How many logins were already given on one ``prenom.nom`` root, so homonyms get a number."""

    __tablename__ = "racine_login"
    __table_args__ = {"sqlite_with_rowid": False}

    racine: Mapped[str] = mapped_column(String(64), primary_key=True)
    dernier: Mapped[int] = mapped_column(default=1)
