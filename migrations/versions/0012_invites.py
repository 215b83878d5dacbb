"""End day of an attachment; guests who come in a file and their lines."""

from alembic import op
import sqlalchemy as sa

from app.extensions import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("rattachement", sa.Column("dernier_jour", sa.Date(), nullable=True))
    op.create_index(
        "ix_rattachement_dernier_jour",
        "rattachement",
        ["dernier_jour"],
        sqlite_where=sa.text("dernier_jour IS NOT NULL AND fin IS NULL"),
        postgresql_where=sa.text("dernier_jour IS NOT NULL AND fin IS NULL"),
    )
    op.create_table(
        "import_invites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fichier", sa.String(255), nullable=False),
        sa.Column("etat", sa.String(11), nullable=False),
        sa.Column("colonnes", sa.JSON(), nullable=False),
        sa.Column("entetes", sa.JSON(), nullable=False),
        sa.Column("encodage", sa.String(20), nullable=False),
        sa.Column("separateur", sa.String(1), nullable=False),
        sa.Column("dernier_jour", sa.Date(), nullable=True),
        sa.Column("motif", sa.String(400), nullable=True),
        sa.Column("tache_id", sa.Integer(), nullable=True),
        sa.Column("compte_id", sa.Integer(), nullable=True),
        sa.Column("demande_par", sa.String(160), nullable=False),
        sa.Column("cree_le", Instant(), nullable=False),
        sa.Column("applique_le", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("etablissement_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "etat IN ('lecture', 'apercu', 'application', 'applique', 'annulation', 'annule', 'refuse')",
            name=op.f("ck_import_invites_etat"),
        ),
        sa.ForeignKeyConstraint(
            ["tache_id"], ["tache.id"], name=op.f("fk_import_invites_tache_id_tache"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["compte_id"], ["ab_user.id"], name=op.f("fk_import_invites_compte_id_ab_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["etablissement_id"], ["etablissement.id"],
            name=op.f("fk_import_invites_etablissement_id_etablissement"), ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_invites")),
    )
    op.create_index(op.f("ix_import_invites_etablissement_id"), "import_invites", ["etablissement_id"])
    op.create_table(
        "ligne_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("numero", sa.Integer(), nullable=False),
        sa.Column("cellules", sa.JSON(), nullable=False),
        sa.Column("constats", sa.JSON(), nullable=False),
        sa.Column("etat", sa.String(8), nullable=False),
        sa.Column("choix", sa.String(9), nullable=False),
        sa.Column("remarque", sa.Boolean(), nullable=False),
        sa.Column("personne_id", sa.Integer(), nullable=True),
        sa.Column("creee", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "etat IN ('valide', 'erreur', 'deja', 'ecartee', 'faite', 'defaite')",
            name=op.f("ck_ligne_import_etat"),
        ),
        sa.CheckConstraint("choix IN ('', 'creer', 'rattacher')", name=op.f("ck_ligne_import_choix")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_invites.id"],
            name=op.f("fk_ligne_import_import_id_import_invites"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["personne_id"], ["personne.id"],
            name=op.f("fk_ligne_import_personne_id_personne"), ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ligne_import")),
        sa.UniqueConstraint("import_id", "numero", name=op.f("uq_ligne_import_import_id_numero")),
    )
    op.create_index(op.f("ix_ligne_import_personne_id"), "ligne_import", ["personne_id"])
    op.create_index("ix_ligne_import_etat", "ligne_import", ["import_id", "etat", "numero"])


def downgrade():
    op.drop_table("ligne_import")
    op.drop_table("import_invites")
    op.drop_index("ix_rattachement_dernier_jour", table_name="rattachement")
    # not by a remade table: dropping it would take with it all that hangs on attachments
    op.execute("ALTER TABLE rattachement DROP COLUMN dernier_jour")
