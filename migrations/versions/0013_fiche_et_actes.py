"""Poste interne, éditeurs de page publique, actes en nombre

Revision ID: 0013
Revises: 0012

"""
import sqlalchemy as sa
from alembic import op

from app.extensions import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def instant(name, nullable=True):
    return sa.Column(name, Instant(timezone=True), nullable=nullable)


def key(table, column, other, **more):
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), **more)


def upgrade():
    op.add_column("personne", sa.Column("poste_interne", sa.String(10), nullable=True))
    op.create_table(
        "editeur_page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("etablissement_id", sa.Integer(), nullable=False),
        sa.Column("personne_id", sa.Integer(), nullable=False),
        instant("depuis", nullable=False),
        sa.Column("accorde_par", sa.String(160), nullable=False),
        key("editeur_page", "etablissement_id", "etablissement", ondelete="RESTRICT"),
        key("editeur_page", "personne_id", "personne", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editeur_page")),
        sa.UniqueConstraint(
            "etablissement_id", "personne_id", name=op.f("uq_editeur_page_etablissement_id_personne_id")
        ),
    )
    op.create_index(op.f("ix_editeur_page_etablissement_id"), "editeur_page", ["etablissement_id"])
    op.create_index(op.f("ix_editeur_page_personne_id"), "editeur_page", ["personne_id"])
    op.create_table(
        "acte_en_nombre",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("acte", sa.String(12), nullable=False),
        sa.Column("etablissement_id", sa.Integer(), nullable=True),
        sa.Column("compte_id", sa.Integer(), nullable=True),
        sa.Column("acteur", sa.String(160), nullable=False),
        sa.Column("selection", sa.String(240), nullable=False),
        sa.Column("nombre", sa.Integer(), nullable=False),
        sa.Column("motif", sa.String(255), nullable=True),
        instant("cree_le", nullable=False),
        instant("confirme_le"),
        instant("fini_le"),
        sa.Column("tache_id", sa.Integer(), nullable=True),
        sa.Column("defait_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "acte IN ('suspendre', 'reactiver', 'mot_de_passe')", name=op.f("ck_acte_en_nombre_acte")
        ),
        key("acte_en_nombre", "etablissement_id", "etablissement"),
        key("acte_en_nombre", "compte_id", "ab_user", ondelete="SET NULL"),
        key("acte_en_nombre", "tache_id", "tache", ondelete="SET NULL"),
        key("acte_en_nombre", "defait_id", "acte_en_nombre", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acte_en_nombre")),
        sa.UniqueConstraint("tache_id", name=op.f("uq_acte_en_nombre_tache_id")),
        sa.UniqueConstraint("defait_id", name=op.f("uq_acte_en_nombre_defait_id")),
    )
    op.create_index(op.f("ix_acte_en_nombre_etablissement_id"), "acte_en_nombre", ["etablissement_id"])
    op.create_index(op.f("ix_acte_en_nombre_compte_id"), "acte_en_nombre", ["compte_id"])
    op.create_index("ix_acte_en_nombre_cree_le", "acte_en_nombre", ["cree_le"])
    op.create_table(
        "ligne_acte_en_nombre",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("acte_id", sa.Integer(), nullable=False),
        sa.Column("personne_id", sa.Integer(), nullable=False),
        sa.Column("etablissement_id", sa.Integer(), nullable=True),
        sa.Column("etat", sa.String(7), nullable=False),
        sa.Column("raison", sa.String(255), nullable=True),
        instant("le"),
        instant("suspendu_le"),
        sa.Column("motif", sa.String(255), nullable=True),
        sa.CheckConstraint("etat IN ('attente', 'fait', 'refus')", name=op.f("ck_ligne_acte_en_nombre_etat")),
        key("ligne_acte_en_nombre", "acte_id", "acte_en_nombre", ondelete="CASCADE"),
        key("ligne_acte_en_nombre", "personne_id", "personne", ondelete="CASCADE"),
        key("ligne_acte_en_nombre", "etablissement_id", "etablissement"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ligne_acte_en_nombre")),
    )
    op.create_index("ix_ligne_acte_en_nombre_etat", "ligne_acte_en_nombre", ["acte_id", "etat", "id"])
    op.create_index(op.f("ix_ligne_acte_en_nombre_personne_id"), "ligne_acte_en_nombre", ["personne_id"])


def downgrade():
    op.drop_table("ligne_acte_en_nombre")
    op.drop_table("acte_en_nombre")
    op.drop_table("editeur_page")
    op.execute("ALTER TABLE personne DROP COLUMN poste_interne")
