"""Pairs of people who may be one, and merges

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-26 11:00:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'doublon',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('personne_a_id', sa.Integer(), nullable=False),
        sa.Column('personne_b_id', sa.Integer(), nullable=False),
        sa.Column('motifs', sa.JSON(), nullable=False),
        sa.Column('etat', sa.String(length=8), nullable=False),
        sa.Column('detecte_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.Column('demandeur_id', sa.Integer(), nullable=True),
        sa.Column('demande_le', app.extensions.Instant(timezone=True), nullable=True),
        sa.Column('message', sa.String(length=500), nullable=True),
        sa.Column('traite_par', sa.String(length=160), nullable=False),
        sa.Column('traite_le', app.extensions.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("etat IN ('propose', 'demande', 'distinct')", name=op.f('ck_doublon_etat')),
        sa.CheckConstraint('personne_a_id <> personne_b_id', name=op.f('ck_doublon_deux_personnes')),
        sa.ForeignKeyConstraint(['personne_a_id'], ['personne.id'], name=op.f('fk_doublon_personne_a_id_personne'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['personne_b_id'], ['personne.id'], name=op.f('fk_doublon_personne_b_id_personne'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['demandeur_id'], ['ab_user.id'], name=op.f('fk_doublon_demandeur_id_ab_user'), ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_doublon')),
        sa.UniqueConstraint('personne_a_id', 'personne_b_id', name=op.f('uq_doublon_personne_a_id_personne_b_id')),
    )
    op.create_index(op.f('ix_doublon_personne_b_id'), 'doublon', ['personne_b_id'])
    op.create_index(op.f('ix_doublon_demandeur_id'), 'doublon', ['demandeur_id'])
    op.create_index(
        'ix_doublon_a_traiter', 'doublon', ['etat', 'id'],
        sqlite_where=sa.text("etat <> 'distinct'"), postgresql_where=sa.text("etat <> 'distinct'"),
    )
    op.create_table(
        'fusion',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('personne_id', sa.Integer(), nullable=False),
        sa.Column('absorbee', sa.Integer(), nullable=False),
        sa.Column('libelle', sa.String(length=240), nullable=False),
        sa.Column('gestes', sa.JSON(), nullable=False),
        sa.Column('empreinte', sa.String(length=64), nullable=False),
        sa.Column('par', sa.String(length=160), nullable=False),
        sa.Column('le', app.extensions.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['personne_id'], ['personne.id'], name=op.f('fk_fusion_personne_id_personne'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_fusion')),
    )
    op.create_index(op.f('ix_fusion_personne_id'), 'fusion', ['personne_id'])


def downgrade():
    op.drop_table('fusion')
    op.drop_table('doublon')
