"""The wall: no way of reading or writing goes round the perimeter of the session (A1)."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import delete, exists, func, select, text, true, update
from sqlalchemy.orm import Session, aliased, joinedload, selectinload, subqueryload

from app.errors import NotFoundError, PerimetreAbsentError
from app.extensions import Base, db
from app.models import (
    Academie,
    Attribution,
    Compte,
    Division,
    Etablissement,
    Identifiant,
    Personne,
    Rattachement,
    Responsabilite,
)
from app.security.mur import RULES, SHARED, Perimetre
from app.security.perimetres import RIEN, TOUT, perimetre, set_perimetre
from tests.security.conftest import attribuer, compte


@pytest.fixture
def chez_a(app, cast):
    """A session whose actor holds school A only."""
    with app.app_context(), Session(db.engine) as own:
        own.info["perimetre"] = Perimetre(etablissements=frozenset({cast.ecole_a}))
        yield own


class TestReading:
    def test_without_a_perimeter_a_walled_table_is_refused(self, app, cast):
        with app.app_context(), Session(db.engine) as own:
            for statement in (
                select(Personne),
                select(func.count()).select_from(Personne),
                select(Academie).where(exists().where(Etablissement.academie_id == Academie.id)),
                select(Personne.__table__.c.nom),
                text("SELECT nom FROM personne"),
                update(Personne).values(nom="X"),
                delete(Personne),
            ):
                with pytest.raises(PerimetreAbsentError):
                    own.execute(statement)
            assert len(own.scalars(select(Academie)).all()) == 2

    def test_lists_counts_columns_and_aliases(self, chez_a, cast):
        assert [e.id for e in chez_a.scalars(select(Etablissement))] == [cast.ecole_a]
        assert chez_a.scalar(select(func.count()).select_from(Etablissement)) == 1
        assert chez_a.scalar(select(func.count(Etablissement.id))) == 1
        assert chez_a.execute(select(Personne.nom).order_by(Personne.nom)).scalars().all() == [
            "DEUX",
            "ELEVEa",
            "PARENTa",
        ]
        other = aliased(Personne)
        assert chez_a.scalar(select(func.count()).select_from(other)) == 3
        assert chez_a.scalar(select(func.count(other.id)).join(Rattachement)) == 3

    def test_columns_alone_are_limited_wherever_their_table_is_named(self, chez_a, cast):
        """Such a statement takes the criteria of the tables it names, and none may be missed."""
        other = aliased(Personne)
        everybody = {"DEUX", "ELEVEa", "PARENTa"}
        for statement in (
            select(Personne.nom),
            select(other.nom),
            select(other.nom).select_from(Academie).join(other, true()),
            select(select(other.nom).subquery().c.nom),
            select(select(Personne.nom).cte("noms").c.nom),
            select(Academie.code, Personne.nom).join(Personne, true()).with_only_columns(Personne.nom),
        ):
            assert set(chez_a.scalars(statement)) == everybody
        most = select(func.max(Personne.nom)).scalar_subquery()
        assert set(chez_a.scalars(select(most).select_from(Academie))) == {"PARENTa"}
        here = select(func.count(Rattachement.id)).select_from(Academie).join(Rattachement, true())
        assert chez_a.scalar(here) == 2 * chez_a.scalar(select(func.count(Rattachement.id))) == 6

    def test_perimeters_of_one_form_share_statements_and_never_rows(self, app, cast):
        """Each actor meets the statement the one before compiled: with their own schools in it."""
        actors = [
            (Perimetre(etablissements=frozenset({cast.ecole_a})), {cast.ecole_a}),
            (Perimetre(etablissements=frozenset({cast.ecole_b})), {cast.ecole_b}),
            (Perimetre(etablissements=frozenset({cast.ecole_a, cast.ecole_b})), {cast.ecole_a, cast.ecole_b}),
            (Perimetre(etablissements=frozenset({cast.ecole_b}), personne_id=cast.eleve_a), None),
        ]
        places = select(Personne).options(selectinload(Personne.rattachements)).order_by(Personne.id)
        other = aliased(Personne)
        with app.app_context():
            for actor, schools in actors:
                with Session(db.engine) as own, perimetre(own, actor):
                    seen = {row.etablissement_id for one in own.scalars(places) for row in one.rattachements}
                    here = select(Rattachement.personne_id)
                    also = set(own.scalars(select(Personne.id).where(Personne.id.in_(here))))
                    assert also == set(own.scalars(select(Personne.id)))
                    joined = select(other.id).select_from(Academie).join(other, other.id > 0)
                    assert also == set(own.scalars(joined))
                    assert schools is None or seen == schools
                    assert (cast.eleve_a in also) == (actor.personne_id is not None or cast.ecole_a in seen)

    def test_subqueries_exists_and_unions(self, chez_a, cast):
        inner = select(Personne.id).subquery()
        assert chez_a.scalar(select(func.count()).select_from(inner)) == 3
        with pytest.raises(PerimetreAbsentError):
            chez_a.scalar(select(exists().where(Personne.id == cast.eleve_b)))
        assert chez_a.query(chez_a.query(Personne).filter_by(id=cast.eleve_b).exists()).scalar() is False
        with_count = select(Etablissement.id, select(func.count(Personne.id)).scalar_subquery())
        assert chez_a.execute(with_count).all() == [(cast.ecole_a, 3)]
        union = select(Personne.id).union_all(select(Personne.id))
        assert len(chez_a.execute(union).all()) == 6
        cte = select(Etablissement.nom).cte()
        assert chez_a.scalars(select(cte.c.nom)).all() == ["Collège A"]
        visible = select(Academie.code).where(Academie.etablissements.any())
        assert chez_a.scalars(visible).all() == ["19"]
        with_school = select(Rattachement.id).where(Rattachement.etablissement.has())
        assert len(chez_a.scalars(with_school).all()) == 3

    def test_get_by_key_and_identity_map(self, chez_a, cast):
        assert chez_a.get(Personne, cast.eleve_a) is not None
        assert chez_a.get(Personne, cast.eleve_b) is None
        with perimetre(chez_a, TOUT):
            foreign = chez_a.get(Personne, cast.eleve_b)
            assert foreign.nom == "ELEVEb"
        assert chez_a.get(Personne, cast.eleve_b) is None

    def test_narrowing_forgets_what_was_loaded(self, app, cast):
        with app.app_context(), Session(db.engine) as own:
            set_perimetre(own, TOUT)
            kept = [own.get(Personne, cast.eleve_a), own.get(Personne, cast.eleve_b)]
            assert all(kept)
            set_perimetre(own, Perimetre(etablissements=frozenset({cast.ecole_a})))
            assert own.get(Personne, cast.eleve_b) is None
            assert own.get(Personne, cast.eleve_a) is kept[0]

    @pytest.mark.parametrize("loader", [None, joinedload, selectinload, subqueryload])
    def test_relations_however_loaded(self, chez_a, cast, loader):
        query = select(Personne).where(Personne.id == cast.deux)
        if loader:
            query = query.options(loader(Personne.rattachements))
        both = chez_a.scalars(query).unique().one()
        assert [r.etablissement_id for r in both.rattachements] == [cast.ecole_a]
        both_schools = chez_a.scalars(select(Academie).order_by(Academie.code.desc())).all()
        assert [len(a.etablissements) for a in both_schools] == [1, 0]

    def test_accounts_by_their_class_their_base_and_their_relations(self, chez_a, session, cast):
        for letter in "ab":
            row = compte(session, f"claire.{letter}")
            attribuer(session, row, "correspondant", etablissement_id=getattr(cast, f"ecole_{letter}"))
        session.commit()
        for entity in (Compte, User, aliased(Compte)):
            assert chez_a.scalars(select(entity.username)).all() == ["claire.a"]
            assert [c.username for c in chez_a.scalars(select(entity))] == ["claire.a"]
        for loader in (joinedload, selectinload):
            rows = chez_a.scalars(select(Attribution).options(loader(Attribution.compte))).all()
            assert [r.compte.username for r in rows] == ["claire.a"]

    def test_refresh_and_expired_attributes(self, chez_a, cast):
        mine = chez_a.get(Personne, cast.eleve_a)
        chez_a.expire(mine)
        assert mine.nom == "ELEVEa"
        chez_a.refresh(mine)

    def test_rows_that_hang_on_others(self, chez_a, cast):
        assert len(chez_a.scalars(select(Identifiant)).all()) == 3
        assert [r.eleve_id for r in chez_a.scalars(select(Responsabilite))] == [cast.eleve_a]
        assert chez_a.scalars(select(Division.code)).all() == ["6A"]

    def test_nothing_at_all_sees_nothing(self, app, cast):
        with app.app_context(), Session(db.engine) as own, perimetre(own, RIEN):
            for entity in RULES:
                assert own.execute(select(func.count()).select_from(entity)).scalar() == 0

    def test_oneself_only(self, app, cast):
        with app.app_context(), Session(db.engine) as own:
            set_perimetre(own, Perimetre(personne_id=cast.parent_a))
            assert [p.nom for p in own.scalars(select(Personne))] == ["PARENTa"]
            assert [r.eleve_id for r in own.scalars(select(Responsabilite))] == [cast.eleve_a]
            assert own.get(Personne, cast.eleve_a) is None
            assert [e.id for e in own.scalars(select(Etablissement))] == [cast.ecole_a]

    @pytest.mark.parametrize("kind", ["academie", "collectivite"])
    def test_territories(self, app, cast, kind):
        field = {"academie": "academies", "collectivite": "collectivites"}[kind]
        with app.app_context(), Session(db.engine) as own:
            set_perimetre(own, Perimetre(**{field: frozenset({getattr(cast, f"{kind}_b")})}))
            assert own.scalars(select(Etablissement.id)).all() == [cast.ecole_b]
            assert set(own.scalars(select(Personne.nom))) == {"DEUX", "ELEVEb", "PARENTb"}

    def test_core_statements_and_text_cannot_be_limited_so_they_are_refused(self, chez_a):
        for statement in (select(Personne.__table__), text("SELECT count(*) FROM personne")):
            with pytest.raises(PerimetreAbsentError):
                chez_a.execute(statement)
        assert chez_a.scalar(
            select(func.count()).select_from(Personne.__table__).execution_options(hors_perimetre=True)
        )


class TestWriting:
    def test_update_and_delete_statements(self, chez_a, session, cast):
        chez_a.execute(update(Personne).values(pays="FR"))
        chez_a.execute(delete(Responsabilite))
        chez_a.commit()
        written = session.scalars(select(Personne.nom).where(Personne.pays == "FR").order_by(Personne.nom))
        assert written.all() == ["DEUX", "ELEVEa", "PARENTa"]
        assert session.scalars(select(Responsabilite.eleve_id)).all() == [cast.eleve_b]

    def test_a_row_forged_into_a_foreign_school_is_refused(self, chez_a, cast):
        chez_a.add(Division(etablissement_id=cast.ecole_b, code="9Z"))
        with pytest.raises(NotFoundError):
            chez_a.flush()

    def test_a_row_of_ones_own_school_is_written(self, chez_a, cast):
        chez_a.add(Division(etablissement_id=cast.ecole_a, code="9Z"))
        chez_a.flush()
        assert chez_a.scalar(select(func.count(Division.id))) == 2

    def test_moving_a_row_to_a_foreign_school_is_refused(self, chez_a, cast):
        chez_a.scalars(select(Division)).one().etablissement_id = cast.ecole_b
        with pytest.raises(NotFoundError):
            chez_a.flush()

    def test_a_school_is_neither_created_in_nor_moved_to_a_foreign_academie(self, app, cast):
        with app.app_context(), Session(db.engine) as own:
            set_perimetre(own, Perimetre(academies=frozenset({cast.academie_a})))
            new = {"nom": "N", "nom_recherche": "n", "virtuel": True}
            own.add(Etablissement(uai="0990001X", academie_id=cast.academie_a, **new))
            own.flush()
            own.add(Etablissement(uai="0990002X", academie_id=cast.academie_b, **new))
            with pytest.raises(NotFoundError):
                own.flush()
            own.rollback()
            own.get(Etablissement, cast.ecole_a).academie_id = cast.academie_b
            with pytest.raises(NotFoundError):
                own.flush()


class TestCompleteness:
    def test_every_class_with_somebody_or_some_school_in_it_has_a_rule(self):
        ours = {
            mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("app.")
        }
        assert ours - set(RULES) - SHARED == {Compte}, "state who may see it in app/security/mur.py"
