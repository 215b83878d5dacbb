"""Keys of outside programs

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-26 10:40:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    instant = app.extensions.Instant(timezone=True)
    op.create_table(
        'cle_api',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('nom', sa.String(length=80), nullable=False),
        sa.Column('prefixe', sa.String(length=8), nullable=False),
        sa.Column('empreinte', sa.String(length=64), nullable=False),
        sa.Column('role', sa.String(length=30), nullable=False),
        sa.Column('academie_id', sa.Integer(), nullable=True),
        sa.Column('collectivite_id', sa.Integer(), nullable=True),
        sa.Column('etablissement_id', sa.Integer(), nullable=True),
        sa.Column('ecriture', sa.Boolean(), nullable=False),
        sa.Column('compte_id', sa.Integer(), nullable=False),
        sa.Column('creee_le', instant, nullable=False),
        sa.Column('expire_le', instant, nullable=False),
        sa.Column('revoquee_le', instant, nullable=True),
        sa.Column('revoquee_par', sa.String(length=160), nullable=False),
        sa.Column('vue_le', instant, nullable=True),
        sa.Column('minute', sa.Integer(), nullable=False),
        sa.Column('appels', sa.Integer(), nullable=False),
        sa.CheckConstraint(
            '(CASE WHEN academie_id IS NULL THEN 0 ELSE 1 END)'
            ' + (CASE WHEN collectivite_id IS NULL THEN 0 ELSE 1 END)'
            ' + (CASE WHEN etablissement_id IS NULL THEN 0 ELSE 1 END) <= 1',
            name=op.f('ck_cle_api_un_perimetre'),
        ),
        sa.ForeignKeyConstraint(['academie_id'], ['academie.id'], name=op.f('fk_cle_api_academie_id_academie')),
        sa.ForeignKeyConstraint(
            ['collectivite_id'], ['collectivite.id'], name=op.f('fk_cle_api_collectivite_id_collectivite')
        ),
        sa.ForeignKeyConstraint(
            ['etablissement_id'], ['etablissement.id'], name=op.f('fk_cle_api_etablissement_id_etablissement')
        ),
        sa.ForeignKeyConstraint(
            ['compte_id'], ['ab_user.id'], name=op.f('fk_cle_api_compte_id_ab_user'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_cle_api')),
        sa.UniqueConstraint('empreinte', name=op.f('uq_cle_api_empreinte')),
    )
    for column in ('academie_id', 'collectivite_id', 'etablissement_id', 'compte_id'):
        op.create_index(op.f(f'ix_cle_api_{column}'), 'cle_api', [column])


def downgrade():
    op.drop_table('cle_api')
