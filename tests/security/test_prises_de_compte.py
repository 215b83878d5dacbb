"""Ways of taking an account that must lead nowhere: half sessions, guesses, links that outlive their use."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select

from app.exports import donnees_personnelles as exports
from app.extensions import now
from app.jobs import oublis
from app.models import Compte, Courriel, DemandeLien, LienMotDePasse, Personne, Rattachement, SecondFacteur
from app.operations import (
    activation,
    coffre,
    comptes,
    connexions,
    courriels,
    liens,
    messages,
    personnes,
    pouvoirs,
    seconds_facteurs,
)
from app.operations import oublis as oublis_operations
from app.operations.pouvoirs import AILLEURS, Pouvoir
from app.operations.saisies import Actor
from tests.security.conftest import MOT_DE_PASSE, attribuer, compte, connecte, entrer, jeton

CODE, INSTALLER = "/connexion/second-facteur/", "/connexion/second-facteur/installer"
MIEN = "/mon-espace/second-facteur/"
PERIODE = timedelta(seconds=seconds_facteurs.SECONDES)


def secret_on(page):
    """Return the secret an installation page shows, None when it shows none."""
    found = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page)
    return found[0].replace(" ", "") if found else None


def taper(client, path, code, form=None):
    return client.post(path, data={"code": code, "csrf_token": jeton(client, form or path)})


class TestInstallationVolee:
    """Somebody who holds the password alone opens the page of installation before the owner does."""

    @pytest.fixture
    def assistant(self, app, session):
        app.extensions["reglages"].second_facteur_reportable = False
        row = compte(session, "assistant.essai")
        attribuer(session, row, "assistant_n2")
        session.commit()
        return row

    def test_the_secret_the_owner_installed_is_shown_to_no_other_session(self, app, assistant, horloge):
        thief, owner = app.test_client(), app.test_client()
        assert entrer(thief, "assistant.essai").location == INSTALLER
        early = secret_on(thief.get(INSTALLER).text)
        assert early
        assert entrer(owner, "assistant.essai").location == INSTALLER
        kept = secret_on(owner.get(INSTALLER).text)
        assert kept != early, "what was drawn for somebody else may be known to them"
        assert secret_on(thief.get(INSTALLER).text) is None, "another session waits in its place"
        assert taper(owner, INSTALLER, pyotp.TOTP(kept).now()).status_code == 200
        assert connecte(owner)
        assert secret_on(thief.get(INSTALLER).text) is None
        horloge.shift(PERIODE)
        again = app.test_client()
        assert entrer(again, "assistant.essai").location == CODE
        assert secret_on(again.get(INSTALLER, follow_redirects=True).text) is None

    def test_installing_ends_the_sessions_the_password_alone_had_opened(self, app, session, cast, horloge):
        attribuer(session, compte(session, "local.essai"), "correspondant", etablissement_id=cast.ecole_a)
        session.commit()
        thief, owner = app.test_client(), app.test_client()
        for client in (thief, owner):
            entrer(client, "local.essai")
        owner.post(MIEN, data={"csrf_token": jeton(owner, MIEN)})
        kept = secret_on(owner.get(f"{MIEN}installer").text)
        assert taper(owner, f"{MIEN}installer", pyotp.TOTP(kept).now()).status_code == 200
        assert connecte(owner)
        assert not connecte(thief)


class TestDeviner:
    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_codes_are_not_guessed_from_an_open_session(self, app, client, session, ici, horloge):
        row = compte(session, "claire.montagne")
        facteur = seconds_facteurs.preparer(session, row, ici)
        application = pyotp.TOTP(seconds_facteurs.secret_of(facteur, ici))
        seconds_facteurs.confirmer(session, row, application.now(), ici)
        session.commit()
        horloge.shift(PERIODE)
        entrer(client, "claire.montagne")
        taper(client, CODE, application.now())
        assert connecte(client)
        horloge.shift(PERIODE)
        for path in ("retirer", "codes"):
            for _ in range(6):
                taper(client, f"{MIEN}{path}", "000000", form=MIEN)
        blocked = taper(client, f"{MIEN}retirer", application.now(), form=MIEN)
        assert "Trop de codes faux" in blocked.text
        session.expire_all()
        assert session.get(SecondFacteur, row.id) is not None
        session.rollback()
        horloge.shift(timedelta(minutes=2))
        assert taper(client, f"{MIEN}retirer", application.now(), form=MIEN).status_code == 302


class TestLiensQuiDurent:
    """A link that left for an address proved wrong, or read by somebody else, opens nothing any more."""

    @pytest.fixture
    def eleve(self, session, cast):
        row = session.get(Personne, cast.eleve_a)
        row.login, row.email = "paul.elevea", "mauvaise.adresse@exemple.fr"
        session.commit()
        return row

    @pytest.fixture
    def lien(self, session, ici):
        def send(person):
            mail = liens.nouveau_mot_de_passe(session, person, Actor("Admin"), deployment=ici)
            session.commit()
            return coffre.unseal(ici.cle, messages.USE, mail.secret).rpartition("/")[2]

        return send

    def test_an_account_activated_with_a_code(self, session, eleve, ici, lien):
        token = lien(eleve)
        activation.activer(
            session, eleve, "x", generation=eleve.code_generation, deployment=ici, email="paul@exemple.fr"
        )
        session.commit()
        assert liens.find(session, token) is None
        told = session.scalars(select(Courriel.destinataire).where(Courriel.objet.contains("adresse"))).all()
        assert told == ["mauvaise.adresse@exemple.fr"], "the address known before learns it serves no more"

    def test_a_password_changed_by_its_holder(self, session, eleve, ici, lien):
        row = compte(session, "paul.elevea", personne=eleve)
        token = lien(eleve)
        comptes.changer_mot_de_passe(session, row, "y", sauf_jeton=None, acteur=Actor("Paul", row.id))
        session.commit()
        assert liens.find(session, token) is None

    def test_an_address_corrected_on_the_sheet(self, session, cast, eleve, ici, lien):
        compte(session, "paul.elevea", personne=eleve)
        token = lien(eleve)
        personnes.edit(
            session,
            eleve,
            {"email": "paul@exemple.fr"},
            profil="eleve",
            etablissement_id=cast.ecole_a,
            acteur=Actor("Admin"),
        )
        session.commit()
        assert liens.find(session, token) is None

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_somebody_suspended_or_gone_meanwhile(self, app, session, eleve, lien):
        token = lien(eleve)
        for name in ("suspendu_le", "supprime_le"):
            setattr(eleve, name, now())
            session.commit()
            client = app.test_client()
            assert client.get(f"/connexion/lien/{token}").location == "/connexion/lien/"
            page = client.get("/connexion/lien/")
            assert 'name="nouveau"' not in page.text
            setattr(eleve, name, None)
            session.commit()
        assert session.scalars(select(Compte.id)).all() == []
        assert session.scalars(select(LienMotDePasse.servi_le)).all() == [None]


class TestInviteDAilleurs:
    """A guest of another school is let in by whoever knows their login: their account stays where it was."""

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_the_account_of_somebody_else_s_guest_is_not_in_hand(self, client, session, cast):
        guest = Personne(nom="INVITE", prenom="Ines", nom_recherche="invite ines", source="manuel")
        guest.login, guest.email = "ines.invite", "ines@exemple.fr"
        session.add(guest)
        session.flush()
        session.add(Rattachement(personne_id=guest.id, etablissement_id=cast.ecole_a, profil="invite"))
        compte(session, "ines.invite", personne=guest)
        attribuer(session, compte(session, "local.b"), "correspondant", etablissement_id=cast.ecole_b)
        session.commit()
        number = guest.id
        entrer(client, "local.b")
        path = "/etablissements/0180001B/invites/rattacher"
        data = {"csrf_token": jeton(client, path), "login": "ines.invite", "etape": "confirmer"}
        sheet = client.post(path, data=data).location
        assert sheet.endswith(f"/utilisateurs/invites/{number}")
        token = jeton(client, sheet)
        answer = client.post(sheet, data={"csrf_token": token, "email": "voleur@exemple.fr"})
        assert AILLEURS in answer.text
        answer = client.post(sheet, data={"csrf_token": token, "login": "pris.deforce"})
        assert AILLEURS in answer.text
        answer = client.post(f"{sheet}/suspendre", data={"csrf_token": token, "motif": "nuire"})
        assert AILLEURS in answer.text
        session.expire_all()
        kept = session.get_one(Personne, number)
        assert (kept.email, kept.login, kept.suspendu_le) == ("ines@exemple.fr", "ines.invite", None)
        session.rollback()
        answer = client.post(sheet, data={"csrf_token": token, "telephone_portable": "06 39 98 14 07"})
        assert answer.status_code == 302, "what opens no account is typed"

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_the_school_that_made_the_guest_keeps_them_in_hand(self, session, cast):
        held = (Pouvoir(frozenset({"correspondant"}), etablissements=frozenset({cast.ecole_a})),)
        other = (Pouvoir(frozenset({"correspondant"}), etablissements=frozenset({cast.ecole_b})),)
        academie = (Pouvoir(frozenset({"accompagnement"}), academies=frozenset({cast.academie_a})),)
        guest = Personne(nom="INVITE", prenom="Ines", nom_recherche="invite ines", source="manuel")
        session.add(guest)
        session.flush()
        for school in (cast.ecole_a, cast.ecole_b):
            session.add(Rattachement(personne_id=guest.id, etablissement_id=school, profil="invite"))
            session.flush()
        ids = [guest.id, cast.deux, cast.eleve_a]
        assert pouvoirs.d_ailleurs(session, ids, held) == set()
        assert pouvoirs.d_ailleurs(session, ids, academie) == set()
        assert pouvoirs.d_ailleurs(session, ids, other) == {guest.id, cast.eleve_a}
        assert pouvoirs.d_ailleurs(session, ids, pouvoirs.TOUS) == set()


class TestAdressesDAutrui:
    """Writing somebody else's address on one's own sheet gives none of their mail, nor floods them."""

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_the_export_of_ones_data_holds_no_mail_of_another_account(self, session, cast, ici):
        victim = compte(session, "nadia.academie")
        thief = session.get_one(Personne, cast.parent_a)
        compte(session, "jeanne.parenta", personne=thief)
        courriels.queue(session, destinataire=victim.email, objet="Demande de la DASEN", texte="x")
        courriels.queue(session, destinataire="jeanne@exemple.fr", objet="Pour Jeanne", texte="x")
        session.flush()
        for address, subjects in (("jeanne@exemple.fr", ["Pour Jeanne"]), (victim.email, [])):
            thief.email = address
            found = exports.dossier(session, thief.id).tables.get("courriel", [])
            assert [one["objet"] for one in found] == subjects

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    def test_accounts_that_name_one_address_do_not_multiply_its_mails(self, app, session, cast, ici):
        for number in range(5):
            row = Personne(nom=f"N{number}", prenom="P", nom_recherche=f"n{number} p")
            row.email, row.login = "victime@exemple.fr", f"p.n{number}"
            session.add(row)
            session.flush()
            compte(session, row.login, personne=row)
        for typed in ["victime@exemple.fr", *[f"p.n{number}" for number in range(5)]] * 10:
            oublis_operations.demander(session, typed)
        session.commit()
        while oublis.answer_due(app):
            pass
        while session.scalar(select(func.count(DemandeLien.id))):
            session.rollback()
            oublis.answer_due(app)
        assert session.scalar(select(func.count(Courriel.id))) == 5

    @pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("source", ["manuel", "aaf"])
    def test_nobody_is_shut_out_by_who_writes_their_address(self, app, session, cast, ici, source):
        """By password or through the académie, which may name people by their e-mail."""
        owner = session.get_one(Personne, cast.deux)
        owner.email = "ecoles@exemple.fr"
        thief, pupil = session.get_one(Personne, cast.parent_a), session.get_one(Personne, cast.eleve_b)
        thief.source = source
        compte(session, "deux.ecoles", personne=owner)
        compte(session, "jeanne.parenta", personne=thief)
        pupil.login = "paul.eleveb"
        session.commit()
        client, path = app.test_client(), "/mon-espace/coordonnees"
        entrer(client, "jeanne.parenta")
        data = {"csrf_token": jeton(client, path), "email": owner.email, "actuel": MOT_DE_PASSE}
        assert client.post(path, data=data).status_code == 302
        activation.activer(
            session, pupil, "x", generation=pupil.code_generation, deployment=ici, email=owner.email
        )
        session.commit()
        assert entrer(app.test_client(), owner.email).location == "/"
        session.expire_all()
        found = connexions.find_account(session, owner.email)
        assert found is not None
        assert found.username == "deux.ecoles"
