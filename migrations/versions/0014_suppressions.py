"""Departed people are anonymised after a delay

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-26 10:40:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('personne', sa.Column('anonymise_le', app.extensions.Instant(timezone=True), nullable=True))


def downgrade():
    # not by batch: SQLite would make the table anew, and drop what hangs on it
    op.drop_column('personne', 'anonymise_le')
