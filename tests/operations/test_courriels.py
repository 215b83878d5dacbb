"""Queueing mail: once per key, and no way to forge a header."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError, UserError
from app.models import Courriel
from app.operations import courriels


class TestQueue:
    def test_waits_until_the_worker_sends_it(self, session: Session) -> None:
        mail = courriels.queue(session, destinataire=" zoe@exemple.fr ", objet="Été", texte="Bonjour")
        assert (mail.etat, mail.destinataire, mail.objet, mail.essais) == (
            "attente",
            "zoe@exemple.fr",
            "Été",
            0,
        )

    def test_the_same_key_twice_is_one_mail(self, session: Session) -> None:
        one = courriels.queue(session, destinataire="a@b.fr", objet="1", texte="x", cle="alerte:7")
        two = courriels.queue(session, destinataire="a@b.fr", objet="2", texte="y", cle="alerte:7")
        assert (one.id, two.objet) == (two.id, "1")
        assert session.scalar(select(func.count()).select_from(Courriel)) == 1

    @pytest.mark.parametrize(
        "address",
        ["a@b.fr\r\nBcc: c@d.fr", "a@b.fr, c@d.fr", "", "sans-arobase", "a@", "@b.fr", "a" * 260 + "@b.fr"],
    )
    def test_refuses_what_is_not_one_address(self, session: Session, address: str) -> None:
        with pytest.raises(UserError) as refusal:
            courriels.queue(session, destinataire=address, objet="x", texte="x")
        assert refusal.value.field == "destinataire"

    @pytest.mark.parametrize("subject", ["a\r\nBcc: c@d.fr", "a\nb", "x" * 256])
    def test_refuses_a_subject_of_two_lines_or_too_long(self, session: Session, subject: str) -> None:
        with pytest.raises(UserError) as refusal:
            courriels.queue(session, destinataire="a@b.fr", objet=subject, texte="x")
        assert refusal.value.field == "objet"

    def test_keeps_text_composed_and_free_of_what_no_engine_stores(self, session: Session) -> None:
        mail = courriels.queue(session, destinataire="a@b.fr", objet="x", texte="e\u0301\0\ud800")
        session.commit()
        assert mail.texte == "é?"


class TestReplayAndCancel:
    def test_a_failed_mail_is_queued_again(self, session: Session) -> None:
        mail = courriels.queue(session, destinataire="a@b.fr", objet="x", texte="x")
        mail.etat, mail.essais, mail.erreur = "echec", 8, "injoignable"
        courriels.replay(session, mail)
        assert (mail.etat, mail.essais, mail.erreur) == ("attente", 0, None)

    @pytest.mark.parametrize("state", ["attente", "envoi", "envoye"])
    def test_others_are_not_replayed(self, session: Session, state: str) -> None:
        mail = courriels.queue(session, destinataire="a@b.fr", objet="x", texte="x")
        mail.etat = state
        with pytest.raises(RuleViolationError):
            courriels.replay(session, mail)

    @pytest.mark.parametrize(("state", "refused"), [("attente", False), ("envoi", True), ("envoye", True)])
    def test_only_a_mail_that_has_not_left_is_cancelled(
        self, session: Session, state: str, refused: bool
    ) -> None:
        mail = courriels.queue(session, destinataire="a@b.fr", objet="x", texte="x")
        mail.etat = state
        if refused:
            with pytest.raises(RuleViolationError):
                courriels.cancel(session, mail)
        else:
            courriels.cancel(session, mail)
        assert mail.etat == (state if refused else "annule")
