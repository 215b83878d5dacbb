"""Asking for, cancelling and relaunching a task."""

import pytest
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.operations import taches


def test_a_request_waits_and_is_to_be_enqueued_after_commit(session: Session) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={"n": 1})
    assert (tache.etat, tache.parametres, taches.percent(tache)) == ("attente", {"n": 1}, None)
    assert session.info[taches.REQUESTED] == [tache.id]


def test_a_request_rolled_back_is_forgotten(session: Session) -> None:
    taches.request(session, "essai", libelle="Essai", parametres={})
    session.rollback()
    assert taches.REQUESTED not in session.info


def test_cancelling_a_waiting_task_ends_it_at_once(session: Session) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={})
    taches.cancel(session, tache)
    assert tache.etat == "annulee"
    assert tache.fin_le is not None


def test_cancelling_a_running_task_asks_it_to_stop(session: Session) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={})
    tache.etat = "cours"
    taches.cancel(session, tache)
    assert (tache.etat, tache.annulation_demandee) == ("cours", True)


@pytest.mark.parametrize("state", ["finie", "echec", "annulee"])
def test_a_task_that_is_over_cannot_be_cancelled(session: Session, state: str) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={})
    tache.etat = state
    with pytest.raises(RuleViolationError):
        taches.cancel(session, tache)


def test_relaunching_keeps_the_cursor(session: Session) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={})
    tache.etat, tache.essais, tache.curseur, tache.annulation_demandee = "annulee", 3, {"n": 4}, True
    taches.relaunch(session, tache)
    assert (tache.etat, tache.essais, tache.curseur, tache.annulation_demandee) == (
        "attente",
        0,
        {"n": 4},
        False,
    )


@pytest.mark.parametrize("state", ["attente", "cours", "finie"])
def test_only_a_failed_or_cancelled_task_is_relaunched(session: Session, state: str) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={})
    tache.etat = state
    with pytest.raises(RuleViolationError):
        taches.relaunch(session, tache)


@pytest.mark.parametrize(
    ("state", "done", "total", "expected"),
    [("cours", 1, None, None), ("cours", 5, 10, 50), ("cours", 10, 10, 99), ("finie", 0, None, 100)],
)
def test_percent(session: Session, state: str, done: int, total: int | None, expected: int | None) -> None:
    tache = taches.request(session, "essai", libelle="Essai", parametres={})
    tache.etat, tache.fait, tache.total = state, done, total
    assert taches.percent(tache) == expected
