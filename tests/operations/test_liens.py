"""Links to choose a password: sent, single use, expiring, three an hour, never readable by who asks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import db, now
from app.jobs import courrier, oublis
from app.models import (
    Attribution,
    Compte,
    Courriel,
    DemandeLien,
    Etablissement,
    Journal,
    LienMotDePasse,
    Personne,
)
from app.operations import liens
from app.operations import oublis as forgotten
from app.operations.comptes import retablir, suspendre
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from app.operations.sessions import find_open, open_session
from app.security.mur import Perimetre
from app.security.perimetres import TOUT, perimetre
from tests.security.conftest import compte, personne

CHEF = Actor("Claire Montagne", 1)


@pytest.fixture
def ici(app):
    return Deployment.of(app.extensions["reglages"])


@pytest.fixture
def zoe(session, cast):
    row = session.get(Personne, cast.parent_a)
    row.login, row.email = "jeanne.parenta", "jeanne@exemple.fr"
    session.commit()
    return row


def send(session, who, ici, **more):
    mail = liens.nouveau_mot_de_passe(session, who, CHEF, deployment=ici, **more)
    session.commit()
    return mail


def deliver(app, session):
    """Let the worker send what is due; no transaction of the test stays open (SQLite has one writer)."""
    session.commit()
    return courrier.send_due(app)


class TestNouveauMotDePasse:
    def test_the_mail_leaves_with_a_link_nobody_else_may_read(self, app, session, zoe, ici, mailbox, cast):
        mail = send(session, zoe, ici, etablissement_id=cast.ecole_a)
        kept = f"{mail.texte} {mail.html} {mail.secret} {mail.objet}"
        assert "/connexion/lien/" not in kept
        assert "connu du seul destinataire" in mail.texte
        assert deliver(app, session) == 1
        message = mailbox.received[0]
        token = mailbox.link().rpartition("/")[2]
        assert (message["To"], message["Subject"]) == ("jeanne@exemple.fr", "Activez votre compte")
        assert f"/connexion/lien/{token}" in message.get_body(("html",)).get_content()
        assert "jeanne.parenta" in message.get_body(("plain",)).get_content()
        session.expire_all()
        assert session.get(Courriel, mail.id).secret is None, "a mail that left keeps nothing"
        lien = session.scalars(select(LienMotDePasse)).one()
        assert (lien.empreinte != token, len(token) >= 43) == (True, True)
        line = session.scalars(select(Journal).where(Journal.acte == "compte.envoyer_lien")).one()
        assert (line.acteur, line.etablissement_id) == ("Claire Montagne", cast.ecole_a)
        assert line.objet_id == zoe.id
        assert token not in str(line.apres)

    def test_another_key_sends_no_link(self, app, session, zoe, ici, mailbox):
        mail = send(session, zoe, ici)
        app.extensions["reglages"].cle_codes = "z" * 40
        deliver(app, session)
        session.expire_all()
        assert (session.get(Courriel, mail.id).etat, mailbox.received) == ("echec", [])

    def test_who_cannot_be_helped_is_said_so(self, session, zoe, ici):
        def refusal():
            with pytest.raises(RuleViolationError) as refused:
                liens.nouveau_mot_de_passe(session, zoe, CHEF, deployment=ici)
            return refused.value.message

        zoe.email = None
        assert "n’a pas d’adresse e-mail" in refusal()
        zoe.email, zoe.login = "jeanne@exemple.fr", None
        assert "n’a pas d’identifiant" in refusal()
        account = compte(session, "jeanne.parenta", personne=zoe)
        suspendre(session, account, "essai")
        assert "est suspendu" in refusal()
        account.supprime_le = now()
        assert "est fermé" in refusal()
        zoe.supprime_le = now()
        assert "Suppressions" in refusal()
        zoe.supprime_le = account.supprime_le = None
        retablir(session, account)
        session.delete(account)
        zoe.login = "jeanne.parenta"
        session.flush()
        with pytest.raises(RuleViolationError, match="pas encore activé"):
            liens.nouveau_mot_de_passe_scolarite(session, zoe, CHEF, deployment=ici)
        assert session.scalar(select(func.count()).select_from(Courriel)) == 0

    def test_three_mails_an_hour_and_the_last_link_alone_serves(self, app, session, zoe, ici, mailbox):
        for _ in range(3):
            send(session, zoe, ici)
        with pytest.raises(RuleViolationError, match="depuis une heure"):
            send(session, zoe, ici)
        session.rollback()
        assert deliver(app, session) == 3
        tokens = [mailbox.link(rank).rpartition("/")[2] for rank in range(3)]
        assert [liens.find(session, token) is not None for token in tokens] == [False, False, True]
        session.execute(update(LienMotDePasse).values(cree_le=now() - timedelta(minutes=61)))
        assert send(session, zoe, ici)

    def test_a_perimeter_that_holds_the_person_is_enough(self, app, session, zoe, ici, cast):
        """As in a page: the wall is up, the links are nobody's, and they are counted all the same."""
        here, number = Perimetre(etablissements=frozenset({cast.ecole_a}), compte_id=1), zoe.id
        session.commit()
        with app.app_context(), Session(db.engine) as own, perimetre(own, here):
            who = own.get(Personne, number)
            for _ in range(3):
                liens.nouveau_mot_de_passe(own, who, CHEF, deployment=ici, etablissement_id=cast.ecole_a)
            with pytest.raises(RuleViolationError, match="depuis une heure"):
                liens.nouveau_mot_de_passe(own, who, CHEF, deployment=ici, etablissement_id=cast.ecole_a)
            own.commit()


class TestChoisir:
    def jeton(self, app, session, zoe, ici, mailbox):
        send(session, zoe, ici)
        deliver(app, session)
        return mailbox.link().rpartition("/")[2]

    def test_a_person_without_account_activates_it(self, app, session, zoe, ici, mailbox):
        token = self.jeton(app, session, zoe, ici, mailbox)
        before = zoe.code_generation
        account = liens.choisir_mot_de_passe(session, token, "empreinte", deployment=ici)
        session.commit()
        assert (account.username, account.password, account.adresse) == (
            "jeanne.parenta",
            "empreinte",
            "jeanne@exemple.fr",
        )
        assert session.scalars(select(Attribution.role)).all() == ["responsable"]
        session.refresh(zoe)
        assert zoe.code_generation == before + 1, "the activation code is dead too"
        assert liens.find(session, token) is None
        deliver(app, session)
        assert mailbox.received[-1]["Subject"] == "Votre compte est activé"

    def test_a_new_password_ends_every_session_and_is_told(self, app, session, zoe, ici, mailbox):
        account = compte(session, "jeanne.parenta", personne=zoe)
        cookie = open_session(session, account)
        token = self.jeton(app, session, zoe, ici, mailbox)
        assert mailbox.received[0]["Subject"] == "Choisissez votre mot de passe"
        liens.choisir_mot_de_passe(session, token, "nouvelle", deployment=ici)
        session.commit()
        assert find_open(session, cookie, heures=12) is None
        session.refresh(account)
        assert account.password == "nouvelle"
        deliver(app, session)
        assert mailbox.received[-1]["Subject"] == "Votre mot de passe a changé"

    def test_expired_spent_or_suspended(self, app, session, zoe, ici, mailbox):
        token = self.jeton(app, session, zoe, ici, mailbox)
        with time_machine.travel(now() + liens.DUREE + timedelta(seconds=1)):
            assert liens.find(session, token) is None
        account = compte(session, "jeanne.parenta", personne=zoe)
        suspendre(session, account, "départ")
        session.commit()
        with pytest.raises(RuleViolationError, match="départ"):
            liens.choisir_mot_de_passe(session, token, "x", deployment=ici)
        retablir(session, account)
        session.commit()
        liens.choisir_mot_de_passe(session, token, "x", deployment=ici)
        with pytest.raises(RuleViolationError, match="déjà servi"):
            liens.choisir_mot_de_passe(session, token, "y", deployment=ici)

    def test_twenty_at_once_one_succeeds(self, app, session, zoe, ici, mailbox):
        token = self.jeton(app, session, zoe, ici, mailbox)
        session.close()
        barrier, outcomes = threading.Barrier(20), []

        def choose(number):
            with app.app_context(), Session(db.engine) as own, perimetre(own, TOUT):
                barrier.wait(30)
                try:
                    liens.choisir_mot_de_passe(own, token, f"empreinte {number}", deployment=ici)
                    own.commit()
                    outcomes.append(True)
                except RuleViolationError:
                    own.rollback()
                    outcomes.append(False)

        threads = [threading.Thread(target=choose, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == [False] * 19 + [True]
        assert session.scalar(select(func.count()).select_from(Compte)) == 1


class TestOubli:
    def test_everybody_gets_what_is_theirs_and_nobody_more_than_three(
        self, app, session, zoe, ici, mailbox, cast
    ):
        account = compte(session, "jeanne.parenta", personne=zoe)
        away = compte(session, "paul.absent")
        suspendre(session, away, "congé")
        gone = compte(session, "est.supprime")
        gone.supprime_le = now()
        session.commit()
        for typed in [
            *["Jeanne.ParentA "] * 100,
            "jeanne@exemple.fr",
            "paul.absent",
            "est.supprime",
            "inconnue",
            "\0\ud800",
        ]:
            forgotten.demander(session, typed)
        session.commit()
        assert [oublis.answer_due(app) for _ in range(3)] == [3, 0, 1], "fifty at a time"
        assert session.scalar(select(func.count()).select_from(DemandeLien)) == 0
        deliver(app, session)
        assert sorted((m["To"], m["Subject"]) for m in mailbox.received) == [
            *[("jeanne@exemple.fr", "Choisissez votre mot de passe")] * 3,
            ("paul.absent@exemple.fr", "Votre compte est suspendu"),
        ]
        assert account.id
        assert "Quelqu’un" in mailbox.received[0].get_body(("plain",)).get_content()

    def test_a_shared_address_gets_one_link_for_each_account(self, app, session, zoe, ici, mailbox, cast):
        school = session.get(Etablissement, cast.ecole_a)
        other = personne(session, "PARENTc", "Luc", (school, "responsable"))
        other.email, other.login = "jeanne@exemple.fr", "luc.parentc"
        for who in (zoe, other):
            compte(session, who.login, personne=who)
        forgotten.demander(session, "jeanne@exemple.fr")
        session.commit()
        assert oublis.answer_due(app) == 2
        deliver(app, session)
        texts = "".join(m.get_body(("plain",)).get_content() for m in mailbox.received)
        assert "jeanne.parenta" in texts
        assert "luc.parentc" in texts
