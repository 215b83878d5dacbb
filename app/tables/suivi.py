"""What happened and what must happen: journal, outgoing mail, background tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant, now
from app.tables.territoires import Etablissement


class Journal(Base):
    """One act or system event, append-only. ``chaine`` is the school's id, 0 for the platform.

    Each line carries the digest of the one before it in its chain: a line changed or removed
    breaks the chain (X1). No secret, code or password is ever written here.
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("chaine", "numero"),
        Index("ix_journal_etablissement", "etablissement_id", "id"),
        Index("ix_journal_objet", "objet_type", "objet_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chaine: Mapped[int] = mapped_column(default=0)
    numero: Mapped[int]
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"))
    instant: Mapped[datetime] = mapped_column(Instant, default=now)
    acteur: Mapped[str] = mapped_column(String(160))
    compte_id: Mapped[int | None]
    acte: Mapped[str] = mapped_column(String(60))
    objet_type: Mapped[str] = mapped_column(String(40), default="")
    objet_id: Mapped[int | None]
    objet: Mapped[str] = mapped_column(String(240), default="")
    avant: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    apres: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    precedente: Mapped[str] = mapped_column(String(64), default="")
    empreinte: Mapped[str] = mapped_column(String(64))

    etablissement: Mapped[Etablissement | None] = relationship()


class Courriel(Base):
    """A mail to send once: written in the act's transaction, sent after it by the worker (X2).

    ``prochain_le`` is the next try while it waits, and the end of the sender's lease in ``envoi``.
    ``secret`` is what only its reader may know (a personal link), sealed: the texts hold a mark in its
    place, and it is erased once sent.
    """

    __tablename__ = "courriel"
    __table_args__ = (
        CheckConstraint("etat IN ('attente', 'envoi', 'envoye', 'echec', 'annule')", name="etat"),
        Index("ix_courriel_a_envoyer", "etat", "prochain_le"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    destinataire: Mapped[str] = mapped_column(String(255))
    objet: Mapped[str] = mapped_column(String(255))
    texte: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    cle: Mapped[str] = mapped_column(String(64), unique=True)
    etat: Mapped[str] = mapped_column(String(8), default="attente")
    essais: Mapped[int] = mapped_column(default=0)
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    prochain_le: Mapped[datetime] = mapped_column(Instant, default=now)
    envoye_le: Mapped[datetime | None] = mapped_column(Instant)
    erreur: Mapped[str | None] = mapped_column(String(255))

    etablissement: Mapped[Etablissement | None] = relationship()

    def __str__(self) -> str:
        return self.objet


class Tache(Base):
    """A long work in the background: parameters, progress, cursor, lease, result (X4).

    The row is the truth; the queue only carries its id. A lease that lapsed means the worker
    died: the task is taken again from its cursor. While it waits, ``bail_jusqua`` is when its
    next try may start.
    """

    __tablename__ = "tache"
    __table_args__ = (
        CheckConstraint("etat IN ('attente', 'cours', 'finie', 'echec', 'annulee')", name="etat"),
        Index("ix_tache_etat", "etat", "bail_jusqua"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(40))
    libelle: Mapped[str] = mapped_column(String(240), default="")
    parametres: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    etat: Mapped[str] = mapped_column(String(8), default="attente")
    fait: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    curseur: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    resultat: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    message: Mapped[str | None] = mapped_column(Text)
    annulation_demandee: Mapped[bool] = mapped_column(default=False)
    essais: Mapped[int] = mapped_column(default=0)
    bail: Mapped[str | None] = mapped_column(String(40))
    bail_jusqua: Mapped[datetime | None] = mapped_column(Instant)
    compte_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    etablissement_id: Mapped[int | None] = mapped_column(ForeignKey("etablissement.id"), index=True)
    cree_le: Mapped[datetime] = mapped_column(Instant, default=now)
    debut_le: Mapped[datetime | None] = mapped_column(Instant)
    fin_le: Mapped[datetime | None] = mapped_column(Instant)

    etablissement: Mapped[Etablissement | None] = relationship()

    def __str__(self) -> str:
        return self.libelle or self.type


class Battement(Base):
    """Last sign of life of one worker process: who looks after mail and tasks, and since when."""

    __tablename__ = "battement"

    travailleur: Mapped[str] = mapped_column(String(40), primary_key=True)
    depuis: Mapped[datetime] = mapped_column(Instant, default=now)
    vu_le: Mapped[datetime] = mapped_column(Instant, default=now)
