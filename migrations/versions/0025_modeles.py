"""Models of services: their lines, what applying one did to each school

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-26 13:35:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('modele_services',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('nom', sa.String(length=80), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('portee', sa.String(length=10), nullable=False),
    sa.Column('academie_id', sa.Integer(), nullable=True),
    sa.Column('compte_id', sa.Integer(), nullable=True),
    sa.Column('auteur', sa.String(length=160), nullable=False),
    sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('modifie_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('modifie_par', sa.String(length=160), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(portee = 'academie') = (academie_id IS NOT NULL)", name=op.f('ck_modele_services_academie')),
    sa.CheckConstraint("portee IN ('plateforme', 'academie', 'compte')", name=op.f('ck_modele_services_portee')),
    sa.ForeignKeyConstraint(['academie_id'], ['academie.id'], name=op.f('fk_modele_services_academie_id_academie')),
    sa.ForeignKeyConstraint(['compte_id'], ['ab_user.id'], name=op.f('fk_modele_services_compte_id_ab_user'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_modele_services'))
    )
    with op.batch_alter_table('modele_services', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_modele_services_academie_id'), ['academie_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_modele_services_compte_id'), ['compte_id'], unique=False)

    op.create_table('application_modele',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('modele_id', sa.Integer(), nullable=True),
    sa.Column('modele', sa.String(length=80), nullable=False),
    sa.Column('selection', sa.String(length=240), nullable=False),
    sa.Column('academie_id', sa.Integer(), nullable=True),
    sa.Column('compte_id', sa.Integer(), nullable=True),
    sa.Column('acteur', sa.String(length=160), nullable=False),
    sa.Column('nombre', sa.Integer(), nullable=False),
    sa.Column('conformes', sa.Integer(), nullable=False),
    sa.Column('effets', sa.JSON(), nullable=False),
    sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('confirme_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('fini_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('tache_id', sa.Integer(), nullable=True),
    sa.Column('defait_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['academie_id'], ['academie.id'], name=op.f('fk_application_modele_academie_id_academie')),
    sa.ForeignKeyConstraint(['compte_id'], ['ab_user.id'], name=op.f('fk_application_modele_compte_id_ab_user'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['defait_id'], ['application_modele.id'], name=op.f('fk_application_modele_defait_id_application_modele'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['modele_id'], ['modele_services.id'], name=op.f('fk_application_modele_modele_id_modele_services'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tache_id'], ['tache.id'], name=op.f('fk_application_modele_tache_id_tache'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_application_modele')),
    sa.UniqueConstraint('defait_id', name=op.f('uq_application_modele_defait_id')),
    sa.UniqueConstraint('tache_id', name=op.f('uq_application_modele_tache_id'))
    )
    with op.batch_alter_table('application_modele', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_application_modele_academie_id'), ['academie_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_application_modele_compte_id'), ['compte_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_application_modele_cree_le'), ['cree_le'], unique=False)
        batch_op.create_index(batch_op.f('ix_application_modele_modele_id'), ['modele_id'], unique=False)

    op.create_table('ligne_modele',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('modele_id', sa.Integer(), nullable=False),
    sa.Column('cle', sa.String(length=180), nullable=False),
    sa.Column('valeur', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['modele_id'], ['modele_services.id'], name=op.f('fk_ligne_modele_modele_id_modele_services'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ligne_modele')),
    sa.UniqueConstraint('modele_id', 'cle', name=op.f('uq_ligne_modele_modele_id_cle'))
    )
    op.create_table('etablissement_application',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('etat', sa.String(length=7), nullable=False),
    sa.Column('changements', sa.JSON(), nullable=False),
    sa.Column('nombre', sa.Integer(), nullable=False),
    sa.Column('refuses', sa.Integer(), nullable=False),
    sa.Column('gagnent', sa.Integer(), nullable=False),
    sa.Column('perdent', sa.Integer(), nullable=False),
    sa.Column('raison', sa.String(length=255), nullable=True),
    sa.Column('le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("etat IN ('attente', 'fait', 'refus')", name=op.f('ck_etablissement_application_etat')),
    sa.ForeignKeyConstraint(['application_id'], ['application_modele.id'], name=op.f('fk_etablissement_application_application_id_application_modele'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_etablissement_application_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_etablissement_application')),
    sa.UniqueConstraint('application_id', 'etablissement_id', name=op.f('uq_etablissement_application_application_id_etablissement_id'))
    )
    with op.batch_alter_table('etablissement_application', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_etablissement_application_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index('ix_etablissement_application_etat', ['application_id', 'etat', 'etablissement_id'], unique=False)



def downgrade():
    for name in ('etablissement_application', 'ligne_modele', 'application_modele', 'modele_services'):
        op.drop_table(name)
