"""Signing in and out, as a browser does it."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from sqlalchemy import select, update

from app.extensions import now
from app.models import Compte, EssaiConnexion, Journal, SessionCompte
from app.operations import comptes
from app.security.passwords import hash_password
from tests.security.conftest import MOT_DE_PASSE, attribuer, compte, connecte, entrer, jeton, refus

ICI = "http://localhost"


@pytest.fixture
def claire(session, cast):
    row = compte(session, "claire.montagne")
    attribuer(session, row, "correspondant", etablissement_id=cast.ecole_a)
    session.commit()
    return row


class TestConnexion:
    def test_the_right_password_opens_the_page_that_was_asked(self, client, claire, session):
        asked = client.get("/mon-espace/mot-de-passe")
        assert asked.status_code == 302
        assert asked.location.startswith("/connexion?next=")
        answer = entrer(client, "Claire.Montagne", next="/mon-espace/mot-de-passe")
        assert (answer.status_code, answer.location) == (302, "/mon-espace/mot-de-passe")
        assert connecte(client)
        assert session.scalars(select(Journal.acte)).all() == ["connexion.ouvrir"]

    def test_each_login_is_dated_and_counted_on_the_account(self, client, claire, session):
        before = now()
        entrer(client, "claire.montagne", "pas le bon mot de passe")
        entrer(client, "claire.montagne")
        entrer(client.application.test_client(), "claire.montagne")
        session.rollback()
        session.refresh(claire)
        assert claire.login_count == 2
        assert before <= claire.last_login.replace(tzinfo=UTC) <= now()

    def test_an_admin_login_is_sent_to_the_plain_one(self, client, claire):
        answer = entrer(client, "admin.claire.montagne")
        assert refus(answer) == (
            "Le compte admin.claire.montagne ouvre l’ENT, pas la console. "
            "Connectez-vous avec claire.montagne."
        )
        assert not connecte(client)

    def test_unknown_wrong_deleted_and_disabled_read_the_same(self, client, session, cast):
        for login, values in {
            "est.supprime": {"supprime_le": now()},
            "est.desactive": {"active": False},
            "est.la": {},
        }.items():
            row = compte(session, login)
            for name, value in values.items():
                setattr(row, name, value)
        session.commit()
        answers = [
            entrer(client, "personne.inconnue"),
            entrer(client, "est.la", "pas le bon mot de passe"),
            entrer(client, "est.supprime"),
            entrer(client, "est.desactive"),
            entrer(client, "est.la", "x" * 1_000_000),
        ]
        assert {answer.status_code for answer in answers} == {200}
        assert {refus(answer) for answer in answers} == {
            "Identifiant ou mot de passe incorrect. Vérifiez les deux, majuscules comprises."
        }
        bodies = {
            re.sub(r'name="csrf_token" value="[^"]*"|nonce="[^"]*"|value="[^"]*" autocomplete', "", a.text)
            for a in answers
        }
        assert len(bodies) == 1

    def test_suspended_reads_why_after_the_right_password_only(self, client, session, claire):
        comptes.suspendre(session, claire, "départ en cours d’année")
        session.commit()
        assert refus(entrer(client, "claire.montagne", "faux mot de passe")).startswith("Identifiant ou mot")
        assert refus(entrer(client, "claire.montagne")) == (
            "Votre compte est suspendu. Motif\u00a0: départ en cours d’année. "
            "Adressez-vous à l’administrateur local de votre établissement."
        )
        assert not connecte(client)

    def test_failures_are_journalled_without_what_was_typed(self, client, session, claire):
        entrer(client, "claire.montagne", "un mot de passe faux")
        entrer(client, "mot de passe tapé au mauvais endroit", "x")
        lines = session.execute(select(Journal.acte, Journal.acteur).order_by(Journal.id)).all()
        assert lines == [
            ("connexion.refuser", "claire.montagne"),
            ("connexion.refuser", "identifiant inconnu"),
        ]

    def test_an_old_digest_is_made_again(self, client, session, claire):
        from argon2 import PasswordHasher

        weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(MOT_DE_PASSE)
        claire.password = weak
        session.commit()
        assert entrer(client, "claire.montagne").status_code == 302
        session.expire_all()
        assert "m=19456,t=2" in session.get(Compte, claire.id).password


class TestSuite:
    @pytest.mark.parametrize(
        "tricky",
        [
            "https://mechant.fr/",
            "//mechant.fr/",
            "/\\mechant.fr",
            "\\\\mechant.fr",
            "javascript:alert(1)",
            "http:///mechant.fr",
            "http://localhost@mechant.fr/",
            "http://localhost.mechant.fr/",
            "/%0d%0aSet-Cookie:x=1\r\nx",
            "/connexion?next=/connexion",
            "///mechant.fr",
            "\t//mechant.fr",
        ],
    )
    def test_only_ones_own_host(self, client, claire, tricky):
        answer = entrer(client, "claire.montagne", next=tricky)
        assert (answer.status_code, answer.location) == (302, "/")

    @pytest.mark.parametrize("target", [f"{ICI}/mon-espace/mot-de-passe?a=1", "/mon-espace/mot-de-passe?a=1"])
    def test_own_paths_are_followed(self, client, claire, target):
        assert entrer(client, "claire.montagne", next=target).location == "/mon-espace/mot-de-passe?a=1"

    def test_a_forged_host_is_refused(self, client, claire):
        assert client.get("/connexion", headers={"Host": "mechant.fr"}).status_code == 400
        asked = client.get("/mon-espace/mot-de-passe", headers={"X-Forwarded-Host": "mechant.fr"})
        assert "mechant" not in asked.location


class TestJetonCsrf:
    def test_a_login_from_elsewhere_is_refused_and_keeps_the_login(self, client, claire):
        answer = client.post("/connexion", data={"identifiant": "claire.montagne", "mdp": MOT_DE_PASSE})
        assert answer.status_code == 400
        assert "ouverte depuis trop longtemps" in refus(answer)
        assert 'value="claire.montagne"' in answer.get_data(as_text=True)
        assert not connecte(client)

    def test_other_forms_give_back_what_was_typed_but_no_secret(self, client, claire):
        entrer(client, "claire.montagne")
        data = {"nouveau_mot_de_passe": "chut", "remarque": "à garder"}
        answer = client.post("/mon-espace/mot-de-passe", data=data)
        assert answer.status_code == 400
        page = answer.get_data(as_text=True)
        assert "à garder" in page
        assert "chut" not in page


class TestSessions:
    def test_the_session_changes_at_login(self, client, claire, session):
        with client.session_transaction() as before:
            before["jeton"] = "posé-par-un-autre"
            before["reste"] = "d’avant"
        entrer(client, "claire.montagne")
        with client.session_transaction() as after:
            assert after["jeton"] != "posé-par-un-autre"
            assert "reste" not in after
            assert session.scalars(select(SessionCompte.jeton)).one() != after["jeton"]

    def rejouer(self, app, cookie):
        other = app.test_client()
        other.set_cookie("preau", cookie)
        return connecte(other)

    def test_a_cookie_replayed_after_logout(self, app, client, claire):
        entrer(client, "claire.montagne")
        cookie = client.get_cookie("preau").value
        assert self.rejouer(app, cookie)
        asked = client.get("/deconnexion")
        assert asked.status_code == 200
        assert connecte(client), "a link alone signs nobody out"
        client.post("/deconnexion", data={"csrf_token": jeton(client, "/deconnexion")})
        assert not connecte(client)
        assert not self.rejouer(app, cookie)

    @pytest.mark.parametrize("act", ["suspension", "suppression", "role", "retrait", "desactivation"])
    def test_a_cookie_replayed_after_an_act_on_the_account(self, app, client, claire, session, cast, act):
        entrer(client, "claire.montagne")
        row = session.get(Compte, claire.id)
        match act:
            case "suspension":
                comptes.suspendre(session, row, "essai")
            case "suppression":
                comptes.supprimer(session, row)
            case "role":
                comptes.attribuer(session, row, "chef_etablissement", etablissement_id=cast.ecole_a)
            case "retrait":
                comptes.retirer(session, row.attributions[0])
            case "desactivation":
                row.active = False
        session.commit()
        assert not connecte(client)

    def test_too_old_or_idle(self, client, claire, session):
        from datetime import timedelta

        for column, hours in (("vue_le", 3), ("debut", 13)):
            entrer(client, "claire.montagne")
            assert connecte(client)
            session.execute(update(SessionCompte).values({column: now() - timedelta(hours=hours)}))
            session.commit()
            assert not connecte(client)

    def test_seen_is_written_every_five_minutes_only(self, client, claire, session):
        from datetime import timedelta

        entrer(client, "claire.montagne")
        for minutes, written in ((3, False), (6, True)):
            stamp = now() - timedelta(minutes=minutes)
            session.execute(update(SessionCompte).values(vue_le=stamp))
            session.commit()
            connecte(client)
            session.expire_all()
            assert (session.scalars(select(SessionCompte.vue_le)).one() != stamp) is written

    def test_pages_set_no_cookie(self, client, claire):
        entrer(client, "claire.montagne")
        client.get("/mon-espace/mot-de-passe")
        assert "Set-Cookie" not in client.get("/mon-espace/mot-de-passe").headers


class TestMotDePasse:
    NOUVEAU = "quatre hérissons au marché"

    def changer(self, client, **values):
        data = {"actuel": MOT_DE_PASSE, "nouveau": self.NOUVEAU, "encore": self.NOUVEAU, **values}
        path = "/mon-espace/mot-de-passe"
        return client.post(path, data={**data, "csrf_token": jeton(client, path)})

    def test_it_changes_and_the_other_sessions_end(self, app, client, claire, session):
        other = app.test_client()
        entrer(other, "claire.montagne")
        entrer(client, "claire.montagne")
        assert self.changer(client).status_code == 302
        assert connecte(client)
        assert not connecte(other)
        assert entrer(app.test_client(), "claire.montagne").status_code == 200
        assert entrer(app.test_client(), "claire.montagne", self.NOUVEAU).status_code == 302
        assert "compte.changer_secret" in session.scalars(select(Journal.acte)).all()

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"actuel": "pas le mien"}, "Ce n’est pas votre mot de passe actuel."),
            ({"encore": "autre chose"}, "Les deux saisies diffèrent"),
            ({"nouveau": "court", "encore": "court"}, "trop court"),
            ({"nouveau": "motdepasse2026!", "encore": "motdepasse2026!"}, "trop courant"),
        ],
    )
    def test_refusals_stay_on_the_form(self, client, claire, values, sentence):
        entrer(client, "claire.montagne")
        answer = self.changer(client, **values)
        assert answer.status_code == 200
        assert sentence in answer.get_data(as_text=True)

    def test_guessing_the_current_one_is_slowed(self, client, claire):
        entrer(client, "claire.montagne")
        pages = [self.changer(client, actuel=f"faux {n}").get_data(as_text=True) for n in range(8)]
        assert "Trop d’essais" in pages[-1]


def test_tables_of_throttle_keep_no_login(client, claire, session):
    entrer(client, "claire.montagne", "faux mot de passe")
    assert not any("claire" in cle for cle in session.scalars(select(EssaiConnexion.cle)))
    assert hash_password("a") != hash_password("a")
