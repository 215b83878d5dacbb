"""Ce qu’une alimentation récrit l’est sur place : écarts (PostgreSQL), racines de login (SQLite)

Revision ID: 0009
Revises: 0008

"""
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROOTS = (
    "CREATE TABLE {name} (racine VARCHAR(64) NOT NULL, dernier INTEGER NOT NULL,"
    " CONSTRAINT pk_racine_login PRIMARY KEY (racine)){options}"
)


def upgrade():
    if op.get_bind().dialect.name == "postgresql":
        # a difference is updated once, when it is applied: its page keeps room for that version
        op.execute("ALTER TABLE ecart SET (fillfactor = 70)")
    else:
        _make_again(" WITHOUT ROWID")


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE ecart RESET (fillfactor)")
    else:
        _make_again("")


def _make_again(options):
    op.execute(ROOTS.format(name="racine_login_nouvelle", options=options))
    op.execute("INSERT INTO racine_login_nouvelle SELECT racine, dernier FROM racine_login ORDER BY racine")
    op.execute("DROP TABLE racine_login")
    op.execute("ALTER TABLE racine_login_nouvelle RENAME TO racine_login")
