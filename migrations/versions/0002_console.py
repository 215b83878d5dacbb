"""console : préférences, favoris, bilans, variantes des noms

Revision ID: 0002
Revises: 0001

"""
import re
import unicodedata

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEYS = (("personne", "nom_recherche", 220), ("etablissement", "nom_recherche", 240))


def upgrade():
    for table, column, length in KEYS:
        _collate(table, column, length, "C")
    with op.batch_alter_table("etablissement") as batch_op:
        batch_op.add_column(sa.Column("recherche", _key(400), nullable=False, server_default=""))
    _fill_search()
    with op.batch_alter_table("etablissement") as batch_op:
        batch_op.alter_column("recherche", existing_type=sa.String(400), server_default=None)
    op.create_table(
        "variante_nom",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cle", _key(220), nullable=False),
        sa.Column("personne_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["personne_id"], ["personne.id"], name=op.f("fk_variante_nom_personne_id_personne"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variante_nom")),
    )
    op.create_index("ix_variante_nom_cle", "variante_nom", ["cle", "personne_id"])
    op.create_index(op.f("ix_variante_nom_personne_id"), "variante_nom", ["personne_id"])
    op.create_table(
        "preference",
        _account("preference"),
        sa.Column("cle", sa.String(40), nullable=False),
        sa.Column("valeur", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("compte_id", "cle", name=op.f("pk_preference")),
    )
    for name, moment in (("favori", "ajoute_le"), ("visite", "le")):
        op.create_table(
            name,
            _account(name),
            _school(name),
            sa.Column(moment, app.extensions.Instant(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint("compte_id", "etablissement_id", name=op.f(f"pk_{name}")),
        )
        op.create_index(op.f(f"ix_{name}_etablissement_id"), name, ["etablissement_id"])
    op.create_index("ix_visite_recente", "visite", ["compte_id", "le"])
    op.create_table(
        "vue_enregistree",
        sa.Column("id", sa.Integer(), nullable=False),
        _account("vue_enregistree"),
        sa.Column("page", sa.String(80), nullable=False),
        sa.Column("nom", sa.String(60), nullable=False),
        sa.Column("arguments", sa.String(2000), nullable=False),
        sa.Column("cree_le", app.extensions.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vue_enregistree")),
        sa.UniqueConstraint("compte_id", "page", "nom", name=op.f("uq_vue_enregistree_compte_id_page_nom")),
    )
    counts = ("eleves", "enseignants", "personnels", "responsables", "invites", "divisions", "actives")
    op.create_table(
        "bilan_etablissement",
        _school("bilan_etablissement"),
        *[sa.Column(name, sa.Integer(), nullable=False) for name in (*counts, "anomalies", "administrateurs")],
        sa.Column("alimente_le", app.extensions.Instant(timezone=True), nullable=True),
        sa.Column("calcule_le", app.extensions.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("actives >= 0", name=op.f("ck_bilan_etablissement_actives")),
        sa.PrimaryKeyConstraint("etablissement_id", name=op.f("pk_bilan_etablissement")),
    )
    op.create_table(
        "bilan_niveau",
        _school("bilan_niveau"),
        sa.Column("niveau", sa.String(60), nullable=False),
        sa.Column("eleves", sa.Integer(), nullable=False),
        sa.Column("actives", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("etablissement_id", "niveau", name=op.f("pk_bilan_niveau")),
    )


def downgrade():
    for name in ("bilan_niveau", "bilan_etablissement", "vue_enregistree", "visite", "favori", "preference"):
        op.drop_table(name)
    op.drop_table("variante_nom")
    with op.batch_alter_table("etablissement") as batch_op:
        batch_op.drop_column("recherche")
    for table, column, length in KEYS:
        _collate(table, column, length, None)


def _key(length):
    """Keys compare byte by byte, so that a prefix uses the index (SQLite always does)."""
    return sa.String(length, collation="C") if op.get_bind().dialect.name == "postgresql" else sa.String(length)


def _collate(table, column, length, collation):
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(table, column, type_=sa.String(length, collation=collation or "default"))


def _account(table):
    name = op.f(f"fk_{table}_compte_id_ab_user")
    key = sa.ForeignKey("ab_user.id", name=name, ondelete="CASCADE")
    return sa.Column("compte_id", sa.Integer(), key, nullable=False)


def _school(table):
    name = op.f(f"fk_{table}_etablissement_id_etablissement")
    key = sa.ForeignKey("etablissement.id", name=name, ondelete="CASCADE")
    return sa.Column("etablissement_id", sa.Integer(), key, nullable=False)


def _fill_search():
    """Give the schools already there their search key, as ``app.queries.noms.search_key`` makes it."""
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT id, nom_recherche, uai, commune FROM etablissement")).all()
    values = [
        {"pk": pk, "key": f"{name} {_plain(town or '')} {uai.lower()}"[:400]} for pk, name, uai, town in rows
    ]
    if values:
        bind.execute(sa.text("UPDATE etablissement SET recherche = :key WHERE id = :pk"), values)


def _plain(text):
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    return re.sub(r"[^0-9a-z]+", " ", decomposed.encode("ascii", "ignore").decode().lower()).strip()
