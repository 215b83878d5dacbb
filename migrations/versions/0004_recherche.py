"""recherche des personnes : variantes de leurs noms, index

Revision ID: 0004
Revises: 0003

"""
import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOT = 5000
SANS_DECOMPOSITION = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i",
    }
)


def upgrade():
    op.create_index("ix_identifiant_valeur", "identifiant", ["valeur"])
    op.create_index("ix_personne_cree_le", "personne", ["cree_le"])
    _fill()


def downgrade():
    op.drop_index("ix_personne_cree_le", table_name="personne")
    op.drop_index("ix_identifiant_valeur", table_name="identifiant")
    op.execute("DELETE FROM variante_nom")


def _fill():
    """Give the people already there the keys ``app.queries.noms.name_variants`` makes."""
    bind = op.get_bind()
    last = 0
    while True:
        people = bind.execute(
            sa.text("SELECT id, nom, nom_usage, prenom FROM personne WHERE id > :last ORDER BY id LIMIT :size"),
            {"last": last, "size": LOT},
        ).all()
        if not people:
            return
        last = people[-1].id
        rows = [{"pk": row.id, "key": key} for row in people for key in _variants(*row[1:])]
        if rows:
            bind.execute(sa.text("INSERT INTO variante_nom (personne_id, cle) VALUES (:pk, :key)"), rows)


def _variants(nom, nom_usage, prenom):
    given, shown, birth = _plain(prenom), _plain(nom_usage or nom), _plain(nom)
    names = _spellings(shown)
    if birth != shown:
        names += [birth, *_spellings(birth)]
    keys = [f"{name} {given}".strip() for name in names]
    if " " in given:
        keys += [f"{name} {given.replace(' ', '')}" for name in dict.fromkeys((shown, birth))]
    whole = f"{shown} {given}".strip()
    return list(dict.fromkeys(key[:220] for key in keys if key and key != whole))[:12]


def _spellings(name):
    words = name.split(" ")
    tails = [words[start:] for start in range(len(words))]
    return [" ".join(tail) for tail in tails[1:]] + ["".join(tail) for tail in tails if len(tail) > 1]


def _plain(text):
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'").translate(SANS_DECOMPOSITION))
    return re.sub(r"[^0-9a-z]+", " ", decomposed.encode("ascii", "ignore").decode().lower()).strip()
