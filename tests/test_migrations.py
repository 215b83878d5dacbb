"""Migrations: one head, both ways on both engines, and the same schema as the models."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from app.config import ROOT
from app.extensions import Base, db, now
from app.models import (
    Compte,
    EleveGroupe,
    Etablissement,
    GroupeEnseignement,
    Personne,
    Rattachement,
    VarianteNom,
)
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

    def test_a_suspension_follows_the_person_both_ways(self, app, session):
        someone = Personne(
            nom="A", prenom="B", nom_recherche="a b", suspendu_le=now(), motif_suspension="Départ"
        )
        session.add(someone)
        session.flush()
        for login, more in (
            ("quelquun", {"personne_id": someone.id}),
            ("personne", {"suspendu_seul_le": now()}),
        ):
            session.add(
                Compte(
                    username=login,
                    first_name="A",
                    last_name="B",
                    email=login,
                    active=True,
                    password="",
                    **more,
                )
            )
        session.commit()
        read = select(Compte.username).where(Compte.suspendu_le.is_not(None)).order_by(Compte.username)
        assert session.scalars(read).all() == ["personne", "quelquun"]
        session.close()
        downgrade(revision="0005")
        there = text(
            "SELECT username, motif_suspension FROM ab_user WHERE suspendu_le IS NOT NULL ORDER BY 1"
        )
        with db.engine.connect() as connection:
            assert connection.execute(there).all() == [("personne", None), ("quelquun", "Départ")]
        upgrade()
        assert session.scalars(read).all() == ["personne", "quelquun"]
        found = session.scalars(select(Compte).where(Compte.username == "quelquun")).one()
        assert (found.motif_suspension, found.suspendu_seul_le) == ("Départ", None)
        found.suspendu_seul_le = now()
        with pytest.raises(IntegrityError, match="suspension_seule"):
            session.flush()

    def test_attachments_already_there_get_the_key_of_their_person_and_keep_what_hangs_on_them(
        self, app, session
    ):
        school = Etablissement(uai="0370001A", nom="Collège", nom_recherche="college")
        place = Rattachement(personne=Personne(nom="DUPONT", prenom="Zoé", nom_recherche="dupont zoe"))
        place.etablissement, place.profil = school, "eleve"
        group = GroupeEnseignement(etablissement=school, code="3ANG2")
        session.add_all([place, group])
        session.flush()
        session.add(EleveGroupe(rattachement_id=place.id, groupe_id=group.id))
        session.commit()
        session.close()
        downgrade(revision="0006")
        upgrade()
        assert session.scalar(select(Rattachement.cle)) == "dupont zoe"
        assert session.scalar(select(func.count(EleveGroupe.rattachement_id))) == 1

    def test_models_and_migrations_agree(self, app):
        with app.app_context(), db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_parent_with_children_is_not_deleted(app, session):
    """Foreign keys are on: SQLite leaves them off unless told."""
    from sqlalchemy import delete

    from app.models import Academie, Etablissement

    academie = Academie(code="18", nom="Touraine-Berry")
    session.add(Etablissement(uai="0379012V", nom="Collège", nom_recherche="college", academie=academie))
    session.flush()
    with pytest.raises(IntegrityError):
        session.execute(delete(Academie.__table__))
