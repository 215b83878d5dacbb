"""Resources of schools, their bookings, and no double booking

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-26 13:30:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

# Ranges of one number: their && is equality, so that GiST needs no extension (btree_gist).
EXCLUSION = """
ALTER TABLE occupation ADD CONSTRAINT ex_occupation_libre EXCLUDE USING gist (
    int4range(ressource_id, ressource_id, '[]') WITH &&,
    int4range(exemplaire, exemplaire, '[]') WITH &&,
    tstzrange(debut, fin) WITH &&
)
"""
# A table rebuilt by a later batch loses its triggers: write them again there.
TRIGGER = """
CREATE TRIGGER {name} BEFORE {event} ON occupation
WHEN EXISTS (
    SELECT 1 FROM occupation AS autre
    WHERE autre.ressource_id = NEW.ressource_id AND autre.exemplaire = NEW.exemplaire
      AND autre.debut < NEW.fin AND NEW.debut < autre.fin AND autre.id IS NOT {but}
)
BEGIN SELECT RAISE(ABORT, 'ex_occupation_libre'); END
"""


def upgrade():
    instant = app.extensions.Instant(timezone=True)
    op.create_table(
        'ressource',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('nom', sa.String(length=120), nullable=False),
        sa.Column('categorie', sa.String(length=60), nullable=False),
        sa.Column('description', sa.Text(), nullable=False),
        sa.Column('regles', sa.Text(), nullable=False),
        sa.Column('lieu', sa.String(length=120), nullable=False),
        sa.Column('quantite', sa.Integer(), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('a_valider', sa.Boolean(), nullable=False),
        sa.Column('duree_max', sa.Integer(), nullable=False),
        sa.Column('preavis', sa.Integer(), nullable=False),
        sa.Column('ouvertures', sa.JSON(), nullable=False),
        sa.Column('photo_empreinte', sa.String(length=64), nullable=True),
        sa.Column('photo', sa.LargeBinary(), nullable=True),
        sa.Column('cree_le', instant, nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('etablissement_id', sa.Integer(), nullable=False),
        sa.CheckConstraint('quantite BETWEEN 1 AND 500', name=op.f('ck_ressource_quantite')),
        sa.CheckConstraint('duree_max >= 0 AND preavis >= 0', name=op.f('ck_ressource_delais')),
        sa.ForeignKeyConstraint(
            ['etablissement_id'], ['etablissement.id'], name=op.f('fk_ressource_etablissement_id_etablissement'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_ressource')),
        sa.UniqueConstraint('etablissement_id', 'nom', name=op.f('uq_ressource_etablissement_id_nom')),
    )
    op.create_index('ix_ressource_etablissement_id', 'ressource', ['etablissement_id'])
    op.create_table(
        'reservation',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('ressource_id', sa.Integer(), nullable=False),
        sa.Column('personne_id', sa.Integer(), nullable=False),
        sa.Column('nombre', sa.Integer(), nullable=False),
        sa.Column('debut', instant, nullable=False),
        sa.Column('fin', instant, nullable=False),
        sa.Column('etat', sa.String(length=8), nullable=False),
        sa.Column('motif', sa.String(length=200), nullable=False),
        sa.Column('serie', sa.String(length=32), nullable=True),
        sa.Column('cle', sa.String(length=48), nullable=False),
        sa.Column('demandee_le', instant, nullable=False),
        sa.Column('decidee_le', instant, nullable=True),
        sa.Column('decideur_id', sa.Integer(), nullable=True),
        sa.Column('reponse', sa.String(length=400), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('etablissement_id', sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "etat IN ('demandee', 'validee', 'refusee', 'annulee')", name=op.f('ck_reservation_etat')
        ),
        sa.CheckConstraint('debut < fin', name=op.f('ck_reservation_ordre')),
        sa.CheckConstraint('nombre >= 1', name=op.f('ck_reservation_nombre')),
        sa.ForeignKeyConstraint(
            ['ressource_id'], ['ressource.id'], name=op.f('fk_reservation_ressource_id_ressource'), ondelete='RESTRICT'
        ),
        sa.ForeignKeyConstraint(
            ['personne_id'], ['personne.id'], name=op.f('fk_reservation_personne_id_personne'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['decideur_id'], ['ab_user.id'], name=op.f('fk_reservation_decideur_id_ab_user'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['etablissement_id'], ['etablissement.id'], name=op.f('fk_reservation_etablissement_id_etablissement'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_reservation')),
        sa.UniqueConstraint('personne_id', 'cle', name=op.f('uq_reservation_personne_id_cle')),
    )
    for columns in (
        ['etablissement_id'], ['personne_id'], ['decideur_id'], ['serie'], ['ressource_id', 'debut'],
        ['etablissement_id', 'etat', 'debut'],
    ):
        op.create_index('ix_reservation_' + '_'.join(columns), 'reservation', columns)
    op.create_table(
        'occupation',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('reservation_id', sa.Integer(), nullable=False),
        sa.Column('ressource_id', sa.Integer(), nullable=False),
        sa.Column('exemplaire', sa.Integer(), nullable=False),
        sa.Column('debut', instant, nullable=False),
        sa.Column('fin', instant, nullable=False),
        sa.CheckConstraint('debut < fin', name=op.f('ck_occupation_ordre')),
        sa.ForeignKeyConstraint(
            ['reservation_id'], ['reservation.id'], name=op.f('fk_occupation_reservation_id_reservation'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['ressource_id'], ['ressource.id'], name=op.f('fk_occupation_ressource_id_ressource'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_occupation')),
        sa.UniqueConstraint('reservation_id', 'exemplaire', name=op.f('uq_occupation_reservation_id_exemplaire')),
    )
    op.create_index('ix_occupation_ressource_id_debut', 'occupation', ['ressource_id', 'exemplaire', 'debut'])
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(EXCLUSION)
    else:
        op.execute(TRIGGER.format(name='occupation_libre_ajout', event='INSERT', but='NULL'))
        op.execute(
            TRIGGER.format(
                name='occupation_libre_modification', event='UPDATE OF ressource_id, exemplaire, debut, fin', but='OLD.id'
            )
        )
    op.create_table(
        'adresse_calendrier',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('ressource_id', sa.Integer(), nullable=True),
        sa.Column('empreinte', sa.String(length=64), nullable=False),
        sa.Column('cree_le', instant, nullable=False),
        sa.Column('personne_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['ressource_id'], ['ressource.id'], name=op.f('fk_adresse_calendrier_ressource_id_ressource'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['personne_id'], ['personne.id'], name=op.f('fk_adresse_calendrier_personne_id_personne'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_adresse_calendrier')),
        sa.UniqueConstraint('empreinte', name=op.f('uq_adresse_calendrier_empreinte')),
    )
    op.create_index('ix_adresse_calendrier_personne_id', 'adresse_calendrier', ['personne_id'])
    op.create_index('ix_adresse_calendrier_ressource_id', 'adresse_calendrier', ['ressource_id'])


def downgrade():
    for table in ('adresse_calendrier', 'occupation', 'reservation', 'ressource'):
        op.drop_table(table)
