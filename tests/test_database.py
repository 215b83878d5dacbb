"""Bulk reads and writes outside the ORM say the same on both engines."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from app.database import (
    allocate_ids,
    bulk_insert,
    bulk_update,
    plan_by_keys,
    refresh_statistics,
    rows_of,
)
from app.extensions import now
from app.models import Compte, Etablissement, Identifiant, Matiere, Personne, RacineLogin, Rattachement

MATIERE = Matiere.metadata.tables["matiere"]
PERSONNE = Personne.metadata.tables["personne"]
IDENTIFIANT = Identifiant.metadata.tables["identifiant"]
RACINE = RacineLogin.metadata.tables["racine_login"]
TORDUS = [
    'Un « "guillemet" » double', "d’une barre \\ oblique", "{accolades, et virgules}", "NULL", "Zoé\tŒillet",
    " espaces autour ",
]  # fmt: skip


@pytest.fixture
def matieres(session):
    bulk_insert(session, MATIERE, ("code", "libelle"), [(f"M{rang}", "?") for rang in range(len(TORDUS))])
    session.commit()
    return session.execute(select(MATIERE.c.id).order_by(MATIERE.c.code)).scalars().all()


class TestArrays:
    def test_a_bulk_update_writes_any_text_as_it_is(self, session, matieres):
        bulk_update(session, MATIERE, "id", ("libelle",), list(zip(TORDUS, matieres, strict=True)))
        written = session.execute(select(MATIERE.c.libelle).order_by(MATIERE.c.code)).scalars().all()
        assert written == TORDUS

    def test_a_bulk_update_empties_a_column(self, session, matieres):
        bulk_update(session, MATIERE, "id", ("libelle_court",), [(None, matieres[0]), ("court", matieres[1])])
        written = session.execute(select(MATIERE.c.libelle_court).order_by(MATIERE.c.code)).scalars().all()
        assert written[:2] == [None, "court"]

    def test_a_bulk_update_writes_dates_and_instants_and_nothing_else(self, session):
        for name in ("A", "B"):
            session.add(Personne(nom=name, prenom="Z", nom_recherche=name, source="manuel"))
        session.flush()
        first, second = session.execute(select(PERSONNE.c.id).order_by(PERSONNE.c.nom)).scalars().all()
        bulk_update(
            session,
            PERSONNE,
            "id",
            ("date_naissance", "version"),
            [("2011-02-28", 7, first), (None, 8, second)],
        )
        rows = session.execute(select(PERSONNE.c.date_naissance, PERSONNE.c.version).order_by(PERSONNE.c.nom))
        assert [tuple(row) for row in rows] == [(date(2011, 2, 28), 7), (None, 8)]

    def test_a_list_of_any_text_finds_each_of_its_values(self, session, matieres):
        bulk_update(session, MATIERE, "id", ("libelle",), list(zip(TORDUS, matieres, strict=True)))
        rows = rows_of(session, "SELECT libelle FROM matiere WHERE libelle IN :texts", texts=TORDUS)
        assert sorted(row[0] for row in rows) == sorted(TORDUS)


class TestIds:
    def test_ids_reserved_are_never_given_again(self, session):
        first = list(allocate_ids(session, PERSONNE, 40))
        if session.get_bind().dialect.name == "sqlite":  # there the rows themselves hold the ids
            bulk_insert(
                session, PERSONNE,
                ("id", "nom", "prenom", "nom_recherche", "source", "code_generation", "cree_le", "modifie_le",
                 "version"),
                [(pid, "A", "B", "a b", "manuel", 1, "2026-01-01", "2026-01-01", 1) for pid in first],
            )  # fmt: skip
        second = list(allocate_ids(session, PERSONNE, 40))
        assert len({*first, *second}) == 80
        assert [*first, *second] == sorted([*first, *second])

    def test_the_number_of_somebody_gone_is_not_given_to_another(self, session):
        def person():
            row = Personne(nom="A", prenom="B", nom_recherche="a b")
            session.add(row)
            session.flush()
            return row

        person()
        last = person()
        gone = last.id
        session.delete(last)
        session.flush()
        assert person().id > gone
        again = person()
        gone = again.id
        session.delete(again)
        session.flush()
        assert next(iter(allocate_ids(session, PERSONNE, 1))) > gone
        if session.get_bind().dialect.name == "sqlite":
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.mark.postgresql
@pytest.mark.schema  # what the planner knew of a table outlives its rows
class TestStatistics:
    @pytest.fixture
    def engine_name(self):
        return "postgresql"

    def expected(self, session):
        """Return how many rows the planner expects of a batch of a hundred keys."""
        keys = "{" + ",".join(f"V{rang}" for rang in range(100)) + "}"
        rows = session.execute(
            text("EXPLAIN SELECT personne_id FROM identifiant WHERE valeur = ANY(CAST(:keys AS text[]))"),
            {"keys": keys},
        )
        return int(re.search(r"rows=(\d+)", rows.first()[0])[1])

    def test_the_planner_knows_what_a_batch_of_keys_names_in_a_table_just_filled(self, session):
        session.add(Personne(nom="A", prenom="Z", nom_recherche="a", source="manuel"))
        session.flush()
        pid = session.execute(select(PERSONNE.c.id)).scalar_one()
        bulk_insert(
            session, IDENTIFIANT, ("personne_id", "type", "portee", "valeur", "source"),
            ((pid, "jointure", "18", f"V{rang}", "aaf") for rang in range(5_000)),
        )  # fmt: skip
        assert self.expected(session) > 300
        refresh_statistics(session, [IDENTIFIANT])
        assert self.expected(session) == 100

    def test_a_table_that_did_not_grow_is_not_analysed_again(self, session):
        def last():
            return session.execute(
                text("SELECT reltuples FROM pg_class WHERE relname = 'matiere'")
            ).scalar_one()

        bulk_insert(session, MATIERE, ("code", "libelle"), ((f"M{rang}", "x" * 100) for rang in range(2000)))
        refresh_statistics(session, [MATIERE])
        assert last() == 2000
        bulk_insert(session, MATIERE, ("code", "libelle"), [("N", "x")])
        refresh_statistics(session, [MATIERE])
        assert last() == 2000
        bulk_insert(session, MATIERE, ("code", "libelle"), ((f"P{rang}", "x" * 100) for rang in range(900)))
        refresh_statistics(session, [MATIERE])
        assert last() == 2000
        refresh_statistics(session, [MATIERE], soon=True)
        assert last() == 2901

    def test_a_batch_of_keys_is_sought_one_by_one_not_by_reading_the_whole_table(self, session):
        bulk_insert(
            session, RACINE, ("racine", "dernier"), ((f"racine.numero{rang}", 1) for rang in range(50_000))
        )
        refresh_statistics(session, [RACINE])
        keys = "{" + ",".join(f"racine.numero{rang}" for rang in range(0, 50_000, 120)) + "}"

        def plan():
            rows = session.execute(
                text("EXPLAIN SELECT dernier FROM racine_login WHERE racine = ANY(CAST(:keys AS text[]))"),
                {"keys": keys},
            )
            return " ".join(row[0] for row in rows)

        assert "Seq Scan" in plan()
        plan_by_keys(session)
        assert "Seq Scan" not in plan()
        session.commit()
        assert "Seq Scan" in plan()


class TestKeyOfAnAttachment:
    """``rattachement.cle`` is the person's key, whatever writes one or the other."""

    def test_it_is_copied_follows_a_rename_and_a_wrong_one_is_refused(self, session):
        school = Etablissement(uai="0370001A", nom="Collège", nom_recherche="college")
        person = Personne(nom="VERT", prenom="Élise", nom_recherche="vert elise")
        session.add_all([school, person])
        session.flush()
        where = {"personne_id": person.id, "etablissement_id": school.id}
        session.add(Rattachement(**where, profil="eleve"))
        session.execute(insert(Rattachement).values(**where, profil="invite"))
        session.flush()
        assert session.scalars(select(Rattachement.cle)).all() == ["vert elise"] * 2
        bulk_update(session, PERSONNE, "id", ("nom_recherche",), [("vert elisa", person.id)])
        session.expire_all()
        assert session.scalars(select(Rattachement.cle)).all() == ["vert elisa"] * 2
        wrong = insert(Rattachement).values(**where, profil="personnel", cle="blanc elise")
        with pytest.raises(IntegrityError):
            session.execute(wrong)


class TestDates:
    def test_an_account_is_dated_in_utc_wherever_the_server_stands(self, session, monkeypatch):
        monkeypatch.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        try:
            account = Compte(username="a", first_name="A", last_name="B", email="a@exemple.fr", active=True)
            session.add(account)
            session.flush()
        finally:
            monkeypatch.undo()
            time.tzset()
        for written in (account.created_on, account.changed_on):
            assert abs(now().replace(tzinfo=None) - written) < timedelta(minutes=5)
