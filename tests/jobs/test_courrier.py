"""Sending mail: once whatever is killed, tried again when the server is away, told when it is hopeless."""

import email
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from email.policy import default
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.extensions import now
from app.jobs import courrier
from app.models import Courriel
from app.operations import courriels
from tests.jobs.conftest import until
from tests.support.courrier import Mailbox

Spawn = Callable[..., subprocess.Popen[bytes]]


def smtp_settings(app: Flask) -> dict[str, str]:
    return {"courriel_serveur": app.extensions["reglages"].courriel_serveur, "courriel_tls": "aucun"}


def queued(session: Session, **values: Any) -> int:
    mail = courriels.queue(
        session, **{"destinataire": "zoe@exemple.fr", "objet": "Été à l’école", "texte": "Bonjour"} | values
    )
    session.commit()
    return mail.id


def read(session: Session, id_: int) -> Courriel:
    row = session.get_one(Courriel, id_, populate_existing=True)
    session.commit()  # no transaction stays open: SQLite has one writer
    return row


def make_due(session: Session) -> None:
    session.execute(update(Courriel).values(prochain_le=now() - timedelta(seconds=1)))
    session.commit()


class TestDelivery:
    def test_sends_each_mail_once(self, app: Flask, session: Session, mailbox: Mailbox) -> None:
        id_ = queued(session, html="<p>Bonjour</p>")
        queued(session, destinataire="leo@exemple.fr")
        assert courrier.send_due(app) == 2
        assert courrier.send_due(app) == 0
        message = mailbox.received[0]
        assert (message["To"], message["Subject"]) == ("zoe@exemple.fr", "Été à l’école")
        assert message.get_body(("html",)).get_content().strip() == "<p>Bonjour</p>"
        assert len(mailbox.received) == 2
        sent = read(session, id_)
        assert sent.etat == "envoye"
        assert sent.envoye_le is not None

    def test_without_server_in_demo_mode_a_mail_is_one_file(self, app: Flask, session: Session) -> None:
        id_ = queued(session)
        courrier.send_due(app)
        read(session, id_).etat = "attente"
        session.commit()
        courrier.send_due(app)
        files = list((app.extensions["reglages"].dossier / "courriels").iterdir())
        assert len(files) == 1
        assert email.message_from_bytes(files[0].read_bytes(), policy=default)["To"] == "zoe@exemple.fr"

    def test_two_senders_at_once_send_each_mail_once(
        self, app: Flask, session: Session, mailbox: Mailbox
    ) -> None:
        for number in range(12):
            queued(session, destinataire=f"a{number}@exemple.fr")
        threads = [threading.Thread(target=courrier.send_due, args=(app,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(message["To"] for message in mailbox.received) == sorted(
            f"a{number}@exemple.fr" for number in range(12)
        )


class TestFailure:
    @pytest.mark.parametrize("step", ["RCPT", "DATA"])
    def test_a_final_refusal_is_told_at_once(
        self, app: Flask, session: Session, mailbox: Mailbox, step: str
    ) -> None:
        mailbox.answers[step] = "550 No such user"
        id_ = queued(session)
        courrier.send_due(app)
        mail = read(session, id_)
        assert (mail.etat, mail.essais) == ("echec", 1)
        assert "550" in (mail.erreur or "")
        assert "No such user" not in (mail.erreur or "")

    def test_a_passing_refusal_waits_longer_each_time_then_gives_up_after_eight(
        self, app: Flask, session: Session, mailbox: Mailbox
    ) -> None:
        mailbox.answers["RCPT"] = "451 Try again later"
        id_ = queued(session)
        waits = []
        for attempt in range(1, 8):
            courrier.send_due(app)
            mail = read(session, id_)
            assert (mail.etat, mail.essais) == ("attente", attempt)
            waits.append(mail.prochain_le - now())
            assert courrier.send_due(app) == 0
            make_due(session)
        assert waits == sorted(waits)
        assert timedelta(hours=40) < sum(waits, timedelta()) < timedelta(hours=48)
        courrier.send_due(app)
        assert (read(session, id_).etat, read(session, id_).essais) == ("echec", 8)

    def test_a_server_that_comes_back_gets_the_mail(
        self, app: Flask, session: Session, mailbox: Mailbox
    ) -> None:
        settings = app.extensions["reglages"]
        right, settings.courriel_serveur = settings.courriel_serveur, "127.0.0.1:1"
        id_ = queued(session)
        courrier.send_due(app)
        assert read(session, id_).etat == "attente"
        settings.courriel_serveur = right
        make_due(session)
        courrier.send_due(app)
        mail = read(session, id_)
        assert (mail.etat, mail.erreur, len(mailbox.received)) == ("envoye", None, 1)

    def test_a_failed_mail_replayed_leaves(self, app: Flask, session: Session, mailbox: Mailbox) -> None:
        mailbox.answers["RCPT"] = "550 No"
        id_ = queued(session)
        courrier.send_due(app)
        mailbox.answers.clear()
        courriels.replay(session, read(session, id_))
        session.commit()
        courrier.send_due(app)
        assert read(session, id_).etat == "envoye"


class TestKill:
    @pytest.mark.parametrize(("step", "delivered"), [("RCPT", 1), ("DATA", 2)])
    def test_a_sender_killed_leaves_a_mail_that_is_sent_again_with_the_same_identifier(
        self, app: Flask, session: Session, mailbox: Mailbox, spawn: Spawn, step: str, delivered: int
    ) -> None:
        id_ = queued(session)
        mailbox.hold_at = step
        sender = spawn("courrier", **smtp_settings(app))
        until(mailbox.held.is_set)
        sender.kill()
        sender.wait()
        mailbox.hold_at = ""
        mailbox.release.set()
        assert read(session, id_).etat == "envoi"
        assert courrier.send_due(app) == 0, "its lease still runs"
        make_due(session)
        assert courrier.send_due(app) == 1
        assert read(session, id_).etat == "envoye"
        assert len(mailbox.received) == delivered
        assert len({message["Message-ID"] for message in mailbox.received}) == 1

    def test_interrupted_twice_it_waits_for_a_person(
        self, app: Flask, session: Session, mailbox: Mailbox
    ) -> None:
        id_ = queued(session)
        session.execute(update(Courriel).values(etat="envoi", erreur=courrier.INTERRUPTED, essais=2))
        session.commit()
        make_due(session)
        assert courrier.send_due(app) == 0
        assert read(session, id_).etat == "echec"
        assert mailbox.received == []
