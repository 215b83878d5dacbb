"""Links to choose a password, sealed secrets of mails

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-26 10:30:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'lien_mot_de_passe',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('empreinte', sa.String(length=64), nullable=False),
        sa.Column('usage', sa.String(length=9), nullable=False),
        sa.Column('personne_id', sa.Integer(), nullable=True),
        sa.Column('compte_id', sa.Integer(), nullable=True),
        sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.Column('expire_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.Column('servi_le', app.extensions.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("usage IN ('ent', 'scolarite')", name=op.f('ck_lien_mot_de_passe_usage')),
        sa.CheckConstraint(
            '(personne_id IS NULL AND compte_id IS NOT NULL)'
            ' OR (personne_id IS NOT NULL AND compte_id IS NULL)',
            name=op.f('ck_lien_mot_de_passe_un_titulaire'),
        ),
        sa.ForeignKeyConstraint(
            ['personne_id'], ['personne.id'], ondelete='CASCADE',
            name=op.f('fk_lien_mot_de_passe_personne_id_personne'),
        ),
        sa.ForeignKeyConstraint(
            ['compte_id'], ['ab_user.id'], ondelete='CASCADE',
            name=op.f('fk_lien_mot_de_passe_compte_id_ab_user'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_lien_mot_de_passe')),
        sa.UniqueConstraint('empreinte', name=op.f('uq_lien_mot_de_passe_empreinte')),
    )
    op.create_index('ix_lien_mot_de_passe_personne', 'lien_mot_de_passe', ['personne_id', 'cree_le'])
    op.create_index('ix_lien_mot_de_passe_compte', 'lien_mot_de_passe', ['compte_id', 'cree_le'])
    op.create_index(op.f('ix_lien_mot_de_passe_expire_le'), 'lien_mot_de_passe', ['expire_le'])
    op.create_table(
        'demande_lien',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('saisie', sa.String(length=320), nullable=False),
        sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_demande_lien')),
    )
    op.add_column('courriel', sa.Column('secret', sa.Text(), nullable=True))


def downgrade():
    op.drop_column('courriel', 'secret')
    op.drop_table('demande_lien')
    op.drop_table('lien_mot_de_passe')
