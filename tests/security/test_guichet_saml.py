"""Signing in through a SAML identity provider (A6): an answer is signed, ours, fresh, and serves once."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
from lxml import etree
from sqlalchemy import func, select

from app import create_app
from app.models import AssertionRecue, Attribution, Compte, SessionCompte
from app.operations.comptes import suspendre
from tests.security.conftest import MOT_DE_PASSE, compte, connecte, entrer, jeton, refus
from tests.support.fournisseur_saml import NS, Fournisseur, posted, wrapped

FAILED = "n’a pas répondu comme prévu"
RETOUR = "/connexion/guichet/retour"


@pytest.fixture(scope="module")
def cles():
    """Two keys made once: the provider's and a stranger's."""
    return Fournisseur().identite, Fournisseur().identite


@pytest.fixture
def idp(cles):
    return Fournisseur(identite=cles[0])


@pytest.fixture
def ouvrir(ouvrir_guichet, idp):
    """Open the console on the provider; ``values`` replace the keys of its file."""
    usual = {
        "idp_entite": idp.entite,
        "idp_connexion": "https://idp.ac-exemple.fr/sso",
        "idp_certificat": idp.identite.pem,
        "sp_entite": idp.sp,
        "nom": "Guichet de l’académie",
    }
    return lambda **values: ouvrir_guichet("saml", **{**usual, **values})


@pytest.fixture
def app(ouvrir):
    return ouvrir()


@pytest.fixture
def claire(session, cast):
    row = compte(session, "claire.montagne")
    compte(session, "marc.chef")
    session.commit()
    return row


def partir(client, idp, suite="/mon-espace/mot-de-passe") -> str:
    """Follow the button and return the identifier of the question."""
    leaving = client.get(f"/connexion/guichet?next={suite}")
    assert leaving.status_code == 302
    assert leaving.location.startswith("https://idp.ac-exemple.fr/sso?SAMLRequest=")
    return str(idp.asked(leaving.location).get("ID"))


def revenir(client, root, **more):
    """Post the provider's answer as its own page makes the browser do."""
    text = root if isinstance(root, str) else posted(root)
    return client.post(RETOUR, data={"SAMLResponse": text, **more})


def assert_refused(answer, client, session):
    assert answer.status_code == 400
    assert FAILED in refus(answer)
    assert not connecte(client)
    assert session.scalar(select(func.count(SessionCompte.id))) == 0
    session.rollback()


class TestValid:
    def test_the_button_leads_in(self, client, idp, claire, session):
        page = client.get("/connexion?next=/mon-espace/mot-de-passe").text
        assert "Guichet de l’académie" in page
        answer = revenir(client, idp.tree(partir(client, idp)))
        assert (answer.status_code, answer.location) == (302, "/mon-espace/mot-de-passe")
        assert connecte(client)
        opened = session.scalars(select(SessionCompte)).one()
        assert opened.compte_id == claire.id

    def test_the_question_says_who_asks_and_where_to_answer(self, client, idp, claire):
        leaving = client.get("/connexion/guichet")
        asked = idp.asked(leaving.location)
        assert asked.findtext("saml:Issuer", namespaces=NS) == idp.sp
        assert asked.get("AssertionConsumerServiceURL") == idp.acs
        assert asked.find("samlp:RequestedAuthnContext", NS) is None
        cookie = leaving.headers["Set-Cookie"]
        assert cookie.startswith("guichet=")
        for word in ("Secure", "HttpOnly", "SameSite=None", "Path=/connexion/guichet"):
            assert word in cookie

    def test_a_second_certificate_lets_the_provider_change_keys(self, ouvrir, idp, cles, claire):
        client = ouvrir(idp_certificat=[cles[1].pem, idp.identite.pem]).test_client()
        revenir(client, idp.tree(partir(client, idp)))
        assert connecte(client)

    def test_the_name_may_come_from_the_subject(self, ouvrir, idp, claire):
        client = ouvrir(attribut="NameID").test_client()
        idp.uid = ["marc.chef"]
        revenir(client, idp.tree(partir(client, idp)))
        assert "claire" in client.get("/").text.lower()

    def test_signing_out_ends_our_session(self, client, idp, claire, session):
        revenir(client, idp.tree(partir(client, idp)))
        client.post("/deconnexion", data={"csrf_token": jeton(client, "/deconnexion")})
        assert not connecte(client)
        assert session.scalars(select(SessionCompte)).one().fin is not None

    def test_a_password_of_the_console_still_opens(self, client, claire):
        entrer(client, "claire.montagne", MOT_DE_PASSE)
        assert connecte(client)


class TestAccounts:
    def test_nobody_is_created_and_no_role_given(self, client, idp, claire, session):
        idp.uid = ["inconnue.ici"]
        answer = revenir(client, idp.tree(partir(client, idp)))
        assert "aucun compte de la console" in refus(answer)
        assert not connecte(client)
        assert session.scalar(select(func.count(Compte.id))) == 2
        assert session.scalar(select(func.count(Attribution.id))) == 0

    @pytest.mark.parametrize("uid", [[], [""], ["claire.montagne", "marc.chef"]])
    def test_no_name_or_two_names_open_nothing(self, client, idp, claire, uid):
        idp.uid = uid
        answer = revenir(client, idp.tree(partir(client, idp)))
        assert not connecte(client)
        assert answer.status_code in {200, 400}

    def test_a_suspended_account_stays_out(self, client, idp, claire, session):
        suspendre(session, claire, "essai")
        session.commit()
        assert "suspendu" in refus(revenir(client, idp.tree(partir(client, idp))))
        assert not connecte(client)


class TestRefused:
    @pytest.mark.parametrize(
        "lie",
        [
            pytest.param({"sign": "nothing"}, id="unsigned"),
            pytest.param({"sign": "response"}, id="only the envelope is signed"),
            pytest.param({"sha1": True}, id="signed with SHA-1"),
            pytest.param({"audience": "https://autre.fr"}, id="for another console"),
            pytest.param({"audience": ""}, id="for nobody by name"),
            pytest.param({"recipient": "https://autre.fr/acs"}, id="delivered elsewhere"),
            pytest.param({"acs": "https://autre.fr/acs"}, id="sent elsewhere"),
            pytest.param({"issuer": "https://autre-idp.fr"}, id="another provider"),
            pytest.param({"end": timedelta(minutes=-10), "start": timedelta(minutes=-20)}, id="expired"),
            pytest.param({"start": timedelta(minutes=10), "end": timedelta(minutes=20)}, id="not yet"),
            pytest.param({"question": "_autre"}, id="answer to another question"),
            pytest.param({"question": "", "envelope": "{id}"}, id="assertion to no question"),
            pytest.param({"question": "_autre", "envelope": "{id}"}, id="assertion to another question"),
            pytest.param({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, id="a failure"),
        ],
    )
    def test_what_does_not_hold(self, client, idp, claire, session, lie):
        question = partir(client, idp)
        for name, value in lie.items():
            setattr(idp, name, question if value == "{id}" else value)
        assert_refused(revenir(client, idp.tree(question)), client, session)

    def test_the_key_of_a_stranger(self, client, idp, cles, claire, session):
        idp.signing = cles[1]
        assert_refused(revenir(client, idp.tree(partir(client, idp))), client, session)

    @pytest.mark.parametrize(
        "how",
        [
            "forged first",
            "forged last",
            "signed inside forged",
            "signed inside extensions",
            "signed inside the signature",
            "same identifier",
            "whole answer inside",
            "changed after signing",
            "signature taken away",
            "signature of another element",
        ],
    )
    def test_a_signature_wrapped_around_somebody_else(self, client, idp, claire, session, how):
        forged = wrapped(idp.tree(partir(client, idp)), how)
        assert b"marc.chef" in etree.tostring(forged) or how == "signature taken away"
        assert_refused(revenir(client, forged), client, session)

    def test_a_name_cut_by_a_comment_stays_whole(self, client, idp, session, cast):
        """A reader that stops at the comment would see ``marc.chef`` where ``marc.chef.faux`` is signed."""
        compte(session, "marc.chef")
        session.commit()
        idp.uid = ["marc.chef<!-- -->.faux"]
        answer = revenir(client, idp.tree(partir(client, idp)))
        assert not connecte(client)
        assert answer.status_code in {200, 400}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "pas du base64 !",
            base64.b64encode(b"pas du XML").decode(),
            base64.b64encode(b"<a/>").decode(),
            base64.b64encode(b"\xff\xfe\x00").decode(),
            base64.b64encode(
                b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><samlp:Response xmlns:samlp='
                b'"urn:oasis:names:tc:SAML:2.0:protocol" Version="2.0" ID="a">&e;</samlp:Response>'
            ).decode(),
            base64.b64encode(
                b'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml='
                b'"urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="a"><saml:EncryptedAssertion/>'
                b"</samlp:Response>"
            ).decode(),
        ],
    )
    def test_nonsense_is_refused_in_words(self, client, idp, claire, session, text):
        partir(client, idp)
        assert_refused(revenir(client, text), client, session)

    def test_a_visit_without_answer_is_refused_too(self, client, idp, claire, session):
        partir(client, idp)
        assert_refused(client.get(RETOUR), client, session)


class TestOnce:
    def test_an_assertion_serves_once(self, app, client, idp, claire, session):
        """The cookie of the question is put back as a thief of both would do."""
        question = partir(client, idp)
        kept = client.get_cookie("guichet", path="/connexion/guichet")
        root = idp.tree(question)
        assert revenir(client, root).status_code == 302
        assert client.get_cookie("guichet", path="/connexion/guichet") is None
        client.post("/deconnexion", data={"csrf_token": jeton(client, "/deconnexion")})
        client.set_cookie("guichet", kept.value, path="/connexion/guichet")
        answer = revenir(client, root)
        assert (answer.status_code, connecte(client)) == (400, False)
        assert session.scalar(select(func.count(AssertionRecue.cle))) == 1

    def test_another_browser_cannot_use_it(self, app, client, idp, claire, session):
        root = idp.tree(partir(client, idp))
        stranger = app.test_client()
        assert_refused(revenir(stranger, root), stranger, session)
        partir(stranger, idp)
        assert_refused(revenir(stranger, root), stranger, session)
        assert revenir(client, root).status_code == 302

    def test_an_answer_nobody_asked_for_is_refused(self, client, idp, claire, session):
        idp.question = ""
        idp.envelope = ""
        assert_refused(revenir(client, idp.tree("")), client, session)

    def test_ended_ones_are_forgotten(self, client, idp, claire, session):
        from app.extensions import now
        from app.operations.connexions import consume_assertion

        assert consume_assertion(session, "vieille", expire_le=now() - timedelta(hours=2))
        assert consume_assertion(session, "neuve", expire_le=now() + timedelta(minutes=5))
        assert not consume_assertion(session, "neuve", expire_le=now() + timedelta(minutes=5))
        assert session.scalar(select(func.count(AssertionRecue.cle))) == 1


class TestBrowser:
    @pytest.mark.parametrize("state", ["https://mechant.fr/", "//mechant.fr", "/\\mechant.fr"])
    def test_the_way_back_is_ours_whatever_the_relay_state(self, client, idp, claire, state):
        answer = revenir(client, idp.tree(partir(client, idp)), RelayState=state)
        assert answer.location == "/mon-espace/mot-de-passe"

    @pytest.mark.parametrize("suite", ["https://mechant.fr/", "//mechant.fr", "/connexion"])
    def test_nor_whatever_the_address_of_the_button(self, client, idp, claire, suite):
        assert revenir(client, idp.tree(partir(client, idp, suite))).location == "/"

    def test_a_forged_host_moves_nothing(self, client, idp, claire):
        leaving = client.get("/connexion/guichet", headers={"Host": "localhost"})
        assert idp.asked(leaving.location).get("AssertionConsumerServiceURL") == idp.acs

    def test_a_refused_answer_leaves_the_open_session_alone(self, client, claire):
        """Anybody's page may post to this address: it must not sign anybody out."""
        entrer(client, "claire.montagne", MOT_DE_PASSE)
        stranger = client.application.test_client()
        answer = stranger.post(RETOUR, data={"SAMLResponse": "rien"})
        assert answer.status_code == 400
        assert not re.search(r"preau=", answer.headers.get("Set-Cookie", ""))
        assert connecte(client)


class TestMetadata:
    def test_the_provider_s_administrators_read_who_we_are(self, client, idp):
        answer = client.get("/connexion/guichet/metadonnees")
        assert answer.mimetype == "application/samlmetadata+xml"
        root = etree.fromstring(answer.data)
        assert root.get("entityID") == idp.sp
        space = {"md": "urn:oasis:names:tc:SAML:2.0:metadata"}
        service = root.find(".//md:AssertionConsumerService", space)
        assert service.get("Location") == idp.acs
        assert service.get("Binding").endswith("HTTP-POST")
        assert root.find("md:SPSSODescriptor", space).get("WantAssertionsSigned") == "true"


@pytest.mark.usefixtures("cast")
def test_without_saml_there_is_nothing_to_read(reglages):
    client = create_app(**reglages).test_client()
    assert client.get("/connexion/guichet/metadonnees").status_code == 404
    assert client.post(RETOUR, data={"SAMLResponse": "rien"}).status_code == 404
