"""The register of processing says what bookings keep of people

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-26 14:40:00

"""
from datetime import datetime, timezone

from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

NOM = 'Réservation de matériel'
TABLE = sa.table(
    'traitement',
    *(sa.column(name) for name in (
        'nom', 'finalite', 'base_legale', 'personnes', 'donnees', 'destinataires', 'conservation', 'securite', 'version',
    )),
    sa.column('modifie_le', app.extensions.Instant(timezone=True)),
)
CONTENU = {
    'nom': NOM,
    'finalite': 'Prêter salles et matériel de l’établissement sans que deux personnes aient la même chose au même moment',
    'base_legale': 'Mission d’intérêt public (article 6.1.e du RGPD) : service public de l’éducation',
    'personnes': 'Enseignants et personnels, et les autres profils auxquels l’établissement donne un rôle dans le service',
    'donnees': 'Nom, ressource, créneau, motif écrit par la personne, réponse et qui l’a donnée ; empreinte d’une adresse d’agenda',
    'destinataires': 'Ceux qui ont un rôle dans le service, dans l’établissement : qui a réservé quoi et quand',
    'conservation': 'Tant que la personne est dans l’annuaire ; effacé à son anonymisation',
    'securite': 'Périmètre appliqué à toute lecture, adresses d’agenda secrètes et révocables gardées en empreinte, journal chaîné, HTTPS',
    'version': 1,
}


def upgrade():
    known = op.get_bind().execute(sa.select(TABLE.c.nom).where(TABLE.c.nom == NOM)).first()
    if known is None:  # a deployment may have written its own
        op.bulk_insert(TABLE, [{**CONTENU, 'modifie_le': datetime.now(timezone.utc)}])


def downgrade():
    op.execute(TABLE.delete().where(TABLE.c.nom == NOM, TABLE.c.version == 1))
