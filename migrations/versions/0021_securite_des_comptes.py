"""Numbers of people never given twice, suspensions of the académie, addresses that prove themselves

Revision ID: 0021
Revises: 0020
Create Date: 2026-11-26 14:10:00

"""
from alembic import op
import sqlalchemy as sa
import app.extensions


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

PLAIN = ('id INTEGER NOT NULL,', 'CONSTRAINT pk_personne PRIMARY KEY (id),')
COUNTED = ('id INTEGER NOT NULL CONSTRAINT pk_personne PRIMARY KEY AUTOINCREMENT,', '')


def upgrade():
    op.add_column('personne', sa.Column('suspension_de', sa.String(length=8), nullable=True))
    op.create_table(
        'adresse_a_confirmer',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('personne_id', sa.Integer(), nullable=False),
        sa.Column('empreinte', sa.String(length=64), nullable=False),
        sa.Column('adresse', sa.String(length=255), nullable=False),
        sa.Column('cree_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.Column('expire_le', app.extensions.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['personne_id'], ['personne.id'],
            name=op.f('fk_adresse_a_confirmer_personne_id_personne'), ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_adresse_a_confirmer')),
        sa.UniqueConstraint('empreinte', name=op.f('uq_adresse_a_confirmer_empreinte')),
    )
    op.create_index('ix_adresse_a_confirmer_personne', 'adresse_a_confirmer', ['personne_id', 'cree_le'])
    op.create_index(op.f('ix_adresse_a_confirmer_expire_le'), 'adresse_a_confirmer', ['expire_le'])
    _count(PLAIN, COUNTED)


def downgrade():
    _count(COUNTED, PLAIN)
    op.drop_index(op.f('ix_adresse_a_confirmer_expire_le'), table_name='adresse_a_confirmer')
    op.drop_index('ix_adresse_a_confirmer_personne', table_name='adresse_a_confirmer')
    op.drop_table('adresse_a_confirmer')
    op.drop_column('personne', 'suspension_de')


def _count(before, after):
    """Make SQLite remember the last id given, or not: PostgreSQL has a sequence.

    The statement that made the table is rewritten in place, for the file of its rows is the same either
    way; a table made anew would be dropped first, and everything that refers to it with it.
    """
    connection = op.get_bind()
    if connection is None or connection.dialect.name != 'sqlite':
        return
    op.execute('CREATE TABLE numerotation (id INTEGER PRIMARY KEY AUTOINCREMENT)')  # makes sqlite_sequence
    op.execute('DROP TABLE numerotation')
    read = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'personne'"
    made = connection.exec_driver_sql(read).scalar()
    if after is COUNTED:
        first, key = before
        assert made.count(first) == 1 and made.count(key) == 1, made
        made = made.replace(first, after[0]).replace(key, '')
    else:
        assert made.count(before[0]) == 1, made
        check = 'CONSTRAINT ck_personne_login_minuscule'
        made = made.replace(before[0], after[0]).replace(check, f'{after[1]} \n\t{check}', 1)
    connection.exec_driver_sql('PRAGMA writable_schema = ON')
    connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'personne'", (made,))
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'personne'")
    if after is COUNTED:
        connection.exec_driver_sql(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'personne', max(n) FROM"
            " (SELECT coalesce(max(id), 0) AS n FROM personne"
            " UNION ALL SELECT coalesce(max(absorbee), 0) FROM fusion)"
        )
    version = connection.exec_driver_sql('PRAGMA schema_version').scalar()
    connection.exec_driver_sql(f'PRAGMA schema_version = {version + 1}')
    connection.exec_driver_sql('PRAGMA writable_schema = RESET')
