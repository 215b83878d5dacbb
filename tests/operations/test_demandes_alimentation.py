"""Asking to apply or undo a feed: one at a time, whoever asks."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import ConflictError, RuleViolationError
from app.extensions import db, now
from app.models import Alimentation, AlimentationEtablissement, Etablissement, Tache
from app.operations import demandes_alimentation as demandes
from app.operations.saisies import Actor
from app.security.perimetres import TOUT, Perimetre, perimetre


@pytest.fixture
def feed(session):
    """A preview of two schools."""
    row = Alimentation(source="aaf", cle_portee="aaf:18", etat="apercu")
    session.add(row)
    session.flush()
    for number in "12":
        school = Etablissement(uai=f"037000{number}A", nom="Collège", nom_recherche="college")
        session.add(school)
        session.flush()
        session.add(
            AlimentationEtablissement(
                alimentation_id=row.id,
                etablissement_id=school.id,
                uai=school.uai,
                comptes={"eleve": {"crees": 1}},
            )
        )
    session.commit()
    return row


def lines_of(session):
    return session.scalars(select(AlimentationEtablissement).order_by(AlimentationEtablissement.id)).all()


def ask(session, feed, lines, name="Claire Montagné", **more):
    return demandes.ask_apply(session, feed, lines, acteur=Actor(name), **{"accepter_departs": False, **more})


class TestAskApply:
    def test_names_the_schools_left(self, session, feed):
        first, second = lines_of(session)
        first.applique_le = now()
        assert ask(session, feed, [first, second]).parametres["lignes"] == [second.id]

    def test_nothing_left_of_ones_own_never_means_the_schools_of_others(self, session, feed):
        first, _second = lines_of(session)
        first.applique_le = now()
        session.flush()
        mine = Perimetre(etablissements=frozenset({first.etablissement_id}))
        with perimetre(session, mine), pytest.raises(RuleViolationError, match="au moins un établissement"):
            ask(session, feed, [])

    @pytest.mark.parametrize("etat", ["lecture", "appliquee", "annulee", "refusee", "abandonnee"])
    def test_refuses_in_any_other_state_with_a_sentence(self, session, feed, etat):
        feed.etat = etat
        session.flush()
        with pytest.raises(ConflictError, match=r"^Cette alimentation est .*\."):
            ask(session, feed, lines_of(session))

    def test_two_at_once_one_wins_and_the_other_reads_who(self, app, session, feed):
        feed_id, barrier, answers = feed.id, threading.Barrier(2), []
        session.rollback()

        def go(name):
            with app.app_context(), Session(db.engine) as own, perimetre(own, TOUT):
                barrier.wait()
                try:
                    ask(own, own.get_one(Alimentation, feed_id), lines_of(own), name)
                    own.commit()
                    answers.append("oui")
                except ConflictError as error:
                    own.rollback()
                    answers.append(error.message)

        threads = [threading.Thread(target=go, args=(name,)) for name in ("Anne", "Yann")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers.count("oui") == 1
        (said,) = [answer for answer in answers if answer != "oui"]
        assert "a lancé l’application de cette alimentation à l’instant" in said
        assert len(session.scalars(select(Tache)).all()) == 1


class TestRelaunch:
    @pytest.fixture
    def failed(self, session, feed):
        """An application of both schools that failed, and nothing under way."""
        task = ask(session, feed, lines_of(session))
        task.etat = "echec"
        session.commit()
        return task

    def again(self, session, task, name="Anne Le Goff"):
        demandes.relaunch(session, task, limites=demandes.Limites(), acteur=Actor(name))

    def test_goes_on_in_the_name_of_who_asks_now(self, session, failed):
        self.again(session, failed)
        assert (failed.etat, failed.parametres["acteur"]) == ("attente", "Anne Le Goff")
        assert len(failed.parametres["lignes"]) == 2

    def test_not_while_another_feed_of_the_source_is_applied(self, session, feed, failed):
        other = Alimentation(source="aaf", cle_portee=feed.cle_portee, etat="application")
        session.add(other)
        session.flush()
        session.add(
            Tache(
                type=demandes.ANNULER, etat="cours",
                parametres={"alimentation_id": other.id, "acteur": "Yann Riou"},
            )
        )  # fmt: skip
        session.flush()
        with pytest.raises(ConflictError, match="Yann Riou a lancé l’annulation d’une autre alimentation"):
            self.again(session, failed)
        assert failed.etat == "echec"

    def test_another_source_does_not_matter(self, session, failed):
        other = Alimentation(source="siecle", cle_portee="siecle:0370001A", etat="application")
        session.add(other)
        session.flush()
        session.add(Tache(type=demandes.APPLIQUER, etat="cours", parametres={"alimentation_id": other.id}))
        session.flush()
        self.again(session, failed)
        assert failed.etat == "attente"

    def test_a_feed_abandoned_since_stays_so(self, session, feed, failed):
        feed.etat = "abandonnee"
        session.flush()
        with pytest.raises(ConflictError, match="est abandonnée"):
            self.again(session, failed)

    def test_schools_out_of_the_perimeter_of_today_are_refused(self, session, failed):
        first, _second = lines_of(session)
        mine = Perimetre(etablissements=frozenset({first.etablissement_id}))
        with perimetre(session, mine), pytest.raises(RuleViolationError, match="plus dans votre périmètre"):
            self.again(session, failed)
        assert failed.etat == "echec"

    def test_a_reading_is_limited_to_what_may_be_fed_today(self, session):
        task = Tache(
            type=demandes.LIRE, etat="echec", parametres={"depot": "x", "limites": {"tout": True}},
        )  # fmt: skip
        session.add(task)
        session.flush()
        today = demandes.Limites(tout=False, etablissements=(3,))
        demandes.relaunch(session, task, limites=today, acteur=Actor("Anne"))
        assert task.parametres["limites"] == {"tout": False, "academies": (), "etablissements": (3,)}


class TestAskUndo:
    def test_only_what_is_applied(self, session, feed):
        with pytest.raises(ConflictError, match="pas encore appliquée"):
            demandes.ask_undo(session, feed, acteur=Actor("A"))
        feed.etat = "appliquee"
        session.flush()
        assert demandes.ask_undo(session, feed, acteur=Actor("A")).type == "alimentation.annuler"

    def test_not_while_it_is_applied(self, session, feed):
        ask(session, feed, lines_of(session))
        feed.etat = "application"
        session.flush()
        with pytest.raises(ConflictError, match="a lancé"):
            demandes.ask_undo(session, feed, acteur=Actor("A"))
