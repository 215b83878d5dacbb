"""What the perimeter wall recognises a table by."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column


class PerimetreEtablissement:
    """A row that belongs to one school: the wall filters it on ``etablissement_id``."""

    __abstract__ = True

    etablissement_id: Mapped[int] = mapped_column(
        ForeignKey("etablissement.id", ondelete="RESTRICT"), index=True
    )


class PerimetrePersonne:
    """A row about one person without being of one school: visible as that person is."""

    __abstract__ = True

    personne_id: Mapped[int] = mapped_column(ForeignKey("personne.id", ondelete="CASCADE"), index=True)
