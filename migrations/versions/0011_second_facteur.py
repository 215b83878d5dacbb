"""Second factor, recovery codes, second password of school-life services

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-26 11:00:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'second_facteur',
        sa.Column('compte_id', sa.Integer(), nullable=False),
        sa.Column('secret', sa.String(length=255), nullable=False),
        sa.Column('compteur', sa.Integer(), nullable=False),
        sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.Column('confirme_le', app.extensions.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['compte_id'], ['ab_user.id'], ondelete='CASCADE',
            name=op.f('fk_second_facteur_compte_id_ab_user'),
        ),
        sa.PrimaryKeyConstraint('compte_id', name=op.f('pk_second_facteur')),
    )
    op.create_table(
        'code_secours',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('compte_id', sa.Integer(), nullable=False),
        sa.Column('empreinte', sa.String(length=64), nullable=False),
        sa.Column('servi_le', app.extensions.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['compte_id'], ['ab_user.id'], ondelete='CASCADE',
            name=op.f('fk_code_secours_compte_id_ab_user'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_code_secours')),
        sa.UniqueConstraint('compte_id', 'empreinte', name=op.f('uq_code_secours_compte_id_empreinte')),
    )
    op.create_table(
        'mot_de_passe_scolarite',
        sa.Column('compte_id', sa.Integer(), nullable=False),
        sa.Column('empreinte', sa.String(length=256), nullable=False),
        sa.Column('essais', sa.Integer(), nullable=False),
        sa.Column('verrouille_le', app.extensions.Instant(timezone=True), nullable=True),
        sa.Column('change_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['compte_id'], ['ab_user.id'], ondelete='CASCADE',
            name=op.f('fk_mot_de_passe_scolarite_compte_id_ab_user'),
        ),
        sa.PrimaryKeyConstraint('compte_id', name=op.f('pk_mot_de_passe_scolarite')),
    )
    op.execute(
        "ALTER TABLE session_compte ADD COLUMN etape VARCHAR(12)"
        " CONSTRAINT ck_session_compte_etape CHECK (etape IN ('code', 'installation'))"
    )
    op.add_column('session_compte', sa.Column('scolarite_le', app.extensions.Instant(timezone=True), nullable=True))


def downgrade():
    op.execute('ALTER TABLE session_compte DROP COLUMN scolarite_le')
    op.execute("DELETE FROM session_compte WHERE etape IS NOT NULL")
    op.execute('ALTER TABLE session_compte DROP COLUMN etape')
    op.drop_table('mot_de_passe_scolarite')
    op.drop_table('code_secours')
    op.drop_table('second_facteur')
