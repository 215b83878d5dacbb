"""Services a school has off, counted ahead for the list of schools

Revision ID: 0022
Revises: 0021
Create Date: 2026-11-26 14:15:00

"""
from alembic import op
import sqlalchemy as sa


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        'bilan_etablissement',
        sa.Column('services_inactifs', sa.Integer(), server_default='0', nullable=False),
    )
    with op.batch_alter_table('bilan_etablissement') as batch_op:
        batch_op.alter_column('services_inactifs', server_default=None)


def downgrade():
    with op.batch_alter_table('bilan_etablissement') as batch_op:
        batch_op.drop_column('services_inactifs')
