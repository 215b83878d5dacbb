"""Accounts: who may log in, with which roles over which perimeter, and from which sessions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SQLColumnExpression,
    String,
    UniqueConstraint,
    case,
    event,
    select,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.mixins import PerimetreEtablissement
from app.tables.personnes import Personne
from app.tables.territoires import Academie, Collectivite, Etablissement

if TYPE_CHECKING:
    from app.tables.console import Preference

SANS_ADRESSE = "@sans-adresse.invalid"
"""Ends the e-mail of an account that has none of its own: Flask-AppBuilder wants one, unique."""


class Compte(User):
    """The account a person logs in with. Exists only once activated or created by hand.

    Suspended accounts are told why (A4); deleted ones get the answer of an unknown login. The
    suspension of somebody is theirs, on ``Personne``: an account without a person, and no other,
    keeps its own in the columns ``…_seul`` (docs/decisions/008-la-suspension-est-a-la-personne.md).
    So is their e-mail address: pupils may have none and parents share one (``adresse``).
    """

    __tablename__ = "ab_user"
    __table_args__ = (
        CheckConstraint("personne_id IS NULL OR suspendu_seul_le IS NULL", name="suspension_seule"),
        {"extend_existing": True},
    )

    personne_id: Mapped[int | None] = mapped_column(
        ForeignKey("personne.id", ondelete="SET NULL"), unique=True
    )
    suspendu_seul_le: Mapped[datetime | None] = mapped_column(Instant)
    motif_suspension_seul: Mapped[str | None] = mapped_column(String(255))
    supprime_le: Mapped[datetime | None] = mapped_column(Instant)

    personne: Mapped[Personne | None] = relationship(cascade="save-update")
    attributions: Mapped[list[Attribution]] = relationship(back_populates="compte")
    preferences: Mapped[list[Preference]] = relationship(viewonly=True)
    """Choices of look, to read with the session; ``operations.console.prefer`` writes them."""

    @hybrid_property
    def suspendu_le(self) -> datetime | None:
        """When the account was closed for a while, read where that is kept."""
        return self.personne.suspendu_le if self.personne is not None else self.suspendu_seul_le

    @suspendu_le.inplace.expression
    @classmethod
    def _suspendu_le(cls) -> SQLColumnExpression[datetime | None]:
        person = Personne.metadata.tables[Personne.__tablename__].alias("suspension")
        of_person = select(person.c.suspendu_le).where(person.c.id == cls.personne_id).scalar_subquery()
        return case((cls.personne_id.is_(None), cls.suspendu_seul_le), else_=of_person)

    @property
    def motif_suspension(self) -> str | None:
        """Why, in words its holder reads when logging in."""
        return self.personne.motif_suspension if self.personne is not None else self.motif_suspension_seul

    @property
    def adresse(self) -> str:
        """Where the holder reads their mail: what their sheet says, or the account's own address."""
        own = self.email or ""
        own = "" if own.endswith(SANS_ADRESSE) else own
        return (self.personne.email if self.personne is not None else None) or own

    def __str__(self) -> str:
        return f"{self.last_name} {self.first_name}"


@event.listens_for(Compte, "before_insert")
def _dated_in_utc(_mapper: object, _connection: object, account: Compte) -> None:
    """Date an account in UTC, as every instant here; Flask-AppBuilder would write the server's own hour."""
    moment = now().replace(tzinfo=None)
    account.created_on = account.created_on or moment
    account.changed_on = moment


class Attribution(Base):
    """A role held by an account over one académie, collectivité, school, or the whole platform.

    The perimeter column must fit the role; ``app.security.roles`` says which.
    """

    __tablename__ = "attribution"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN academie_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN collectivite_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN etablissement_id IS NULL THEN 0 ELSE 1 END) <= 1",
            name="un_perimetre",
        ),
        UniqueConstraint("compte_id", "role", "academie_id", "collectivite_id", "etablissement_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(30))
    academie_id: Mapped[int | None] = mapped_column(ForeignKey("academie.id"))
    collectivite_id: Mapped[int | None] = mapped_column(ForeignKey("collectivite.id"))
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    depuis: Mapped[datetime] = mapped_column(Instant, default=now)
    jusqua: Mapped[datetime | None] = mapped_column(Instant)
    accordee_par: Mapped[str] = mapped_column(String(160), default="")

    compte: Mapped[Compte] = relationship(back_populates="attributions")
    academie: Mapped[Academie | None] = relationship()
    collectivite: Mapped[Collectivite | None] = relationship()
    etablissement: Mapped[Etablissement | None] = relationship()


class Nomination(PerimetreEtablissement, Base):
    """A role promised over a school to somebody who has not activated their account yet.

    It becomes an attribution when they do, if they still have a place in the school.
    """

    __tablename__ = "nomination"
    __table_args__ = (UniqueConstraint("personne_id", "role", "etablissement_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(30))
    jusqua: Mapped[datetime | None] = mapped_column(Instant)
    accordee_par: Mapped[str] = mapped_column(String(160), default="")
    accordee_le: Mapped[datetime] = mapped_column(Instant, default=now)

    personne: Mapped[Personne] = relationship()
    etablissement: Mapped[Etablissement] = relationship()


class SessionCompte(Base):
    """A login that is still open, or how it ended. The cookie holds a token, here is its digest.

    ``etape`` is what is left to do before the session opens anything: ``code`` (the second factor),
    ``installation`` (of one the role asks for), or nothing. ``scolarite_le`` is when the second password
    opened school-life services in it (U11).
    """

    __tablename__ = "session_compte"
    __table_args__ = (
        CheckConstraint("etape IN ('code', 'installation')", name="etape"),
        Index(
            "ix_session_compte_ouverte",
            "compte_id",
            sqlite_where=text("fin IS NULL"),
            postgresql_where=text("fin IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    jeton: Mapped[str] = mapped_column(String(64), unique=True)
    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    debut: Mapped[datetime] = mapped_column(Instant, default=now)
    vue_le: Mapped[datetime] = mapped_column(Instant, default=now)
    fin: Mapped[datetime | None] = mapped_column(Instant)
    motif_fin: Mapped[str | None] = mapped_column(String(20))
    adresse: Mapped[str] = mapped_column(String(45), default="")
    navigateur: Mapped[str] = mapped_column(String(200), default="")
    etape: Mapped[str | None] = mapped_column(String(12))
    scolarite_le: Mapped[datetime | None] = mapped_column(Instant)

    compte: Mapped[Compte] = relationship()


class SecondFacteur(Base):
    """What proves an account beside its password: the sealed secret of an application of its holder's.

    Asked for once it is confirmed. ``compteur`` is the period of the last code accepted: a code serves
    once (ATTACKS L8).
    """

    __tablename__ = "second_facteur"

    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(255))
    compteur: Mapped[int] = mapped_column(default=0)
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    confirme_le: Mapped[datetime | None] = mapped_column(Instant)


class CodeSecours(Base):
    """A recovery code of an account, for the day the telephone is lost: its keyed digest, used once."""

    __tablename__ = "code_secours"
    __table_args__ = (UniqueConstraint("compte_id", "empreinte"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    empreinte: Mapped[str] = mapped_column(String(64))
    servi_le: Mapped[datetime | None] = mapped_column(Instant)


class MotDePasseScolarite(Base):
    """The second password of an account, digits only, asked before school-life services (U11).

    ``essais`` counts the wrong tries in a row: at the third those services are locked until it is renewed.
    """

    __tablename__ = "mot_de_passe_scolarite"

    compte_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    empreinte: Mapped[str] = mapped_column(String(256))
    essais: Mapped[int] = mapped_column(default=0)
    verrouille_le: Mapped[datetime | None] = mapped_column(Instant)
    change_le: Mapped[datetime] = mapped_column(Instant, default=now)


class LienMotDePasse(Base):
    """A link sent by e-mail to choose a password once, before it expires; here is its digest only.

    It belongs to a person, or to an account nobody of the directory holds. ``usage`` is ``ent`` (the
    password of the account, created if need be) or ``scolarite`` (the second password, U11).
    """

    __tablename__ = "lien_mot_de_passe"
    __table_args__ = (
        CheckConstraint("usage IN ('ent', 'scolarite')", name="usage"),
        CheckConstraint(
            "(personne_id IS NULL AND compte_id IS NOT NULL)"
            " OR (personne_id IS NOT NULL AND compte_id IS NULL)",
            name="un_titulaire",
        ),
        Index("ix_lien_mot_de_passe_personne", "personne_id", "cree_le"),
        Index("ix_lien_mot_de_passe_compte", "compte_id", "cree_le"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    empreinte: Mapped[str] = mapped_column(String(64), unique=True)
    usage: Mapped[str] = mapped_column(String(9), default="ent")
    personne_id: Mapped[int | None] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    expire_le: Mapped[datetime] = mapped_column(Instant, index=True)
    servi_le: Mapped[datetime | None] = mapped_column(Instant)

    personne: Mapped[Personne | None] = relationship()
    compte: Mapped[Compte | None] = relationship()


class AdresseAConfirmer(Base):
    """A new e-mail address somebody typed for themselves: theirs once they open the link sent to it.

    Asked of accounts whose password is not kept here: nothing else proves who sits at the page.
    """

    __tablename__ = "adresse_a_confirmer"
    __table_args__ = (Index("ix_adresse_a_confirmer_personne", "personne_id", "cree_le"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    empreinte: Mapped[str] = mapped_column(String(64), unique=True)
    adresse: Mapped[str] = mapped_column(String(255))
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    expire_le: Mapped[datetime] = mapped_column(Instant, index=True)

    personne: Mapped[Personne] = relationship()


class DemandeLien(Base):
    """A forgotten password, as typed on the sign-in page: the worker looks for whom, then forgets it.

    Known or not, the page does the same work and answers at once (ATTACKS L3).
    """

    __tablename__ = "demande_lien"

    id: Mapped[int] = mapped_column(primary_key=True)
    saisie: Mapped[str] = mapped_column(String(320))
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)


class EssaiConnexion(Base):
    """Failed logins counted under one key (login, device or address) and when the next may come."""

    __tablename__ = "essai_connexion"

    cle: Mapped[str] = mapped_column(String(100), primary_key=True)
    echecs: Mapped[int] = mapped_column(default=0)
    prochain_le: Mapped[datetime] = mapped_column(Instant, default=now)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now)


class AssertionRecue(Base):
    """An assertion of the académie's identity provider that already opened a session: it serves once."""

    __tablename__ = "assertion_recue"

    cle: Mapped[str] = mapped_column(String(64), primary_key=True)
    expire_le: Mapped[datetime] = mapped_column(Instant, index=True)
