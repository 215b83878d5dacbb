"""Second factor: asked before anything opens, one code once, lost telephones, academic roles (A5, L8)."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select

from app.jobs import courrier
from app.models import CodeSecours, Compte, Journal, SecondFacteur, SessionCompte
from app.operations import seconds_facteurs
from app.operations.deployment import Deployment
from tests.security.conftest import MOT_DE_PASSE, attribuer, compte, connecte, entrer, jeton

CODE, INSTALLER = "/connexion/second-facteur/", "/connexion/second-facteur/installer"
MIEN = "/mon-espace/second-facteur/"
PERIODE = timedelta(seconds=seconds_facteurs.SECONDES)


@pytest.fixture
def claire(session, cast):
    row = compte(session, "claire.montagne")
    attribuer(session, row, "correspondant", etablissement_id=cast.ecole_a)
    session.commit()
    return row


def poser(session, row, ici, horloge):
    """Install a second factor; return the application and the recovery codes."""
    facteur = seconds_facteurs.preparer(session, row, ici)
    application = pyotp.TOTP(seconds_facteurs.secret_of(facteur, ici))
    codes = seconds_facteurs.confirmer(session, row, application.now(), ici)
    session.commit()
    horloge.shift(PERIODE)
    return application, codes


def taper(client, path, code, **more):
    return client.post(path, data={"code": code, "csrf_token": jeton(client, path), **more})


class TestConnexion:
    def test_nothing_opens_before_the_code(self, app, client, session, claire, ici, horloge):
        application, _ = poser(session, claire, ici, horloge)
        answer = entrer(client, "claire.montagne", next="/mon-espace/mot-de-passe")
        assert answer.location == f"{CODE}?next=/mon-espace/mot-de-passe"
        assert not connecte(client)
        assert client.get("/").location.startswith("/connexion")
        assert client.get("/connexion?next=/mon-espace/mot-de-passe").location == answer.location
        waiting = client.get_cookie("preau").value
        done = taper(
            client,
            CODE,
            f" {application.now()[:3]} {application.now()[3:]} ",
            next="/mon-espace/mot-de-passe",
        )
        assert done.location == "/mon-espace/mot-de-passe"
        assert connecte(client)
        other = app.test_client()
        other.set_cookie("preau", waiting)
        assert not connecte(other), "the session has another token once it is open (L5)"
        assert session.scalars(select(Journal.acte)).all()[-1] == "connexion.ouvrir"

    def test_a_code_replayed_and_a_recovery_code_twice_are_refused(
        self, app, client, session, claire, ici, horloge
    ):
        application, codes = poser(session, claire, ici, horloge)
        seen = application.now()
        entrer(client, "claire.montagne")
        assert taper(client, CODE, seen).status_code == 302
        again = app.test_client()
        entrer(again, "claire.montagne")
        assert "Ce code n’est pas le bon" in taper(again, CODE, seen).text
        horloge.shift(PERIODE)
        assert "Ce code n’est pas le bon" in taper(again, CODE, seen).text, "even in the period beside"
        assert taper(again, CODE, codes[0].upper()).status_code == 302
        third = app.test_client()
        entrer(third, "claire.montagne")
        assert "Ce code n’est pas le bon" in taper(third, CODE, codes[0]).text
        assert taper(third, CODE, application.now()).status_code == 302
        acts = session.scalars(select(Journal.acte)).all()
        assert {"compte.employer_secours", "connexion.refuser_second_facteur"} <= set(acts)

    def test_guessing_is_slowed_and_the_wait_ends(self, app, client, session, claire, ici, horloge):
        application, _ = poser(session, claire, ici, horloge)
        entrer(client, "claire.montagne")
        codes = [taper(client, CODE, "000000").status_code for _ in range(7)]
        assert (codes[:5], codes[-1]) == ([200] * 5, 429)
        horloge.shift(timedelta(minutes=16))
        assert client.get(CODE).location.startswith("/connexion"), "the password is asked again"
        entrer(client, "claire.montagne")
        assert taper(client, CODE, application.now()).status_code == 302

    def test_giving_up_ends_the_session_that_waited(self, client, session, claire, ici, horloge):
        poser(session, claire, ici, horloge)
        entrer(client, "claire.montagne")
        token = jeton(client, CODE)
        client.post("/connexion/second-facteur/abandonner", data={"csrf_token": token})
        assert client.get(CODE).location == "/connexion"
        assert session.scalars(select(SessionCompte.motif_fin)).all() == ["deconnexion"]


class TestRolesAcademiques:
    @pytest.fixture(autouse=True)
    def _required(self, app):
        app.extensions["reglages"].second_facteur_reportable = False

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_each_installs_one_before_anything_opens(self, app, session, cast, horloge):
        places = {
            "assistant_n2": {},
            "accompagnement": {"academie_id": cast.academie_a},
            "assistant_plateforme": {"academie_id": cast.academie_a},
            "correspondant_deploiement": {"academie_id": cast.academie_a},
        }
        for role, place in places.items():
            attribuer(session, compte(session, f"{role}.essai"), role, **place)
        attribuer(session, compte(session, "local.essai"), "correspondant", etablissement_id=cast.ecole_a)
        session.commit()
        assert entrer(app.test_client(), "local.essai").location == "/"
        for role in places:
            client = app.test_client()
            assert entrer(client, f"{role}.essai").location == INSTALLER
            assert not connecte(client)
            assert client.get("/mon-espace/").location.startswith("/connexion")
            page = client.get(INSTALLER)
            assert page.headers["Cache-Control"] == "no-store"
            assert "viewBox" in page.text.partition("pr-qr-cadre")[2][:400], "drawn whole at any size"
            secret = re.search(r'class="pr-cle">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
            assert "Ce code n’est pas le bon" in taper(client, INSTALLER, "000000").text
            done = taper(client, INSTALLER, pyotp.TOTP(secret).now())
            assert len(re.findall(r"<li><code>[a-z3-9]{5}-[a-z3-9]{5}</code>", done.text)) == 10
            assert connecte(client)
            assert secret not in client.get(MIEN).text, "shown once"
            assert INSTALLER not in client.get("/connexion", follow_redirects=False).location
            horloge.shift(PERIODE)
        kept = session.execute(select(SecondFacteur.secret)).scalars().all()
        assert all(secret not in text for text in kept)

    def test_in_demo_it_may_wait(self, app, client, session, cast):
        app.extensions["reglages"].second_facteur_reportable = None
        attribuer(session, compte(session, "assistante.essai"), "assistant_n2")
        session.commit()
        assert entrer(client, "assistante.essai").location == "/"
        assert "Votre rôle demande un second facteur" in client.get(MIEN).text


class TestMonEspace:
    def test_install_then_renew_then_remove(self, app, client, session, claire, ici, horloge, mailbox):
        entrer(client, "claire.montagne")
        assert client.post(MIEN, data={"csrf_token": jeton(client, MIEN)}).location == f"{MIEN}installer"
        page = client.get(f"{MIEN}installer").text
        secret = re.search(r'class="pr-cle">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
        assert secret in client.get(f"{MIEN}installer").text.replace(" ", ""), (
            "the same until it is confirmed"
        )
        application = pyotp.TOTP(secret)
        shown = taper(client, f"{MIEN}installer", application.now())
        codes = re.findall(r"<li><code>([^<]+)</code>", shown.text)
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)[1]
        file = client.post(f"{MIEN}codes.txt", data={"secours": codes, "csrf_token": token})
        assert file.headers["Content-Disposition"].startswith("attachment")
        assert all(code in file.text for code in codes)
        stolen = client.post(f"{MIEN}codes.txt", data={"secours": ["aaaaa-aaaaa"], "csrf_token": token})
        assert stolen.status_code == 404
        horloge.shift(PERIODE)
        assert "n’est pas le bon" in client.post(f"{MIEN}codes", data={"code": "1", "csrf_token": token}).text
        renewed = client.post(f"{MIEN}codes", data={"code": application.now(), "csrf_token": token}).text
        assert not set(codes) & set(re.findall(r"<li><code>([^<]+)</code>", renewed))
        horloge.shift(PERIODE)
        gone = client.post(f"{MIEN}retirer", data={"code": application.now(), "csrf_token": token})
        assert gone.location == MIEN
        assert session.scalar(select(func.count()).select_from(CodeSecours)) == 0
        session.rollback()
        assert entrer(app.test_client(), "claire.montagne").location == "/"
        courrier.send_due(app)
        assert [m["Subject"] for m in mailbox.received] == [
            "Votre second facteur est installé",
            "Votre second facteur est retiré",
        ]

    def test_a_role_that_asks_for_it_keeps_it(self, client, session, cast, ici, horloge):
        row = compte(session, "assistante.essai")
        attribuer(session, row, "assistant_n2")
        application, _ = poser(session, row, ici, horloge)
        entrer(client, "assistante.essai")
        taper(client, CODE, application.now())
        horloge.shift(PERIODE)
        data = {"code": application.now(), "csrf_token": jeton(client, MIEN)}
        assert "il ne se retire pas" in client.post(f"{MIEN}retirer", data=data).text


class TestReinitialiser:
    def url(self, row):
        return f"/referentiel/comptes/{row.id}/second-facteur/reinitialiser"

    def test_who_lost_everything_starts_again(
        self, app, client, session, cast, claire, ici, horloge, mailbox
    ):
        poser(session, claire, ici, horloge)
        boss = compte(session, "assistante.essai")
        attribuer(session, boss, "assistant_n2")
        session.commit()
        hers, mine = self.url(claire), self.url(boss)
        entrer(client, "assistante.essai")
        token = jeton(client, hers)
        assert client.post(hers, data={"csrf_token": token}).status_code == 302
        assert entrer(app.test_client(), "claire.montagne").location == "/"
        courrier.send_due(app)
        assert mailbox.received[-1]["Subject"] == "Votre second facteur est réinitialisé"
        line = session.scalars(
            select(Journal).where(Journal.acte == "compte.reinitialiser_second_facteur")
        ).one()
        assert (line.compte_id, line.objet_id) == (boss.id, claire.id)
        session.rollback()
        assert "n’a pas de second facteur" in client.post(hers, data={"csrf_token": token}).text
        assert "est le vôtre" in client.post(mine, data={"csrf_token": token}).text

    @pytest.mark.parametrize("role", ["accompagnement", "correspondant"])
    def test_it_needs_the_right(self, client, session, cast, claire, role):
        place = (
            {"academie_id": cast.academie_a}
            if role == "accompagnement"
            else {"etablissement_id": cast.ecole_a}
        )
        attribuer(session, compte(session, "autre.essai"), role, **place)
        session.commit()
        entrer(client, "autre.essai")
        assert client.get(self.url(claire)).status_code == 403


def test_a_stolen_database_gives_no_code(app, session, claire, ici, horloge):
    poser(session, claire, ici, horloge)
    stolen = Deployment(ici.nom, ici.adresse, "z" * 40)
    row = session.get(SecondFacteur, claire.id)
    with pytest.raises(seconds_facteurs.coffre.CoffreFermeError):
        seconds_facteurs.secret_of(row, stolen)
    assert session.scalars(select(func.length(CodeSecours.empreinte))).all() == [64] * 10
    assert session.get(Compte, claire.id).password != MOT_DE_PASSE
