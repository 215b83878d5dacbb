"""The register of processing, with what the console does

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-26 11:20:00

"""
from datetime import datetime, timezone

from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

MISSION = 'Mission d’intérêt public (article 6.1.e du RGPD) : service public de l’éducation'
GENS = 'Élèves, responsables, enseignants, personnels, invités'
ECOLE = 'Administrateurs locaux et direction de l’établissement ; services académiques pour leurs établissements'
CONTENU = [
    (
        'Annuaire des personnes', 'Tenir à jour les personnes d’un établissement à partir des fichiers de l’État', MISSION, GENS,
        'Identité, coordonnées, classe, groupes, fonctions, identifiants nationaux et académiques, liens de famille', ECOLE,
        'Tant que l’annuaire nomme la personne, puis le délai de « Suppressions » (PREAU_SUPPRESSIONS_JOURS), puis anonymisation',
    ),
    (
        'Comptes et connexion', 'Donner accès aux services numériques et protéger les comptes', MISSION, GENS + ', agents académiques',
        'Identifiant, empreinte du mot de passe, second facteur, sessions, adresse et navigateur de connexion, échecs',
        'La personne ; administrateurs pour l’état du compte, jamais le mot de passe',
        'Vie du compte ; sessions closes et échecs : durée technique ; compte supprimé à l’anonymisation',
    ),
    (
        'Alimentation', 'Lire les exports AAF, SIECLE, STS, montrer les différences, appliquer, annuler', MISSION, GENS,
        'Champs lus des fichiers, avant et après', ECOLE,
        'Fichiers effacés après lecture ; différences vidées à l’anonymisation de la personne',
    ),
    (
        'Droits et administrateurs', 'Savoir qui peut quoi, sur quel périmètre, jusqu’à quand', MISSION,
        'Enseignants, personnels, invités, agents académiques', 'Rôle, périmètre, échéance, auteur', ECOLE,
        'Durée du droit ; trace au journal',
    ),
    (
        'Journal', 'Prouver qui a fait quoi et détecter une altération',
        'Obligation de sécurité (article 32 du RGPD) et intérêt public', GENS + ', agents académiques',
        'Auteur, acte, objet, valeurs avant et après, sans secret', 'Administrateurs de l’établissement, services académiques',
        'Lignes gardées ; les noms en sont retirés à l’anonymisation, sans rompre la chaîne',
    ),
    (
        'Courrier sortant', 'Envoyer une fois les messages du service', MISSION, GENS, 'Adresse, objet, texte, état de l’envoi',
        'La personne ; services académiques pour l’état', 'Vidé à l’anonymisation de la personne',
    ),
    (
        'Doublons', 'Reconnaître qu’une personne figure deux fois', MISSION, GENS,
        'Noms, date de naissance, e-mail, INE comparés ; état d’avant une réunion', ECOLE,
        'Jusqu’à la décision ; l’état d’avant est effacé à l’anonymisation',
    ),
    (
        'Indicateurs', 'Suivre l’activation des comptes et la fraîcheur des données', MISSION, 'Aucune personne nommée',
        'Effectifs par profil, niveau, établissement', 'Administrateurs et services académiques', 'Recalculés en continu',
    ),
]
SECURITE = 'Périmètre appliqué à toute lecture, sessions révocables, mots de passe hachés (argon2id), journal chaîné, HTTPS'


def upgrade():
    table = op.create_table(
        'traitement',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('nom', sa.String(length=160), nullable=False),
        sa.Column('finalite', sa.Text(), nullable=False),
        sa.Column('base_legale', sa.Text(), nullable=False),
        sa.Column('personnes', sa.Text(), nullable=False),
        sa.Column('donnees', sa.Text(), nullable=False),
        sa.Column('destinataires', sa.Text(), nullable=False),
        sa.Column('conservation', sa.Text(), nullable=False),
        sa.Column('securite', sa.Text(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('modifie_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_traitement')),
        sa.UniqueConstraint('nom', name=op.f('uq_traitement_nom')),
    )
    names = ('nom', 'finalite', 'base_legale', 'personnes', 'donnees', 'destinataires', 'conservation')
    moment = datetime.now(timezone.utc)
    op.bulk_insert(
        table,
        [{**dict(zip(names, row)), 'securite': SECURITE, 'version': 1, 'modifie_le': moment} for row in CONTENU],
    )


def downgrade():
    op.drop_table('traitement')
