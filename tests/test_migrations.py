"""Migrations: one head, both ways on both engines, and the same schema as the models."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select

from app.config import ROOT
from app.extensions import Base, db
from app.models import Personne, VarianteNom
from app.queries.noms import name_variants


def test_one_head_only():
    assert len(ScriptDirectory(str(ROOT / "migrations")).get_heads()) == 1


@pytest.mark.schema
class TestBothWays:
    def test_down_to_nothing_and_up_again(self, app):
        with app.app_context():
            downgrade(revision="base")
            assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
            upgrade()
            assert set(Base.metadata.tables) <= set(inspect(db.engine).get_table_names())

    def test_people_already_there_get_the_keys_they_are_searched_by(self, app, session):
        somebody = Personne(
            nom="DUPONT", nom_usage="d’Œillet-Łoś", prenom="Anne-Zoé", nom_recherche="d oeillet los anne zoe"
        )
        session.add_all([somebody, Personne(nom="SIMPLE", prenom="Jo", nom_recherche="simple jo")])
        session.commit()
        wanted = sorted(name_variants(somebody.nom, somebody.nom_usage, somebody.prenom))
        session.close()
        downgrade(revision="0003")
        upgrade()
        assert sorted(session.scalars(select(VarianteNom.cle))) == wanted

    def test_models_and_migrations_agree(self, app):
        with app.app_context(), db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_parent_with_children_is_not_deleted(app, session):
    """Foreign keys are on: SQLite leaves them off unless told."""
    from sqlalchemy import delete
    from sqlalchemy.exc import IntegrityError

    from app.models import Academie, Etablissement

    academie = Academie(code="18", nom="Touraine-Berry")
    session.add(Etablissement(uai="0379012V", nom="Collège", nom_recherche="college", academie=academie))
    session.flush()
    with pytest.raises(IntegrityError):
        session.execute(delete(Academie.__table__))
