"""A fictional académie written as the files its real counterpart would send.

Deterministic: the same options give the same bytes. Every family is drawn from its own seed, so
a pupil does not depend on what was written before them, and nothing but the plan of the schools
is kept in memory. Nobody here exists: schools, towns and people are invented, telephone numbers
and domains are those reserved for fiction.

``plan`` lays out schools, divisions and groups; ``familles`` and ``personnels`` people them;
``evolution`` ages them from one export to the next; ``aaf``, ``siecle``, ``sts`` and
``annuaire`` write the files; ``generation`` runs the whole.
"""

from app.exports.fictif.generation import Bilan, Options, generate

__all__ = ["Bilan", "Options", "generate"]
