"""First connection, forgotten password, links: what one does without a session, and what one learns."""

from __future__ import annotations

import logging
import re
import statistics
import threading
import time
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.extensions import now
from app.jobs import courrier, oublis
from app.models import Attribution, Compte, DemandeLien, EssaiConnexion, Journal, LienMotDePasse, Personne
from app.operations import codes, liens
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from app.security.premiere import ALARME
from tests.security.conftest import MOT_DE_PASSE, compte, connecte, entrer, jeton, refus

QUI, CHOIX, OUBLI, LIEN = (
    "/connexion/premiere/",
    "/connexion/premiere/mot-de-passe",
    "/connexion/oubli/",
    "/connexion/lien/",
)
NOUVEAU = "quatre hérissons au marché"
NAISSANCE = date(2012, 3, 4)


@pytest.fixture
def gens(session, cast):
    """A pupil and their parent, whom the directory knows and who never came."""
    pupil, parent = session.get(Personne, cast.eleve_a), session.get(Personne, cast.parent_a)
    pupil.login, pupil.date_naissance = "paul.elevea", NAISSANCE
    parent.login, parent.email, parent.code_postal = "jeanne.parenta", "jeanne@exemple.fr", "37000"
    session.commit()
    return pupil, parent


@pytest.fixture
def code(app):
    return lambda person: codes.code_of(person, app.extensions["reglages"].code_key())


def dire(client, **values):
    """Fill the first page."""
    return client.post(QUI, data={"csrf_token": jeton(client, QUI), **values})


def choisir(client, path=CHOIX, **values):
    data = {"nouveau": NOUVEAU, "encore": NOUVEAU, "csrf_token": jeton(client, path), **values}
    return client.post(path, data=data)


def voisin(app, number):
    """Somebody of another network."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = f"203.0.{number}.9"
    return client


class TestPremiereConnexion:
    def test_a_pupil_comes_in_with_code_and_birth_date(self, client, gens, code, session):
        pupil, _ = gens
        secret = code(pupil)
        answer = dire(client, identifiant="Paul.EleveA", code=secret.upper(), naissance=NAISSANCE.isoformat())
        assert (answer.status_code, answer.location) == (302, CHOIX)
        page = client.get(CHOIX)
        assert page.headers["Cache-Control"] == "no-store"
        assert secret not in page.text
        answer = choisir(client, email="paul@exemple.fr")
        assert (answer.status_code, answer.location) == (302, "/")
        assert connecte(client)
        session.expire_all()
        account = session.scalars(select(Compte)).one()
        assert (account.username, account.adresse) == ("paul.elevea", "paul@exemple.fr")
        assert session.scalars(select(Attribution.role)).all() == ["eleve"]
        session.rollback()
        assert entrer(client.application.test_client(), "paul.elevea", NOUVEAU).status_code == 302
        other = client.application.test_client()
        again = dire(other, identifiant="paul.elevea", code=secret, naissance=NAISSANCE.isoformat())
        assert again.status_code == 200, "the code has served"
        assert secret not in "".join(map(str, session.execute(select(Journal.objet, Journal.apres)).all()))

    def test_a_parent_comes_in_with_the_code_of_a_child_and_the_postcode(self, client, gens, code):
        pupil, parent = gens
        wrong = dire(client, identifiant="jeanne.parenta", code=code(pupil), code_postal="37100")
        assert wrong.status_code == 200
        assert (
            dire(client, identifiant="jeanne.parenta", code=code(pupil), code_postal="37000").location
            == CHOIX
        )
        assert choisir(client).location == "/"
        session_less = client.application.test_client()
        still = dire(
            session_less, identifiant="paul.elevea", code=code(pupil), naissance=NAISSANCE.isoformat()
        )
        assert still.location == CHOIX, "the child's own code still serves the child"
        assert parent.id

    def test_whatever_is_wrong_reads_the_same(self, app, session, cast, gens, code):
        pupil, parent = gens
        compte(session, "deja.active")
        born = NAISSANCE.isoformat()
        gone = session.get(Personne, cast.parent_b)
        gone.login, gone.supprime_le = "est.partie", now()
        session.commit()
        cases = [
            {"identifiant": "inconnue.personne", "code": "aaaaaaaa", "naissance": born},
            {"identifiant": "paul.elevea", "code": "aaaaaaaa", "naissance": born},
            {"identifiant": "paul.elevea", "code": code(pupil), "naissance": "2012-03-05"},
            {"identifiant": "paul.elevea", "code": code(pupil)},
            {"identifiant": "paul.elevea", "code": code(parent), "naissance": born},
            {"identifiant": "deja.active", "code": "aaaaaaaa"},
            {"identifiant": "est.partie", "code": code(gone)},
            {"identifiant": "\0", "code": "é" * 500},
        ]
        answers = [dire(voisin(app, rank), **case) for rank, case in enumerate(cases)]
        assert {answer.status_code for answer in answers} == {200}
        varying = r'name="csrf_token" value="[^"]*"|nonce="[^"]*"| value="[^"]*"'
        assert len({re.sub(varying, "", answer.text) for answer in answers}) == 1
        assert refus(answers[0]).startswith("Ces informations n’ouvrent aucun compte")

    def test_a_suspended_person_reads_why_with_the_right_code_only(self, client, gens, code, session):
        _, parent = gens
        parent.suspendu_le, parent.motif_suspension = now(), "fiche en double"
        session.commit()
        assert "suspendu" not in refus(dire(client, identifiant="jeanne.parenta", code="aaaaaaaa"))
        assert refus(dire(client, identifiant="jeanne.parenta", code=code(parent))) == (
            "Votre compte est suspendu. Motif\u00a0: fiche en double. "
            "Adressez-vous à l’administrateur local de votre établissement."
        )

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_guessing_is_slowed_and_a_school_under_attack_has_an_alarm(self, app, gens, session, cast):
        same = voisin(app, 1)
        codes_ = [dire(same, identifiant="jeanne.parenta", code="aaaaaaaa").status_code for _ in range(7)]
        assert (codes_[:5], codes_[-1]) == ([200] * 5, 429)
        unknown = [dire(voisin(app, 2), identifiant="inconnue", code="a").status_code for _ in range(7)]
        assert unknown == codes_, "and an unknown identifier is slowed all the same"
        of_school = session.get(EssaiConnexion, f"premiere:ecole:{cast.ecole_a}")
        of_school.echecs = ALARME - 1
        session.commit()
        answers = [dire(voisin(app, 3 + n), identifiant="paul.elevea", code="aaaaaaaa") for n in range(2)]
        assert len({re.sub(r'value="[^"]*"|nonce="[^"]*"', "", a.text) for a in answers}) == 1
        session.rollback()
        lines = session.scalars(select(Journal).where(Journal.acte == "connexion.alerter")).all()
        assert [(line.etablissement_id, line.objet) for line in lines] == [
            (cast.ecole_a, "100 codes d’activation faux en peu de temps")
        ]
        wrong = session.scalars(select(Journal).where(Journal.acte == "connexion.refuser_code")).all()
        assert {line.acteur for line in wrong} == {"jeanne.parenta", "paul.elevea", "identifiant inconnu"}

    def test_one_code_twenty_threads_one_account(self, app, gens, code, session):
        pupil, _ = gens
        clients = [voisin(app, number) for number in range(20)]
        born = NAISSANCE.isoformat()
        for client in clients[:5]:
            assert dire(client, identifiant="paul.elevea", code=code(pupil), naissance=born).location == CHOIX
        cookie = clients[0].get_cookie("preau").value
        for client in clients[5:]:
            client.set_cookie("preau", cookie)
        session.rollback()
        tokens, barrier, outcomes = [jeton(client, CHOIX) for client in clients], threading.Barrier(20), []

        def choose(rank):
            data = {"nouveau": NOUVEAU, "encore": NOUVEAU, "csrf_token": tokens[rank]}
            barrier.wait(60)
            outcomes.append(clients[rank].post(CHOIX, data=data).status_code)

        threads = [threading.Thread(target=choose, args=(rank,)) for rank in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
        assert (outcomes.count(302), len(outcomes)) == (1, 20)
        assert session.scalar(select(func.count()).select_from(Compte)) == 1

    def test_the_proof_is_forgotten_after_a_quarter_of_an_hour(self, client, gens, code):
        pupil, _ = gens
        dire(client, identifiant="paul.elevea", code=code(pupil), naissance=NAISSANCE.isoformat())
        token = jeton(client, CHOIX)
        with time_machine.travel(now() + timedelta(minutes=16)):
            late = client.post(CHOIX, data={"nouveau": NOUVEAU, "encore": NOUVEAU, "csrf_token": token})
        assert "attendu trop longtemps" in late.text

    def test_a_weak_password_stays_on_the_form_and_the_code_lives(self, client, gens, code, session):
        pupil, _ = gens
        dire(client, identifiant="paul.elevea", code=code(pupil), naissance=NAISSANCE.isoformat())
        for values, sentence in (
            ({"nouveau": "court", "encore": "court"}, "trop court"),
            ({"encore": "autre"}, "Les deux saisies diffèrent"),
            ({"nouveau": "elevea paul 2012", "encore": "elevea paul 2012"}, "contient votre nom"),
            ({"email": "pas une adresse"}, "n’est pas complète"),
        ):
            assert sentence in choisir(client, **values).text
        assert session.scalar(select(func.count()).select_from(Compte)) == 0
        session.rollback()
        assert choisir(client).location == "/"


class TestMotDePasseOublie:
    def test_the_way_back(self, app, client, session, cast, mailbox, caplog):
        row = compte(session, "claire.montagne")
        session.commit()
        other = app.test_client()
        entrer(other, "claire.montagne")
        with caplog.at_level(logging.DEBUG):
            answer = client.post(
                OUBLI, data={"identifiant": "claire.montagne", "csrf_token": jeton(client, OUBLI)}
            )
            assert "Si un compte correspond" in answer.text
            oublis.answer_due(app)
            courrier.send_due(app)
            path = mailbox.link()
            opened = client.get(path)
            assert opened.location == LIEN
            assert path.rpartition("/")[2] not in client.get(LIEN).text
            done = choisir(client, LIEN)
        assert done.location == "/connexion?fait=mot-de-passe"
        assert "Mot de passe choisi" in client.get(done.location).text
        assert not connecte(other), "the sessions opened with the old one are closed"
        assert entrer(client, "claire.montagne").status_code == 200
        assert entrer(client, "claire.montagne", NOUVEAU).status_code == 302
        assert "ne sert plus" in app.test_client().get(path, follow_redirects=True).text
        courrier.send_due(app)
        assert [m["Subject"] for m in mailbox.received] == [
            "Choisissez votre mot de passe",
            "Votre mot de passe a changé",
        ]
        token = path.rpartition("/")[2]
        assert token not in caplog.text
        lines = session.execute(select(Journal.acte, Journal.objet, Journal.apres)).all()
        assert token not in str(lines)
        assert {"compte.envoyer_lien", "compte.changer_secret"} <= {line.acte for line in lines}
        assert row.id

    def test_everybody_reads_the_same_in_the_same_time(self, app, session, cast):
        compte(session, "est.la")
        compte(session, "est.desactive").active = False
        session.commit()
        cases = ["inconnue.personne", "est.la", "est.desactive"]
        times, pages = {case: [] for case in cases}, set()
        with time_machine.travel("2026-11-21T08:00:00+00:00", tick=False) as clock:
            for _ in range(12):
                for case in cases:
                    clock.shift(timedelta(hours=2))
                    with app.test_request_context(OUBLI, method="POST", data={"identifiant": case}):
                        app.config["WTF_CSRF_ENABLED"] = False
                        begin = time.process_time()
                        answer = app.view_functions["OubliView.demander"]()
                        times[case].append(time.process_time() - begin)
                        pages.add(re.sub(r'nonce="[^"]*"', "", answer.get_data(as_text=True)))
        assert len(pages) == 1
        medians = {name: statistics.median(values) for name, values in times.items()}
        assert max(medians.values()) < min(medians.values()) * 1.35, medians

    def test_asking_a_hundred_times_sends_three_mails(self, app, client, session, cast, mailbox):
        compte(session, "claire.montagne")
        session.commit()
        token, codes_ = jeton(client, OUBLI), []
        for number in range(100):
            asker = voisin(app, number)
            asker.set_cookie("preau", client.get_cookie("preau").value)
            answer = asker.post(OUBLI, data={"identifiant": "claire.montagne", "csrf_token": token})
            codes_.append(answer.status_code)
        while oublis.answer_due(app):
            pass
        courrier.send_due(app)
        assert len(mailbox.received) == 3
        assert session.scalar(select(func.count()).select_from(LienMotDePasse)) == 3
        assert set(codes_) == {200}

    def test_one_network_may_not_ask_for_ever(self, client, session, cast):
        token = jeton(client, OUBLI)
        answers = [client.post(OUBLI, data={"identifiant": f"n{n}", "csrf_token": token}) for n in range(23)]
        assert [a.status_code for a in answers].count(429) >= 1
        assert "Trop de demandes" in answers[-1].text
        assert session.scalar(select(func.count()).select_from(DemandeLien)) < 23

    def test_a_post_from_elsewhere_is_refused_and_gives_no_secret_back(self, client):
        for path in (QUI, CHOIX, OUBLI, LIEN):
            data = {"identifiant": "a", "code": "CHUT1", "nouveau": "CHUT2", "encore": "CHUT3"}
            answer = client.post(path, data=data)
            assert answer.status_code == 400
            assert "CHUT" not in answer.text


class TestLien:
    def test_a_link_activates_and_a_suspended_holder_reads_why(self, app, client, gens, session, mailbox):
        _, parent = gens
        ici = Deployment.of(app.extensions["reglages"])
        liens.nouveau_mot_de_passe(session, parent, Actor("Claire", 1), deployment=ici)
        session.commit()
        courrier.send_due(app)
        path = mailbox.link()
        parent.suspendu_le, parent.motif_suspension = now(), "essai"
        session.commit()
        assert "Votre compte est suspendu" in client.get(path, follow_redirects=True).text
        parent.suspendu_le = None
        session.commit()
        assert "Activer votre compte" in client.get(path, follow_redirects=True).text
        assert choisir(client, LIEN).location == "/"
        assert connecte(client)

    def test_an_unknown_token_says_nothing(self, client):
        for token in ("x", "é" * 400, MOT_DE_PASSE):
            answer = client.get(f"/connexion/lien/{token}", follow_redirects=True)
            assert (answer.status_code, "ne sert plus" in answer.text) == (200, True)
