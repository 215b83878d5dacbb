"""Rights written by several people at once: nothing lost, nothing twice, the journal tells each."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import db
from app.models import DroitService, Journal
from app.operations.droits_services import Changement, ConflitDroitsError, enregistrer_droits
from app.operations.journal import verify
from app.operations.saisies import Actor
from app.queries.droits import cases_of, services_of
from app.security.perimetres import TOUT, perimetre

WHO = Actor("Claire Montagné")


@pytest.fixture
def libres(session, cast, catalogue):
    """Cells of school A that it may change."""
    found = [case for _s, _r, case in cases_of(services_of(session, cast.ecole_a)) if not case.fixe]
    session.rollback()
    return found


def wanted(cells, *, seen=True):
    return [
        Changement(one.role_id, one.profil, not one.coche, vu=one.coche if seen else None) for one in cells
    ]


class TestTogether:
    def test_eight_people_on_the_same_cells_write_each_once(self, app, session, cast, libres):
        changes, barrier, wrong = wanted(libres[:6]), threading.Barrier(8), []

        def save(number: int) -> None:
            with app.app_context(), Session(db.engine) as own, perimetre(own, TOUT):
                barrier.wait(20)
                try:
                    enregistrer_droits(own, cast.ecole_a, changes, acteur=Actor(f"Personne {number}"))
                    own.commit()
                except Exception as error:
                    wrong.append(error)

        threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        assert session.scalar(select(func.count(DroitService.id))) == 6
        assert len({line.acteur for line in session.scalars(select(Journal))}) == 1
        assert verify(session, cast.ecole_a) is None


class TestConflict:
    def test_all_or_nothing_and_each_cell_is_told(self, session, cast, libres):
        enregistrer_droits(session, cast.ecole_a, wanted(libres[:2]), acteur=WHO)
        late = [
            *[Changement(one.role_id, one.profil, one.coche, vu=one.coche) for one in libres[:2]],
            *wanted(libres[2:4]),
        ]
        with pytest.raises(ConflitDroitsError) as refusal:
            enregistrer_droits(session, cast.ecole_a, late, acteur=WHO)
        told = {(one.case.role_id, one.case.profil) for one in refusal.value.cellules}
        assert told == {(one.role_id, one.profil) for one in libres[:2]}
        assert session.scalar(select(func.count(DroitService.id))) == 2

    def test_a_cell_of_no_grid_of_this_school_is_refused(self, session, cast, libres):
        with pytest.raises(RuleViolationError):
            enregistrer_droits(session, cast.ecole_a, [Changement(987654, "eleve", True)], acteur=WHO)

    def test_the_other_school_keeps_its_own(self, session, cast, libres):
        enregistrer_droits(session, cast.ecole_a, wanted(libres, seen=False), acteur=WHO)
        there = {(c.role_id, c.profil): c.coche for _s, _r, c in cases_of(services_of(session, cast.ecole_b))}
        assert all(there[one.role_id, one.profil] == one.coche for one in libres)
