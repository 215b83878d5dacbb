"""Schooling: nomenclatures, divisions, timetable groups, services taught, functions held."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base
from app.tables.mixins import PerimetreEtablissement
from app.tables.personnes import Personne, Rattachement
from app.tables.territoires import Etablissement


class Mef(Base):
    """«Module élémentaire de formation»: what a pupil is enrolled to study; 11-character code."""

    __tablename__ = "mef"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(11), unique=True)
    libelle: Mapped[str] = mapped_column(String(120))
    niveau: Mapped[str | None] = mapped_column(String(60))
    filiere: Mapped[str | None] = mapped_column(String(60))

    def __str__(self) -> str:
        return self.libelle


class Matiere(Base):
    """A subject of the national nomenclature; 6-character code."""

    __tablename__ = "matiere"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    libelle: Mapped[str] = mapped_column(String(120))
    libelle_court: Mapped[str | None] = mapped_column(String(40))

    def __str__(self) -> str:
        return self.libelle


class Discipline(Base):
    """A discipline of recruitment or of post («L0202 Lettres modernes»)."""

    __tablename__ = "discipline"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    libelle: Mapped[str] = mapped_column(String(120))

    def __str__(self) -> str:
        return self.libelle


class Fonction(Base):
    """A function a member of staff holds («ENS», «DIR», «EDU»)."""

    __tablename__ = "fonction"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    libelle: Mapped[str] = mapped_column(String(120))

    def __str__(self) -> str:
        return self.libelle


class Division(PerimetreEtablissement, Base):
    """A class of a school («3e B»), the unit a pupil belongs to."""

    __tablename__ = "division"
    __table_args__ = (UniqueConstraint("etablissement_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    libelle: Mapped[str] = mapped_column(String(120), default="")
    source: Mapped[str] = mapped_column(String(12), default="manuel")
    active: Mapped[bool] = mapped_column(default=True)

    etablissement: Mapped[Etablissement] = relationship()
    mefs: Mapped[list[Mef]] = relationship(secondary="division_mef")

    def __str__(self) -> str:
        return self.libelle or self.code


class DivisionMef(Base):
    """A MEF taught in a division."""

    __tablename__ = "division_mef"

    division_id: Mapped[int] = mapped_column(ForeignKey("division.id", ondelete="CASCADE"), primary_key=True)
    mef_id: Mapped[int] = mapped_column(ForeignKey("mef.id"), primary_key=True, index=True)


class GroupeEnseignement(PerimetreEtablissement, Base):
    """A timetable group of a school («3ANG2»), made of pupils of one or several divisions."""

    __tablename__ = "groupe_enseignement"
    __table_args__ = (UniqueConstraint("etablissement_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    libelle: Mapped[str] = mapped_column(String(120), default="")
    source: Mapped[str] = mapped_column(String(12), default="manuel")
    active: Mapped[bool] = mapped_column(default=True)

    etablissement: Mapped[Etablissement] = relationship()
    divisions: Mapped[list[Division]] = relationship(secondary="groupe_division")

    def __str__(self) -> str:
        return self.libelle or self.code


class GroupeDivision(Base):
    """A division that supplies pupils to a timetable group."""

    __tablename__ = "groupe_division"

    groupe_id: Mapped[int] = mapped_column(
        ForeignKey("groupe_enseignement.id", ondelete="CASCADE"), primary_key=True
    )
    division_id: Mapped[int] = mapped_column(
        ForeignKey("division.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class EleveGroupe(Base):
    """A pupil's place in a timetable group."""

    __tablename__ = "eleve_groupe"

    rattachement_id: Mapped[int] = mapped_column(
        ForeignKey("rattachement.id", ondelete="CASCADE"), primary_key=True
    )
    groupe_id: Mapped[int] = mapped_column(
        ForeignKey("groupe_enseignement.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class OptionSuivie(Base):
    """A subject a pupil has chosen or must follow."""

    __tablename__ = "option_suivie"

    rattachement_id: Mapped[int] = mapped_column(
        ForeignKey("rattachement.id", ondelete="CASCADE"), primary_key=True
    )
    matiere_id: Mapped[int] = mapped_column(ForeignKey("matiere.id"), primary_key=True, index=True)


class ServiceEnseigne(PerimetreEtablissement, Base):
    """A subject one teacher teaches to one division or one group of a school.

    ``matiere_id`` is absent when the source names the class without the subject.
    """

    __tablename__ = "service_enseigne"
    __table_args__ = (
        CheckConstraint("(division_id IS NULL) <> (groupe_id IS NULL)", name="division_ou_groupe"),
        Index("ix_service_enseigne_personne", "personne_id", "etablissement_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"))
    matiere_id: Mapped[int | None] = mapped_column(ForeignKey("matiere.id"))
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id", ondelete="CASCADE"), index=True)
    groupe_id: Mapped[int | None] = mapped_column(
        ForeignKey("groupe_enseignement.id", ondelete="CASCADE"), index=True
    )
    source: Mapped[str] = mapped_column(String(12), default="manuel")

    personne: Mapped[Personne] = relationship()
    matiere: Mapped[Matiere | None] = relationship()
    division: Mapped[Division | None] = relationship()
    groupe: Mapped[GroupeEnseignement | None] = relationship()


class ProfesseurPrincipal(Base):
    """The teacher in charge of a division («professeur principal»)."""

    __tablename__ = "professeur_principal"

    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"), primary_key=True)
    division_id: Mapped[int] = mapped_column(
        ForeignKey("division.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class FonctionExercee(Base):
    """A function a person holds in one attachment, with its discipline when it has one."""

    __tablename__ = "fonction_exercee"
    __table_args__ = (Index("ix_fonction_exercee_rattachement", "rattachement_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rattachement_id: Mapped[int] = mapped_column(ForeignKey("rattachement.id", ondelete="CASCADE"))
    fonction_id: Mapped[int] = mapped_column(ForeignKey("fonction.id"), index=True)
    discipline_id: Mapped[int | None] = mapped_column(ForeignKey("discipline.id"))

    rattachement: Mapped[Rattachement] = relationship()
    fonction: Mapped[Fonction] = relationship()
    discipline: Mapped[Discipline | None] = relationship()
