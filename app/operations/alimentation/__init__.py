"""Directory feeds: from records read to the base, through a preview (SPEC I).

``ouvrir`` → ``comparer`` → ``clore_apercu`` makes the preview; ``appliquer_etablissement`` for
each of ``etablissements_a_appliquer`` then ``clore_application`` applies it; ``annuler`` undoes
the last one applied; ``abandonner`` drops a preview.
"""

from app.operations.alimentation.annulation import annuler
from app.operations.alimentation.apercu import (
    abandonner,
    clore_apercu,
    etablissements_a_appliquer,
    ouvrir,
    refuser,
    total,
)
from app.operations.alimentation.application import appliquer_etablissement, clore_application
from app.operations.alimentation.comparaison import comparer

__all__ = [
    "abandonner",
    "annuler",
    "appliquer_etablissement",
    "clore_apercu",
    "clore_application",
    "comparer",
    "etablissements_a_appliquer",
    "ouvrir",
    "refuser",
    "total",
]
