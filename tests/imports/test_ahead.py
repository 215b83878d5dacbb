"""Reading in another process gives what reading here gives, and never outlives who asked."""

from __future__ import annotations

import os
import pickle
import signal
from pathlib import Path

import pytest

from app.errors import UserError
from app.imports import ahead, open_sources
from app.imports.ahead import read_ahead
from app.operations.alimentation.fiches import Anomalie, Fiche
from tests.imports.conftest import aaf, attr, eleve, etab


def children() -> list[int]:
    return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]


def stated(items):
    return [
        item if isinstance(item, Anomalie)
        else (item.objet, item.cle, item.empreinte, item.ligne, item.uai, item.operation, item.lire())
        for item in items
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    """Any file is worth a process; several lots are sent."""
    monkeypatch.setattr(ahead, "WORTH_IT", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})


@pytest.fixture
def beaucoup(ecrire):
    """A school and more pupils than two lots, some wrong, one with an attribute nobody knows."""
    pupils = "".join(
        eleve(
            str(rang),
            attr("Inconnu", "x") if rang == 7 else "",
            naissance="31/02/2012" if rang % 500 == 0 else "02/03/2012",
        )
        for rang in range(1, 2300)
    )
    return [
        ecrire("x_EtabEducNat_0000.xml", aaf(etab("43"))),
        ecrire("x_Eleve_0000.xml", aaf(pupils)),
    ]


class TestAhead:
    def test_says_the_same_as_reading_here(self, beaucoup):
        with open_sources(beaucoup) as source:
            here = stated(source.objets())
            unknown = dict(source.entete.attributs_inconnus)
        with open_sources(beaucoup) as source:
            there = stated(read_ahead(source, beaucoup))
            assert there == here
            assert source.entete.attributs_inconnus == unknown == {"Inconnu": 1}
        assert children() == []

    @pytest.mark.parametrize("nouveaux", [False, True], ids=["converted here", "converted there"])
    def test_an_object_says_the_same_wherever_it_is_converted(self, beaucoup, nouveaux):
        with open_sources(beaucoup) as source:
            items = [item for item in source.objets() if not isinstance(item, Anomalie)]
        expected = stated(items)
        sent = [pickle.loads(pickle.dumps(ahead._packed(item, nouveaux))) for item in items]
        assert stated([Fiche(*fields) for _whole, fields in sent]) == expected
        with open_sources(beaucoup) as source:
            there = stated(read_ahead(source, beaucoup, nouveaux=nouveaux))
        assert [item for item in there if isinstance(item, tuple)] == expected

    def test_a_damaged_file_is_refused_in_the_same_words(self, beaucoup):
        beaucoup[1].write_text(beaucoup[1].read_text()[:-40])
        with open_sources(beaucoup) as source, pytest.raises(UserError) as here:
            list(source.objets())
        with open_sources(beaucoup) as source, pytest.raises(UserError) as there:
            list(read_ahead(source, beaucoup))
        assert there.value.message == here.value.message

    def test_schools_known_to_the_base_are_told(self, beaucoup):
        known = {"43": "0350001L"}
        with open_sources(beaucoup[1:], structures=known) as source:
            assert {item[4] for item in stated(read_ahead(source, beaucoup[1:], known))
                    if isinstance(item, tuple)} == {"0350001L"}  # fmt: skip

    def test_ends_when_nobody_listens_any_more(self, beaucoup):
        with open_sources(beaucoup) as source:
            objects = read_ahead(source, beaucoup)
            next(objects)
            assert len(children()) == 1
            objects.close()
        assert children() == []

    def test_killed_it_is_a_sentence(self, beaucoup):
        with open_sources(beaucoup) as source:
            objects = read_ahead(source, beaucoup)
            next(objects)
            os.kill(children()[0], signal.SIGKILL)
            with pytest.raises(UserError, match="s’est arrêtée en chemin"):
                list(objects)

    def test_small_files_are_read_here(self, beaucoup, monkeypatch):
        monkeypatch.setattr(ahead, "WORTH_IT", 100 << 20)
        with open_sources(beaucoup) as source:
            objects = read_ahead(source, beaucoup)
            next(objects)
            assert children() == []
