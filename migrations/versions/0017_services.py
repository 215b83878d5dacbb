"""Services: their catalogue, what each school makes of them, settings, managers

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-26 13:20:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('nom', sa.String(length=80), nullable=False),
    sa.Column('categorie', sa.String(length=14), nullable=False),
    sa.Column('nature', sa.String(length=9), nullable=False),
    sa.Column('forme', sa.String(length=8), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('ordre', sa.Integer(), nullable=False),
    sa.Column('reglages', sa.JSON(), nullable=False),
    sa.Column('reprise_contenus', sa.Boolean(), nullable=False),
    sa.Column('peuple_par_groupes', sa.Boolean(), nullable=False),
    sa.Column('saisi', sa.Boolean(), nullable=False),
    sa.Column('retire_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("categorie IN ('communication', 'pedagogie', 'vie_scolaire', 'ressources')", name=op.f('ck_service_categorie')),
    sa.CheckConstraint("forme IN ('roles', 'annuaire', 'acces', 'etat')", name=op.f('ck_service_forme')),
    sa.CheckConstraint("nature IN ('initial', 'optionnel')", name=op.f('ck_service_nature')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service')),
    sa.UniqueConstraint('code', name=op.f('uq_service_code'))
    )
    op.create_table('composant_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('nom', sa.String(length=80), nullable=False),
    sa.Column('place', sa.String(length=7), nullable=True),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('ordre', sa.Integer(), nullable=False),
    sa.Column('reglages', sa.JSON(), nullable=False),
    sa.Column('export', sa.String(length=20), nullable=False),
    sa.Column('saisi', sa.Boolean(), nullable=False),
    sa.Column('retire_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.CheckConstraint("place IN ('interne', 'externe')", name=op.f('ck_composant_service_place')),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_composant_service_service_id_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_composant_service')),
    sa.UniqueConstraint('service_id', 'code', name=op.f('uq_composant_service_service_id_code'))
    )
    op.create_table('role_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('nom', sa.String(length=80), nullable=False),
    sa.Column('ordre', sa.Integer(), nullable=False),
    sa.Column('saisi', sa.Boolean(), nullable=False),
    sa.Column('retire_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_role_service_service_id_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_role_service')),
    sa.UniqueConstraint('service_id', 'code', name=op.f('uq_role_service_service_id_code'))
    )
    op.create_table('service_collectivite',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('collectivite_id', sa.Integer(), nullable=True),
    sa.Column('debut', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fin', app.extensions.Instant(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['collectivite_id'], ['collectivite.id'], name=op.f('fk_service_collectivite_collectivite_id_collectivite')),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_service_collectivite_service_id_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_collectivite'))
    )
    with op.batch_alter_table('service_collectivite', schema=None) as batch_op:
        batch_op.create_index('ix_service_collectivite_collectivite_id', ['collectivite_id'], unique=False)
        batch_op.create_index('uq_service_collectivite_ouverte', ['service_id', 'collectivite_id'], unique=True, sqlite_where=sa.text('fin IS NULL'), postgresql_where=sa.text('fin IS NULL'))
        batch_op.create_index('uq_service_collectivite_partout', ['service_id'], unique=True, sqlite_where=sa.text('fin IS NULL AND collectivite_id IS NULL'), postgresql_where=sa.text('fin IS NULL AND collectivite_id IS NULL'))

    op.create_table('cellule_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('role_id', sa.Integer(), nullable=False),
    sa.Column('profil', sa.String(length=11), nullable=False),
    sa.Column('defaut', sa.Boolean(), nullable=False),
    sa.Column('fixe', sa.Boolean(), nullable=False),
    sa.Column('raison', sa.String(length=160), nullable=False),
    sa.Column('saisi', sa.Boolean(), nullable=False),
    sa.Column('debut', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fin', app.extensions.Instant(timezone=True), nullable=True),
    sa.CheckConstraint("profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')", name=op.f('ck_cellule_service_profil')),
    sa.ForeignKeyConstraint(['role_id'], ['role_service.id'], name=op.f('fk_cellule_service_role_id_role_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cellule_service'))
    )
    with op.batch_alter_table('cellule_service', schema=None) as batch_op:
        batch_op.create_index('uq_cellule_service_ouverte', ['role_id', 'profil'], unique=True, sqlite_where=sa.text('fin IS NULL'), postgresql_where=sa.text('fin IS NULL'))

    op.create_table('composant_etablissement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('composant_id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(length=7), nullable=True),
    sa.Column('debut', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fin', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('par', sa.String(length=160), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['composant_id'], ['composant_service.id'], name=op.f('fk_composant_etablissement_composant_id_composant_service')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_composant_etablissement_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_composant_etablissement_service_id_service')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_composant_etablissement'))
    )
    with op.batch_alter_table('composant_etablissement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_composant_etablissement_composant_id'), ['composant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_composant_etablissement_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_composant_etablissement_service_id'), ['service_id'], unique=False)
        batch_op.create_index('uq_composant_etablissement_ouvert', ['etablissement_id', 'composant_id'], unique=True, sqlite_where=sa.text('fin IS NULL'), postgresql_where=sa.text('fin IS NULL'))
        batch_op.create_index('uq_composant_etablissement_place', ['etablissement_id', 'service_id', 'place'], unique=True, sqlite_where=sa.text('fin IS NULL AND place IS NOT NULL'), postgresql_where=sa.text('fin IS NULL AND place IS NOT NULL'))

    op.create_table('droit_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('role_id', sa.Integer(), nullable=False),
    sa.Column('profil', sa.String(length=11), nullable=False),
    sa.Column('accorde', sa.Boolean(), nullable=False),
    sa.Column('debut', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fin', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('par', sa.String(length=160), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')", name=op.f('ck_droit_service_profil')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_droit_service_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['role_id'], ['role_service.id'], name=op.f('fk_droit_service_role_id_role_service')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_droit_service'))
    )
    with op.batch_alter_table('droit_service', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_droit_service_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_droit_service_role_id'), ['role_id'], unique=False)
        batch_op.create_index('uq_droit_service_ouvert', ['etablissement_id', 'role_id', 'profil'], unique=True, sqlite_where=sa.text('fin IS NULL'), postgresql_where=sa.text('fin IS NULL'))

    op.create_table('etat_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('actif', sa.Boolean(), nullable=False),
    sa.Column('debut', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fin', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('par', sa.String(length=160), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_etat_service_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_etat_service_service_id_service')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_etat_service'))
    )
    with op.batch_alter_table('etat_service', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_etat_service_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_etat_service_service_id'), ['service_id'], unique=False)
        batch_op.create_index('uq_etat_service_ouvert', ['etablissement_id', 'service_id'], unique=True, sqlite_where=sa.text('fin IS NULL'), postgresql_where=sa.text('fin IS NULL'))

    op.create_table('gestionnaire_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('profil', sa.String(length=11), nullable=False),
    sa.Column('debut', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('fin', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('par', sa.String(length=160), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.Column('personne_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')", name=op.f('ck_gestionnaire_service_profil')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_gestionnaire_service_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['personne_id'], ['personne.id'], name=op.f('fk_gestionnaire_service_personne_id_personne'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_gestionnaire_service_service_id_service')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gestionnaire_service'))
    )
    with op.batch_alter_table('gestionnaire_service', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gestionnaire_service_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_gestionnaire_service_personne_id'), ['personne_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_gestionnaire_service_service_id'), ['service_id'], unique=False)
        batch_op.create_index('uq_gestionnaire_service_ouvert', ['etablissement_id', 'service_id'], unique=True, sqlite_where=sa.text('fin IS NULL'), postgresql_where=sa.text('fin IS NULL'))

    op.create_table('reglage_service',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('composant_id', sa.Integer(), nullable=True),
    sa.Column('valeurs', sa.JSON(), nullable=False),
    sa.Column('secrets', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('modifie_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('par', sa.String(length=160), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['composant_id'], ['composant_service.id'], name=op.f('fk_reglage_service_composant_id_composant_service')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_reglage_service_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_reglage_service_service_id_service')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reglage_service'))
    )
    with op.batch_alter_table('reglage_service', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reglage_service_composant_id'), ['composant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reglage_service_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reglage_service_service_id'), ['service_id'], unique=False)
        batch_op.create_index('uq_reglage_service_composant', ['etablissement_id', 'composant_id'], unique=True, sqlite_where=sa.text('composant_id IS NOT NULL'), postgresql_where=sa.text('composant_id IS NOT NULL'))
        batch_op.create_index('uq_reglage_service_service', ['etablissement_id', 'service_id'], unique=True, sqlite_where=sa.text('composant_id IS NULL'), postgresql_where=sa.text('composant_id IS NULL'))



def downgrade():
    for name in (
        'reglage_service', 'gestionnaire_service', 'etat_service', 'droit_service', 'composant_etablissement',
        'cellule_service', 'service_collectivite', 'role_service', 'composant_service', 'service',
    ):
        op.drop_table(name)
