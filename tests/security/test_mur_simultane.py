"""The wall under several threads: statements limited once never change hands (A1)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.database import derived
from app.extensions import db
from app.models import Compte, Etablissement, Personne, Rattachement
from app.security.mur import Perimetre
from app.security.perimetres import perimetre
from tests.security.conftest import cast, session  # noqa: F401  (fixtures)

THREADS = 8


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads that hand over at every instruction or nearly."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], Any]) -> list[BaseException]:
    """Run the same work in threads that start at once; return what they raised."""
    gate, raised = threading.Barrier(THREADS), []

    def run(rank: int) -> None:
        gate.wait()
        try:
            work(rank)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_what_is_worked_out_of_a_statement_may_be_forgotten_meanwhile(hurried: None):
    statement = select(Personne.id)

    def work(rank: int) -> None:
        for number in range(20_000):
            actor = Perimetre(personne_id=number % 100, compte_id=rank)
            assert derived(statement, actor, lambda: rank + 1) == rank + 1

    assert together(work) == []


def test_two_actors_through_the_same_statements_at_once(app: Any, cast: SimpleNamespace, hurried: None):  # noqa: F811
    """Columns, aliases, joins, subqueries, counts and objects: each actor meets their own rows only."""
    other, place = aliased(Personne), aliased(Rattachement)
    statements = [
        select(Personne.id),
        select(other.id),
        select(other.id).select_from(Rattachement).join(other, other.id == Rattachement.personne_id),
        select(place.personne_id).select_from(Etablissement).join(place, place.id > 0),
        select(select(place.personne_id).subquery().c.personne_id),
        select(Personne.id).where(Personne.id.in_(select(place.personne_id))),
        select(Personne.id).union(select(place.personne_id)),
        select(Personne),
    ]
    actors = [
        (Perimetre(etablissements=frozenset({cast.ecole_a})), {cast.eleve_a, cast.parent_a, cast.deux}),
        (Perimetre(etablissements=frozenset({cast.ecole_b})), {cast.eleve_b, cast.parent_b, cast.deux}),
        (Perimetre(academies=frozenset({cast.academie_a})), {cast.eleve_a, cast.parent_a, cast.deux}),
        (Perimetre(collectivites=frozenset({cast.collectivite_b})), {cast.eleve_b, cast.parent_b, cast.deux}),
        (Perimetre(personne_id=cast.eleve_b, compte_id=1), {cast.eleve_b}),
        (Perimetre(), set()),
    ]
    with app.app_context():
        engine = db.engine

    def work(rank: int) -> None:
        for turn in range(12):
            actor, allowed = actors[(rank + turn) % len(actors)]
            with Session(engine) as own, perimetre(own, actor):
                for statement in statements:
                    found = {getattr(one, "id", one) for one in own.scalars(statement)}
                    assert found <= allowed, (actor, str(statement))
                assert found == allowed
                assert not own.scalars(select(Compte.id)).all()

    assert together(work) == []
