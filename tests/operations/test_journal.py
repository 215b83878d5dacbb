"""The journal: one chain per school, tampering shows, nothing lost when eight write at once."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Etablissement, Journal
from app.operations import journal


@pytest.fixture
def school(session: Session) -> int:
    row = Etablissement(uai="0190001A", nom="Collège A", nom_recherche="college a")
    session.add(row)
    session.commit()
    return row.id


def fill(session: Session, school: int) -> None:
    for number in range(4):
        journal.write(session, acte=f"acte {number}", etablissement_id=school, apres={"rang": number})
        journal.write(session, acte="plate-forme")
    session.commit()


class TestWrite:
    def test_each_school_has_its_own_chain_numbered_from_one(self, session: Session, school: int) -> None:
        fill(session, school)
        lines = session.execute(select(Journal.chaine, Journal.numero).order_by(Journal.id)).all()
        assert lines == [(school, 1), (0, 1), (school, 2), (0, 2), (school, 3), (0, 3), (school, 4), (0, 4)]

    def test_values_are_kept_as_plain_json(self, session: Session) -> None:
        line = journal.write(
            session,
            acte="x",
            avant={"ne_le": date(2012, 3, 4), "prix": Decimal("1.50"), "ids": {2, 1}},
            apres={"nom": "Zoé\0\ud800", "rien": None, "liste": [1, {"a": True}]},
        )
        session.commit()
        session.expire(line)
        assert line.avant == {"ne_le": "2012-03-04", "prix": "1.50", "ids": [1, 2]}
        assert line.apres == {"nom": "Zoé?", "rien": None, "liste": [1, {"a": True}]}
        assert journal.verify(session, 0) is None

    @pytest.mark.parametrize(
        "key", ["mot_de_passe", "Password", "jeton", "code_activation", "totp_secret", "cle_api"]
    )
    def test_a_key_that_names_a_secret_is_refused(self, session: Session, key: str) -> None:
        with pytest.raises(ValueError, match="secret"):
            journal.write(session, acte="x", apres={"compte": [{key: "abc"}]})

    def test_ordinary_keys_that_look_alike_are_accepted(self, session: Session) -> None:
        journal.write(session, acte="x", apres={"code": "101", "cle_portee": "aaf:19", "motif": "m"})
        assert journal.verify(session, 0) is None

    def test_an_act_rolled_back_leaves_no_line(self, session: Session) -> None:
        journal.write(session, acte="x")
        session.rollback()
        assert session.scalar(select(func.count()).select_from(Journal)) == 0


class TestVerify:
    def test_a_sound_chain(self, session: Session, school: int) -> None:
        fill(session, school)
        assert journal.verify(session, school) is None
        assert journal.verify(session, 0) is None

    @pytest.mark.parametrize(
        "values", [{"acteur": "Autre"}, {"apres": {"rang": 9}}, {"objet_id": 1}, {"precedente": "0" * 64}]
    )
    def test_a_changed_line_shows(self, session: Session, school: int, values: dict[str, object]) -> None:
        fill(session, school)
        line = journal.TABLE.c
        session.execute(update(journal.TABLE).where(line.chaine == school, line.numero == 3).values(values))
        assert journal.verify(session, school) == 3
        assert journal.verify(session, 0) is None

    def test_a_line_rewritten_with_its_digest_breaks_the_next_one(
        self, session: Session, school: int
    ) -> None:
        fill(session, school)
        line = session.scalars(select(Journal).filter_by(chaine=school, numero=2)).one()
        line.acteur = "Autre"
        line.empreinte = journal.digest({name: getattr(line, name) for name in journal.SIGNED})
        session.flush()
        assert journal.verify(session, school) == 3

    def test_a_removed_line_shows(self, session: Session, school: int) -> None:
        fill(session, school)
        session.delete(session.scalars(select(Journal).filter_by(chaine=school, numero=2)).one())
        session.flush()
        assert journal.verify(session, school) == 2


class TestConcurrency:
    def test_eight_threads_append_to_one_chain_without_loss(self, app: Flask, session: Session) -> None:
        barrier = threading.Barrier(8)
        failures: list[BaseException] = []

        def append() -> None:
            try:
                with app.app_context():
                    barrier.wait()
                    for number in range(5):
                        journal.write(db.session(), acte=f"acte {number}")
                        db.session.commit()
                    db.session.remove()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=append) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert session.scalars(select(Journal.numero).order_by(Journal.numero)).all() == list(range(1, 41))
        assert journal.verify(session, 0) is None


class TestWriteMany:
    def test_the_chains_stay_those_write_would_make(self, session: Session, school: int) -> None:
        fill(session, school)
        lines = [
            journal.Ligne(
                n,
                f"N{n}\0",
                school if n % 2 else None,
                {"né le": date(2010, 1, n)},
                {"rang": n, "vide": None},
            )
            for n in range(1, 8)
        ]
        assert journal.write_many(session, acte="compte.suspendre", objet_type="personne", lignes=lines) == 7
        journal.write(session, acte="après", etablissement_id=school)
        session.commit()
        assert journal.verify(session, school) is None
        assert journal.verify(session, journal.PLATEFORME) is None
        made = session.scalars(select(Journal).where(Journal.objet_id == 3)).one()
        assert (made.objet, made.avant, made.apres) == (
            "N3",
            {"né le": "2010-01-03"},
            {"rang": 3, "vide": None},
        )
        session.execute(update(Journal).where(Journal.objet_id == 3).values(objet="autre"))
        assert journal.verify(session, school) == made.numero

    def test_no_secret_in_it(self, session: Session) -> None:
        with pytest.raises(ValueError, match="secret"):
            journal.write_many(
                session, acte="x", lignes=[journal.Ligne(1, "x", None, None, {"mot_de_passe": "x"})]
            )
