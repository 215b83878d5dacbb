"""Tries of the settings of services, subscriptions to digital resources, identifiers a service asks for

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-26 13:45:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('essai_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('composant_id', sa.Integer(), nullable=True),
    sa.Column('cible', sa.String(length=300), nullable=False),
    sa.Column('valeurs', sa.JSON(), nullable=False),
    sa.Column('secrets', sa.Text(), nullable=True),
    sa.Column('reussi', sa.Boolean(), nullable=True),
    sa.Column('phrase', sa.String(length=300), nullable=False),
    sa.Column('statut', sa.Integer(), nullable=True),
    sa.Column('duree_ms', sa.Integer(), nullable=True),
    sa.Column('demande_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fini_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('par', sa.String(length=160), nullable=False),
    sa.Column('compte_id', sa.Integer(), nullable=True),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['composant_id'], ['composant_service.id'], name=op.f('fk_essai_service_composant_id_composant_service')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_essai_service_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_essai_service_service_id_service')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_essai_service'))
    )
    with op.batch_alter_table('essai_service', schema=None) as batch_op:
        batch_op.create_index('ix_essai_service_cible', ['etablissement_id', 'service_id', 'composant_id', 'demande_le'], unique=False)
        batch_op.create_index(batch_op.f('ix_essai_service_composant_id'), ['composant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_essai_service_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_essai_service_service_id'), ['service_id'], unique=False)

    op.create_table('abonnement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('composant_id', sa.Integer(), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=True),
    sa.Column('collectivite_id', sa.Integer(), nullable=True),
    sa.Column('debut', sa.Date(), nullable=True),
    sa.Column('fin', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('(etablissement_id IS NULL) <> (collectivite_id IS NULL)', name=op.f('ck_abonnement_etablissement_ou_collectivite')),
    sa.CheckConstraint('fin IS NULL OR debut IS NULL OR fin >= debut', name=op.f('ck_abonnement_dates')),
    sa.ForeignKeyConstraint(['collectivite_id'], ['collectivite.id'], name=op.f('fk_abonnement_collectivite_id_collectivite')),
    sa.ForeignKeyConstraint(['composant_id'], ['composant_service.id'], name=op.f('fk_abonnement_composant_id_composant_service'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_abonnement_etablissement_id_etablissement')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_abonnement'))
    )
    with op.batch_alter_table('abonnement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_abonnement_collectivite_id'), ['collectivite_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_abonnement_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index('uq_abonnement_composant_id_collectivite_id', ['composant_id', 'collectivite_id'], unique=True, sqlite_where=sa.text('collectivite_id IS NOT NULL'), postgresql_where=sa.text('collectivite_id IS NOT NULL'))
        batch_op.create_index('uq_abonnement_composant_id_etablissement_id', ['composant_id', 'etablissement_id'], unique=True, sqlite_where=sa.text('etablissement_id IS NOT NULL'), postgresql_where=sa.text('etablissement_id IS NOT NULL'))

    with op.batch_alter_table('service', schema=None) as batch_op:
        batch_op.add_column(sa.Column('export', sa.String(length=20), nullable=False, server_default=''))
    with op.batch_alter_table('composant_service', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sur_abonnement', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('service', schema=None) as batch_op:
        batch_op.alter_column('export', server_default=None)
    with op.batch_alter_table('composant_service', schema=None) as batch_op:
        batch_op.alter_column('sur_abonnement', server_default=None)


def downgrade():
    with op.batch_alter_table('composant_service', schema=None) as batch_op:
        batch_op.drop_column('sur_abonnement')
    with op.batch_alter_table('service', schema=None) as batch_op:
        batch_op.drop_column('export')
    for name in ('abonnement', 'essai_service'):
        op.drop_table(name)
