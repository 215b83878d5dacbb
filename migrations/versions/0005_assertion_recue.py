"""Assertions of an identity provider serve once

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-22 06:55:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'assertion_recue',
        sa.Column('cle', sa.String(length=64), nullable=False),
        sa.Column('expire_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('cle', name=op.f('pk_assertion_recue')),
    )
    op.create_index(op.f('ix_assertion_recue_expire_le'), 'assertion_recue', ['expire_le'])


def downgrade():
    op.drop_index(op.f('ix_assertion_recue_expire_le'), table_name='assertion_recue')
    op.drop_table('assertion_recue')
