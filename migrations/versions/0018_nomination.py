"""Roles promised to people who have not activated their account

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-26 13:30:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'nomination',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('personne_id', sa.Integer(), nullable=False),
        sa.Column('role', sa.String(length=30), nullable=False),
        sa.Column('jusqua', app.extensions.Instant(timezone=True), nullable=True),
        sa.Column('accordee_par', sa.String(length=160), nullable=False),
        sa.Column('accordee_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.Column('etablissement_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['etablissement_id'], ['etablissement.id'],
            name=op.f('fk_nomination_etablissement_id_etablissement'), ondelete='RESTRICT',
        ),
        sa.ForeignKeyConstraint(
            ['personne_id'], ['personne.id'], name=op.f('fk_nomination_personne_id_personne'), ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_nomination')),
        sa.UniqueConstraint(
            'personne_id', 'role', 'etablissement_id',
            name=op.f('uq_nomination_personne_id_role_etablissement_id'),
        ),
    )
    op.create_index(op.f('ix_nomination_etablissement_id'), 'nomination', ['etablissement_id'])


def downgrade():
    op.drop_index(op.f('ix_nomination_etablissement_id'), table_name='nomination')
    op.drop_table('nomination')
