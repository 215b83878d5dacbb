"""accord des sources : champs énoncés par fiche, élève qui cite un responsable

Revision ID: 0003
Revises: 0002

"""
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "citation_responsable"


def upgrade():
    op.add_column("fiche_source", sa.Column("champs", sa.Integer(), nullable=True))
    _citations("alimentation_id", "cle", "uai", "eleve_id")


def downgrade():
    _citations("alimentation_id", "cle", "uai")
    with op.batch_alter_table("fiche_source") as batch_op:
        batch_op.drop_column("champs")


def _citations(*key):
    """Make the table again: it holds rows only while files are read, and a reading starts over."""
    op.drop_table(TABLE)
    columns = {
        "alimentation_id": sa.Integer(),
        "cle": sa.String(80),
        "uai": sa.String(8),
        "eleve_id": sa.Integer(),
    }
    op.create_table(
        TABLE,
        *(sa.Column(name, columns[name], nullable=False, autoincrement=False) for name in key),
        sa.ForeignKeyConstraint(
            ["alimentation_id"],
            ["alimentation.id"],
            name=op.f("fk_citation_responsable_alimentation_id_alimentation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_citation_responsable")),
    )
