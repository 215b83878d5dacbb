"""What a school shows: pictures, logos and news of its home page, its public page and blocks (P1–P4)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.comptes import Compte
from app.tables.mixins import PerimetreEtablissement

PAGES = ("accueil", "publique")
"""The two pages of a school that carry logos: the home of its users, the one everybody sees."""
MODELES = ("vitrine", "journal", "essentiel")
"""Layouts of the public page."""


class Image(PerimetreEtablissement, Base):
    """A picture of a school, re-encoded by us: bytes in the base, so that a backup holds them and any
    web machine serves them (docs/decisions). Named by the digest of its content; never changed.
    """

    __tablename__ = "image"
    __table_args__ = (
        UniqueConstraint("etablissement_id", "empreinte"),
        Index("ix_image_empreinte", "empreinte"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    empreinte: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(24))
    largeur: Mapped[int]
    hauteur: Mapped[int]
    taille: Mapped[int]
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    contenu: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)


class Logo(PerimetreEtablissement, Base):
    """A picture on the home page of a school or on its public page, with where it leads.

    ``supprime_le``: put aside, can be put back until the purge.
    """

    __tablename__ = "logo"
    __table_args__ = (CheckConstraint("page IN ('accueil', 'publique')", name="page"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(String(8))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="RESTRICT"), index=True)
    texte: Mapped[str] = mapped_column(String(160))
    url: Mapped[str | None] = mapped_column(String(255))
    visible: Mapped[bool] = mapped_column(default=True)
    rang: Mapped[int] = mapped_column(default=0)
    supprime_le: Mapped[datetime | None] = mapped_column(Instant)

    image: Mapped[Image] = relationship()

    def __str__(self) -> str:
        return self.texte


class Flux(PerimetreEtablissement, Base):
    """An RSS or Atom feed a school shows, and how its last reading went.

    ``en_panne_depuis`` and ``panne``: since when it cannot be read, and why; what was read stays shown.
    """

    __tablename__ = "flux"
    __table_args__ = (
        UniqueConstraint("etablissement_id", "url"),
        Index("ix_flux_prochaine_lecture", "prochaine_lecture"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    titre: Mapped[str] = mapped_column(String(200))
    rang: Mapped[int] = mapped_column(default=0)
    etag: Mapped[str | None] = mapped_column(String(200))
    modifie: Mapped[str | None] = mapped_column(String(60))
    lu_le: Mapped[datetime | None] = mapped_column(Instant)
    prochaine_lecture: Mapped[datetime] = mapped_column(Instant, default=now)
    echecs: Mapped[int] = mapped_column(default=0)
    en_panne_depuis: Mapped[datetime | None] = mapped_column(Instant)
    panne: Mapped[str | None] = mapped_column(String(255))
    supprime_le: Mapped[datetime | None] = mapped_column(Instant)

    def __str__(self) -> str:
        return self.titre


class Breve(Base):
    """One item of a feed, in plain text; ``cle`` is the digest of what the feed names it by."""

    __tablename__ = "breve"
    __table_args__ = (UniqueConstraint("flux_id", "cle"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    flux_id: Mapped[int] = mapped_column(ForeignKey("flux.id", ondelete="CASCADE"))
    cle: Mapped[str] = mapped_column(String(64))
    titre: Mapped[str] = mapped_column(String(300))
    lien: Mapped[str | None] = mapped_column(String(1000))
    resume: Mapped[str] = mapped_column(String(600), default="")
    publiee_le: Mapped[datetime | None] = mapped_column(Instant)
    rang: Mapped[int] = mapped_column(default=0)


class PagePublique(PerimetreEtablissement, Base):
    """The public page of a school: on or off, its look. ``revision`` moves with whatever it shows."""

    __tablename__ = "page_publique"
    __table_args__ = (
        UniqueConstraint("etablissement_id"),
        CheckConstraint("modele IN ('vitrine', 'journal', 'essentiel')", name="modele"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    active: Mapped[bool] = mapped_column(default=False)
    modele: Mapped[str] = mapped_column(String(12), default="vitrine")
    entete: Mapped[bool] = mapped_column(default=True)
    accroche: Mapped[str | None] = mapped_column(String(240))
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now)

    def __str__(self) -> str:
        return "Page publique"


class ServicePage(PerimetreEtablissement, Base):
    """A service a school names on its public page, while it is on there."""

    __tablename__ = "service_page"
    __table_args__ = (UniqueConstraint("etablissement_id", "service_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)


class AdressePage(PerimetreEtablissement, Base):
    """An end of address of a public page; once left (``quittee_le``) it leads to the new one for a while."""

    __tablename__ = "adresse_page"
    __table_args__ = (
        UniqueConstraint("adresse"),
        Index(
            "uq_adresse_page_courante",
            "etablissement_id",
            unique=True,
            sqlite_where=text("quittee_le IS NULL"),
            postgresql_where=text("quittee_le IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    adresse: Mapped[str] = mapped_column(String(60))
    quittee_le: Mapped[datetime | None] = mapped_column(Instant)


class Bloc(PerimetreEtablissement, Base):
    """A block of a public page: Markdown as typed, and the HTML it makes, cleaned when it was written.

    ``version`` moves with each change of its words: two people who write at once are told.
    """

    __tablename__ = "bloc"

    id: Mapped[int] = mapped_column(primary_key=True)
    titre: Mapped[str] = mapped_column(String(160))
    texte: Mapped[str] = mapped_column(Text)
    rendu: Mapped[str] = mapped_column(Text)
    visible: Mapped[bool] = mapped_column(default=True)
    rang: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    modifie_le: Mapped[datetime] = mapped_column(Instant, default=now)
    supprime_le: Mapped[datetime | None] = mapped_column(Instant)

    def __str__(self) -> str:
        return self.titre


class VersionBloc(Base):
    """What a block said at one time, and by whom; nobody's name once their account is gone."""

    __tablename__ = "version_bloc"
    __table_args__ = (UniqueConstraint("bloc_id", "numero"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bloc_id: Mapped[int] = mapped_column(ForeignKey("bloc.id", ondelete="CASCADE"))
    numero: Mapped[int]
    titre: Mapped[str] = mapped_column(String(160))
    texte: Mapped[str] = mapped_column(Text)
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    le: Mapped[datetime] = mapped_column(Instant, default=now)

    compte: Mapped[Compte | None] = relationship()
