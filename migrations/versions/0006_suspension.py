"""La suspension est à la personne : qui n’a jamais activé son compte peut être suspendu

Revision ID: 0006
Revises: 0005

"""
import sqlalchemy as sa
from alembic import op

from app.extensions import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX = "ix_personne_suspendu_le"
PERSON = "(SELECT p.{0} FROM personne p WHERE p.id = ab_user.personne_id)"
ACCOUNT = "(SELECT c.{0} FROM ab_user c WHERE c.personne_id = personne.id)"


def upgrade():
    op.add_column("personne", sa.Column("suspendu_le", Instant(timezone=True), nullable=True))
    op.add_column("personne", sa.Column("motif_suspension", sa.String(255), nullable=True))
    op.execute(
        f"UPDATE personne SET suspendu_le = {ACCOUNT.format('suspendu_le')},"
        f" motif_suspension = {ACCOUNT.format('motif_suspension')}"
        " WHERE id IN (SELECT personne_id FROM ab_user WHERE suspendu_le IS NOT NULL)"
    )
    some = sa.text("suspendu_le IS NOT NULL")
    op.create_index(INDEX, "personne", ["suspendu_le"], sqlite_where=some, postgresql_where=some)
    op.execute("UPDATE ab_user SET suspendu_le = NULL, motif_suspension = NULL WHERE personne_id IS NOT NULL")
    op.execute("ALTER TABLE ab_user RENAME COLUMN motif_suspension TO motif_suspension_seul")
    # the check comes with a new column: SQLite adds none to a table that is there, and making this one
    # again would delete all that hangs on accounts
    kind = Instant(timezone=True).compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE ab_user ADD COLUMN suspendu_seul_le {kind}"
        " CONSTRAINT ck_ab_user_suspension_seule CHECK (personne_id IS NULL OR suspendu_seul_le IS NULL)"
    )
    op.execute("UPDATE ab_user SET suspendu_seul_le = suspendu_le")
    op.execute("ALTER TABLE ab_user DROP COLUMN suspendu_le")


def downgrade():
    op.add_column("ab_user", sa.Column("suspendu_le", Instant(timezone=True), nullable=True))
    op.execute("UPDATE ab_user SET suspendu_le = suspendu_seul_le")
    op.execute("ALTER TABLE ab_user DROP COLUMN suspendu_seul_le")
    op.execute("ALTER TABLE ab_user RENAME COLUMN motif_suspension_seul TO motif_suspension")
    op.execute(
        f"UPDATE ab_user SET suspendu_le = {PERSON.format('suspendu_le')},"
        f" motif_suspension = {PERSON.format('motif_suspension')} WHERE personne_id IS NOT NULL"
    )
    op.drop_index(INDEX, table_name="personne")
    op.execute("ALTER TABLE personne DROP COLUMN motif_suspension")
    op.execute("ALTER TABLE personne DROP COLUMN suspendu_le")
