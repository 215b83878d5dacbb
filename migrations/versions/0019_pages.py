"""Pages: pictures, logos, feeds, public page, blocks and their versions

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-26 13:22:46.939525

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


# revision identifiers, used by Alembic.
revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('adresse_page',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('adresse', sa.String(length=60), nullable=False),
    sa.Column('quittee_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_adresse_page_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_adresse_page')),
    sa.UniqueConstraint('adresse', name=op.f('uq_adresse_page_adresse'))
    )
    with op.batch_alter_table('adresse_page', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_adresse_page_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index('uq_adresse_page_courante', ['etablissement_id'], unique=True, sqlite_where=sa.text('quittee_le IS NULL'), postgresql_where=sa.text('quittee_le IS NULL'))

    op.create_table('bloc',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('titre', sa.String(length=160), nullable=False),
    sa.Column('texte', sa.Text(), nullable=False),
    sa.Column('rendu', sa.Text(), nullable=False),
    sa.Column('visible', sa.Boolean(), nullable=False),
    sa.Column('rang', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('modifie_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('supprime_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_bloc_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bloc'))
    )
    with op.batch_alter_table('bloc', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bloc_etablissement_id'), ['etablissement_id'], unique=False)

    op.create_table('flux',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('url', sa.String(length=500), nullable=False),
    sa.Column('titre', sa.String(length=200), nullable=False),
    sa.Column('rang', sa.Integer(), nullable=False),
    sa.Column('etag', sa.String(length=200), nullable=True),
    sa.Column('modifie', sa.String(length=60), nullable=True),
    sa.Column('lu_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('prochaine_lecture', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('echecs', sa.Integer(), nullable=False),
    sa.Column('en_panne_depuis', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('panne', sa.String(length=255), nullable=True),
    sa.Column('supprime_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_flux_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_flux')),
    sa.UniqueConstraint('etablissement_id', 'url', name=op.f('uq_flux_etablissement_id_url'))
    )
    with op.batch_alter_table('flux', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_flux_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index('ix_flux_prochaine_lecture', ['prochaine_lecture'], unique=False)

    op.create_table('image',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('empreinte', sa.String(length=64), nullable=False),
    sa.Column('type', sa.String(length=24), nullable=False),
    sa.Column('largeur', sa.Integer(), nullable=False),
    sa.Column('hauteur', sa.Integer(), nullable=False),
    sa.Column('taille', sa.Integer(), nullable=False),
    sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('contenu', sa.LargeBinary(), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_image_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_image')),
    sa.UniqueConstraint('etablissement_id', 'empreinte', name=op.f('uq_image_etablissement_id_empreinte'))
    )
    with op.batch_alter_table('image', schema=None) as batch_op:
        batch_op.create_index('ix_image_empreinte', ['empreinte'], unique=False)
        batch_op.create_index(batch_op.f('ix_image_etablissement_id'), ['etablissement_id'], unique=False)

    op.create_table('service_page',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_service_page_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_service_page_service_id_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_page')),
    sa.UniqueConstraint('etablissement_id', 'service_id', name=op.f('uq_service_page_etablissement_id_service_id'))
    )
    with op.batch_alter_table('service_page', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_service_page_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_service_page_service_id'), ['service_id'], unique=False)

    op.create_table('page_publique',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('modele', sa.String(length=12), nullable=False),
    sa.Column('entete', sa.Boolean(), nullable=False),
    sa.Column('accroche', sa.String(length=240), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('modifie_le', app.extensions.Instant(timezone=True), nullable=False),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("modele IN ('vitrine', 'journal', 'essentiel')", name=op.f('ck_page_publique_modele')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_page_publique_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_page_publique')),
    sa.UniqueConstraint('etablissement_id', name=op.f('uq_page_publique_etablissement_id'))
    )
    with op.batch_alter_table('page_publique', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_page_publique_etablissement_id'), ['etablissement_id'], unique=False)

    op.create_table('breve',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('flux_id', sa.Integer(), nullable=False),
    sa.Column('cle', sa.String(length=64), nullable=False),
    sa.Column('titre', sa.String(length=300), nullable=False),
    sa.Column('lien', sa.String(length=1000), nullable=True),
    sa.Column('resume', sa.String(length=600), nullable=False),
    sa.Column('publiee_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('rang', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['flux_id'], ['flux.id'], name=op.f('fk_breve_flux_id_flux'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_breve')),
    sa.UniqueConstraint('flux_id', 'cle', name=op.f('uq_breve_flux_id_cle'))
    )
    op.create_table('logo',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('page', sa.String(length=8), nullable=False),
    sa.Column('image_id', sa.Integer(), nullable=False),
    sa.Column('texte', sa.String(length=160), nullable=False),
    sa.Column('url', sa.String(length=255), nullable=True),
    sa.Column('visible', sa.Boolean(), nullable=False),
    sa.Column('rang', sa.Integer(), nullable=False),
    sa.Column('supprime_le', app.extensions.Instant(timezone=True), nullable=True),
    sa.Column('etablissement_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("page IN ('accueil', 'publique')", name=op.f('ck_logo_page')),
    sa.ForeignKeyConstraint(['etablissement_id'], ['etablissement.id'], name=op.f('fk_logo_etablissement_id_etablissement'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['image_id'], ['image.id'], name=op.f('fk_logo_image_id_image'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_logo'))
    )
    with op.batch_alter_table('logo', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_logo_etablissement_id'), ['etablissement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_logo_image_id'), ['image_id'], unique=False)

    op.create_table('version_bloc',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('bloc_id', sa.Integer(), nullable=False),
    sa.Column('numero', sa.Integer(), nullable=False),
    sa.Column('titre', sa.String(length=160), nullable=False),
    sa.Column('texte', sa.Text(), nullable=False),
    sa.Column('compte_id', sa.Integer(), nullable=True),
    sa.Column('le', app.extensions.Instant(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['bloc_id'], ['bloc.id'], name=op.f('fk_version_bloc_bloc_id_bloc'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['compte_id'], ['ab_user.id'], name=op.f('fk_version_bloc_compte_id_ab_user'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_version_bloc')),
    sa.UniqueConstraint('bloc_id', 'numero', name=op.f('uq_version_bloc_bloc_id_numero'))
    )
    with op.batch_alter_table('version_bloc', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_version_bloc_compte_id'), ['compte_id'], unique=False)



def downgrade():
    with op.batch_alter_table('version_bloc', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_version_bloc_compte_id'))

    op.drop_table('version_bloc')
    with op.batch_alter_table('logo', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_logo_image_id'))
        batch_op.drop_index(batch_op.f('ix_logo_etablissement_id'))

    op.drop_table('logo')
    op.drop_table('breve')
    with op.batch_alter_table('page_publique', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_page_publique_etablissement_id'))

    op.drop_table('page_publique')
    with op.batch_alter_table('service_page', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_service_page_service_id'))
        batch_op.drop_index(batch_op.f('ix_service_page_etablissement_id'))

    op.drop_table('service_page')
    with op.batch_alter_table('image', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_image_etablissement_id'))
        batch_op.drop_index('ix_image_empreinte')

    op.drop_table('image')
    with op.batch_alter_table('flux', schema=None) as batch_op:
        batch_op.drop_index('ix_flux_prochaine_lecture')
        batch_op.drop_index(batch_op.f('ix_flux_etablissement_id'))

    op.drop_table('flux')
    with op.batch_alter_table('bloc', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_bloc_etablissement_id'))

    op.drop_table('bloc')
    with op.batch_alter_table('adresse_page', schema=None) as batch_op:
        batch_op.drop_index('uq_adresse_page_courante', sqlite_where=sa.text('quittee_le IS NULL'), postgresql_where=sa.text('quittee_le IS NULL'))
        batch_op.drop_index(batch_op.f('ix_adresse_page_etablissement_id'))

    op.drop_table('adresse_page')
