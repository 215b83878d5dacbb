"""«Mon espace»: one's sessions, how to be reached, and the second password of school-life services."""

from __future__ import annotations

import re
import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from app.extensions import now
from app.jobs import courrier
from app.models import (
    Compte,
    Division,
    Etablissement,
    Journal,
    Matiere,
    MotDePasseScolarite,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    ServiceEnseigne,
    SessionCompte,
    VerrouPersonne,
)
from app.operations import liens, sessions
from app.operations.deployment import Deployment
from app.operations.saisies import Actor
from tests.security.conftest import MOT_DE_PASSE, attribuer, compte, connecte, entrer, jeton, personne

MOI, COORDONNEES = "/mon-espace/", "/mon-espace/coordonnees"
VIE, OUVRIR, LIEN = "/mon-espace/vie-scolaire/", "/mon-espace/vie-scolaire/ouvrir", "/connexion/lien/"
ADRESSE = "/connexion/adresse/"
CHIFFRES = "274915"


@pytest.fixture
def claire(session, cast):
    """A teacher of school A, born on 4 March 1980, with an account."""
    school = session.get(Etablissement, cast.ecole_a)
    person = personne(session, "MONTAGNE", "Claire", (school, "enseignant"))
    person.login, person.email = "claire.montagne", "claire@exemple.fr"
    person.date_naissance, person.source = date(1980, 3, 4), "aaf"
    row = compte(session, "claire.montagne", personne=person)
    attribuer(session, row, "enseignant")
    session.commit()
    return row


@pytest.fixture
def eleve(session, cast):
    """The pupil of school A, with an account, in a class with its teachers."""
    person = session.get(Personne, cast.eleve_a)
    row = compte(session, "paul.elevea", personne=person)
    attribuer(session, row, "eleve")
    session.commit()
    return row


def poster(client, path, page=MOI, **values):
    return client.post(path, data={"csrf_token": jeton(client, page), **values})


class TestAdresseDuGuichet:
    """An account without a password here: its new address proves itself (decision 010)."""

    @pytest.fixture
    def entree(self, app, session, claire):
        claire.password = ""
        token = sessions.open_session(session, claire)
        session.commit()
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["jeton"] = token
        return client

    def test_it_is_theirs_once_the_link_sent_to_it_is_opened(self, app, entree, session, claire, mailbox):
        def held():
            session.rollback()
            person = session.get(Personne, claire.personne_id)
            found = (person.email, person.telephone_portable)
            session.rollback()
            return found

        values = {"email": "neuve@exemple.fr", "telephone_portable": "0639981407"}
        assert poster(entree, COORDONNEES, COORDONNEES, **values).location == MOI
        assert held() == ("claire@exemple.fr", "0639981407")
        courrier.send_due(app)
        assert [m["To"] for m in mailbox.received] == ["neuve@exemple.fr"]
        reader = app.test_client()
        assert "neuve@exemple.fr" in reader.get(mailbox.link(), follow_redirects=True).text
        assert held()[0] == "claire@exemple.fr", "a look is not a yes"
        assert "Adresse confirmée" in poster(reader, ADRESSE, ADRESSE).text
        assert held()[0] == "neuve@exemple.fr"
        courrier.send_due(app)
        assert mailbox.received[-1]["To"] == "claire@exemple.fr"
        assert "ne sert plus" in app.test_client().get(mailbox.link(0), follow_redirects=True).text

    def test_three_links_an_hour_and_no_empty_address(self, entree, session, claire):
        for rank in range(3):
            assert poster(entree, COORDONNEES, COORDONNEES, email=f"a{rank}@exemple.fr").status_code == 302
        assert "déjà partis" in poster(entree, COORDONNEES, COORDONNEES, email="b@exemple.fr").text
        assert "est nécessaire" in poster(entree, COORDONNEES, COORDONNEES, email="").text


class TestSessions:
    def test_seen_ended_one_by_one_or_all_others(self, app, client, session, claire):
        phone = app.test_client()
        phone.environ_base.update(
            REMOTE_ADDR="203.0.113.9",
            HTTP_USER_AGENT="Mozilla/5.0 (iPhone; CPU) AppleWebKit Version/17 Mobile Safari/604",
        )
        desk, third = app.test_client(), app.test_client()
        for one in (phone, desk, third, client):
            entrer(one, "claire.montagne")
        page = client.get(MOI).text
        assert "Safari, iPhone" in page
        assert "203.0.113.9" in page
        assert page.count("Celle-ci") == 1
        found = re.findall(r'action="(/mon-espace/sessions/\d+/fermer)"', page)
        assert len(found) == 3
        of_phone = next(path for path in found if "iPhone" in page.split(path)[0][-400:])
        assert poster(client, of_phone).status_code == 302
        assert (connecte(phone), connecte(desk), connecte(client)) == (False, True, True)
        poster(client, "/mon-espace/sessions/fermer-les-autres")
        assert (connecte(desk), connecte(third), connecte(client)) == (False, False, True)

    def test_a_session_of_somebody_else_is_absent(self, app, client, session, claire, eleve):
        other = app.test_client()
        entrer(other, "paul.elevea")
        number = session.scalars(select(SessionCompte.id)).one()
        session.rollback()
        entrer(client, "claire.montagne")
        assert poster(client, f"/mon-espace/sessions/{number}/fermer").status_code == 404
        assert connecte(other)


class TestCoordonnees:
    def test_an_address_changes_with_the_password_and_the_old_one_is_told(
        self, app, client, session, claire, mailbox
    ):
        ici = Deployment.of(app.extensions["reglages"])
        person = session.get(Personne, claire.personne_id)
        liens.nouveau_mot_de_passe(session, person, Actor("Chef", 1), deployment=ici)
        session.commit()
        entrer(client, "claire.montagne")
        data = {"email": "neuve@exemple.fr", "telephone_portable": "06 39 98 14 07"}
        refused = poster(client, COORDONNEES, COORDONNEES, **data, actuel="pas le mien")
        assert "pas votre mot de passe actuel" in refused.text
        assert poster(client, COORDONNEES, COORDONNEES, **data, actuel=MOT_DE_PASSE).location == MOI
        session.expire_all()
        person = session.get(Personne, claire.personne_id)
        assert (person.email, person.telephone_portable) == ("neuve@exemple.fr", "0639981407")
        assert set(session.scalars(select(VerrouPersonne.champ))) == {"email", "telephone_portable"}
        line = session.scalars(select(Journal).where(Journal.acte == "compte.changer_coordonnees")).one()
        assert (line.avant["email"], line.apres["email"]) == ("claire@exemple.fr", "neuve@exemple.fr")
        session.rollback()
        courrier.send_due(app)
        assert {(m["To"], m["Subject"]) for m in mailbox.received} == {
            ("claire@exemple.fr", "Choisissez votre mot de passe"),
            ("claire@exemple.fr", "L’adresse e-mail de votre compte a changé"),
        }
        old = app.test_client().get(mailbox.link(0), follow_redirects=True)
        assert "ne sert plus" in old.text, "a link sent to the old address is dead"

    def test_refusals_and_pupils(self, client, app, claire, eleve):
        entrer(client, "claire.montagne")
        same = {"email": "claire@exemple.fr"}
        assert "n’existe pas" in poster(client, COORDONNEES, COORDONNEES, **same, telephone_portable="x").text
        assert poster(client, COORDONNEES, COORDONNEES, **same).location == MOI, "no password for the rest"
        pupil = app.test_client()
        entrer(pupil, "paul.elevea")
        assert pupil.get(COORDONNEES).status_code == 404
        assert COORDONNEES not in pupil.get(MOI).text


class TestVieScolaire:
    @pytest.fixture
    def choisi(self, app, client, session, claire, mailbox):
        """Claire chose her digits with the link she asked for; she is signed in."""
        entrer(client, "claire.montagne")
        assert "pas encore de mot de passe scolarité" in client.get(VIE, follow_redirects=True).text
        poster(client, "/mon-espace/vie-scolaire/lien", OUVRIR)
        courrier.send_due(app)
        assert mailbox.received[-1]["Subject"] == "Choisissez votre mot de passe scolarité"
        path = mailbox.link()
        other = app.test_client()
        other.get(path)
        for digits, sentence in (
            ("12345678", "se devinent"),
            ("040380", "se devinent"),
            ("12ab", "rien d’autre"),
        ):
            assert sentence in poster(other, LIEN, LIEN, nouveau=digits, encore=digits).text
        done = poster(other, LIEN, LIEN, nouveau=CHIFFRES, encore=CHIFFRES)
        assert done.location == "/connexion?fait=scolarite"
        assert "ne sert plus" in app.test_client().get(path, follow_redirects=True).text
        return client

    def ouvrir(self, client, digits, **more):
        return poster(client, OUVRIR, OUVRIR, chiffres=digits, **more)

    def test_it_opens_with_the_digits_for_half_an_hour(self, choisi, session, claire, cast):
        division = session.scalars(select(Division).where(Division.etablissement_id == cast.ecole_a)).one()
        maths = Matiere(code="MATHS", libelle="Mathématiques")
        session.add(maths)
        session.flush()
        session.add(
            ServiceEnseigne(
                personne_id=claire.personne_id,
                etablissement_id=cast.ecole_a,
                matiere_id=maths.id,
                division_id=division.id,
            )
        )
        session.add(ProfesseurPrincipal(personne_id=claire.personne_id, division_id=division.id))
        session.commit()
        assert choisi.get(VIE).location == f"{OUVRIR}?next={VIE}"
        page = choisi.get(OUVRIR).text
        assert sorted(re.findall(r'data-touche="(\d)"', page)) == list("0123456789")
        assert 'type="password"' in page, "a plain field beside the keypad"
        assert self.ouvrir(choisi, " 2749 15 ", next=VIE).location == VIE
        page = choisi.get(VIE).text
        assert "Mathématiques" in page
        assert "Collège A" in page
        session.execute(update(SessionCompte).values(scolarite_le=now() - timedelta(minutes=31)))
        session.commit()
        assert choisi.get(VIE).status_code == 302

    def test_three_wrong_tries_lock_until_renewed(self, app, choisi, session, claire, mailbox):
        assert "2 essais restent" in self.ouvrir(choisi, "111222").text
        assert self.ouvrir(choisi, CHIFFRES).status_code == 302, "a right one forgets the wrong ones"
        session.execute(update(SessionCompte).values(scolarite_le=None))
        session.commit()
        elsewhere = app.test_client()
        entrer(elsewhere, "claire.montagne")
        self.ouvrir(elsewhere, CHIFFRES)
        assert elsewhere.get(VIE).status_code == 200
        pages = [self.ouvrir(choisi, "111222").text for _ in range(3)]
        assert "un seul essai reste" in pages[1]
        assert "sont bloqués" in pages[2]
        assert "sont bloqués" in choisi.get(OUVRIR).text
        assert elsewhere.get(VIE).status_code == 302, "open elsewhere, it closes there too"
        token = jeton(choisi, MOI)
        locked = choisi.post(OUVRIR, data={"chiffres": CHIFFRES, "csrf_token": token})
        assert "sont bloqués" in locked.text, "even with the right digits"
        assert connecte(choisi), "the rest of the account is not touched"
        again = choisi.post(
            "/mon-espace/vie-scolaire/lien", data={"csrf_token": token}, follow_redirects=True
        )
        assert "l’administrateur local" in again.text
        acts = session.scalars(select(Journal.acte)).all()
        assert acts.count("compte.verrouiller_scolarite") == 1
        ici = Deployment.of(app.extensions["reglages"])
        person = session.get(Personne, claire.personne_id)
        liens.nouveau_mot_de_passe_scolarite(session, person, Actor("Chef", 1), deployment=ici)
        session.commit()
        courrier.send_due(app)
        subjects = [m["Subject"] for m in mailbox.received]
        assert "Vos services de vie scolaire sont bloqués" in subjects
        other = app.test_client()
        other.get(mailbox.link())
        assert poster(other, LIEN, LIEN, nouveau="830517", encore="830517").status_code == 302
        assert self.ouvrir(choisi, "830517").location == VIE

    def test_twenty_tries_at_once_are_three(self, app, choisi, session, claire):
        token, cookie = jeton(choisi, OUVRIR), choisi.get_cookie("preau").value
        barrier = threading.Barrier(12)

        def try_it():
            one = app.test_client()
            one.set_cookie("preau", cookie)
            barrier.wait(60)
            one.post(OUVRIR, data={"chiffres": "111222", "csrf_token": token})

        threads = [threading.Thread(target=try_it) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
        row = session.get(MotDePasseScolarite, claire.id)
        assert (row.essais, row.verrouille_le is not None) == (3, True)

    def test_it_changes_once_open_and_is_asked_again(self, choisi, session, claire):
        path = "/mon-espace/vie-scolaire/changer"
        assert choisi.get(path).status_code == 302
        self.ouvrir(choisi, CHIFFRES)
        assert poster(choisi, path, path, nouveau="830517", encore="830517").location == MOI
        assert choisi.get(VIE).status_code == 302
        assert self.ouvrir(choisi, "830517").location == VIE
        kept = session.get(MotDePasseScolarite, claire.id).empreinte
        assert "830517" not in kept

    def test_pupils_see_theirs_without_a_second_password_and_nobody_elses(
        self, client, session, cast, eleve, claire
    ):
        division = session.scalars(select(Division).where(Division.etablissement_id == cast.ecole_a)).one()
        session.execute(
            update(Rattachement)
            .where(Rattachement.personne_id == cast.eleve_a)
            .values(division_id=division.id)
        )
        session.add(ProfesseurPrincipal(personne_id=claire.personne_id, division_id=division.id))
        session.commit()
        entrer(client, "paul.elevea")
        page = client.get(VIE)
        assert page.status_code == 200
        assert "6A" in page.text
        assert "MONTAGNE" in page.text
        assert "Collège B" not in page.text
        assert session.get(Compte, eleve.id) is not None
