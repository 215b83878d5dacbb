"""rattachement : la clé du nom, et l’index d’une liste dans son ordre

Revision ID: 0007
Revises: 0006

"""
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PERSONNE, CLE = "fk_rattachement_personne_id_personne", "fk_rattachement_personne_id_cle_personne"
UNE_COLONNE = ("etablissement_id", "personne_id")
FILL = "UPDATE rattachement SET cle = (SELECT nom_recherche FROM personne WHERE id = personne_id)"
PROFIL = "profil IN ('eleve', 'enseignant', 'personnel', 'responsable', 'invite')"


def upgrade():
    _order_of_names(unique=True)
    op.drop_index("ix_rattachement_liste", table_name="rattachement")
    for column in UNE_COLONNE:
        op.drop_index(f"ix_rattachement_{column}", table_name="rattachement")
    op.add_column("rattachement", sa.Column("cle", _key(), nullable=True))
    op.execute(FILL)
    with _changed() as batch_op:
        batch_op.alter_column("cle", existing_type=_key(), nullable=False)
        batch_op.drop_constraint(op.f(PERSONNE), type_="foreignkey")
        batch_op.create_foreign_key(
            op.f(CLE), "personne", ["personne_id", "cle"], ["id", "nom_recherche"],
            ondelete="CASCADE", onupdate="CASCADE",
        )
    columns = ["etablissement_id", "profil", "fin", "cle", "personne_id"]
    op.create_index("ix_rattachement_liste", "rattachement", columns)


def downgrade():
    op.drop_index("ix_rattachement_liste", table_name="rattachement")
    with _changed() as batch_op:
        batch_op.drop_constraint(op.f(CLE), type_="foreignkey")
        batch_op.create_foreign_key(op.f(PERSONNE), "personne", ["personne_id"], ["id"], ondelete="CASCADE")
        batch_op.drop_column("cle")
    for column in UNE_COLONNE:
        op.create_index(f"ix_rattachement_{column}", "rattachement", [column])
    op.create_index("ix_rattachement_liste", "rattachement", ["etablissement_id", "profil", "fin"])
    _order_of_names(unique=False)


def _order_of_names(*, unique):
    op.drop_index("ix_personne_nom_recherche", table_name="personne")
    op.create_index("ix_personne_nom_recherche", "personne", ["nom_recherche", "id"], unique=unique)


def _key():
    postgresql = op.get_bind().dialect.name == "postgresql"
    return sa.String(220, collation="C") if postgresql else sa.String(220)


@contextmanager
def _changed():
    """Change the table; on SQLite, as its manual says to remake one that others refer to.

    Dropped while foreign keys are on, it would take with it all that hangs on attachments, and
    they cannot be turned off inside a transaction.
    """
    check = sa.CheckConstraint(PROFIL, name=op.f("ck_rattachement_profil"))
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        with op.batch_alter_table("rattachement") as batch_op:
            yield batch_op
        return
    driver = bind.connection.driver_connection
    for statement in ("COMMIT", "PRAGMA foreign_keys=OFF", "BEGIN IMMEDIATE"):
        driver.execute(statement)
    with op.batch_alter_table("rattachement", table_args=(check,)) as batch_op:
        yield batch_op
    if driver.execute("PRAGMA foreign_key_check").fetchone():
        raise RuntimeError("rattachement: a row refers to what is not there")
    for statement in ("COMMIT", "PRAGMA foreign_keys=ON", "BEGIN IMMEDIATE"):
        driver.execute(statement)
