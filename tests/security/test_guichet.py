"""Signing in through an OIDC provider, end to end on the loopback (A6)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import func, select
from werkzeug.serving import make_server

from app import create_app
from app.extensions import db
from app.models import Attribution, Compte, SessionCompte
from tests.security.conftest import compte, connecte, refus


class Guichet:
    """A small OIDC provider: one client, one person, authorisation code with PKCE."""

    def __init__(self) -> None:
        self.claims = {"sub": "42", "preferred_username": "claire.montagne"}
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.signing = self.key
        self.nonce = self.challenge = ""
        self.audience = "preau"
        self.app = Flask("guichet")
        for path, view in {
            "/.well-known/openid-configuration": self.metadata,
            "/autoriser": self.authorize,
            "/jeton": self.token,
            "/cles": self.keys,
        }.items():
            self.app.add_url_rule(path, view.__name__, view, methods=["GET", "POST"])
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def metadata(self):
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/autoriser",
            token_endpoint=f"{self.issuer}/jeton",
            jwks_uri=f"{self.issuer}/cles",
            id_token_signing_alg_values_supported=["RS256"],
        )

    def authorize(self):
        self.nonce, self.challenge = request.args["nonce"], request.args["code_challenge"]
        return redirect(f"{request.args['redirect_uri']}?code=c0de&state={request.args['state']}")

    def token(self):
        if request.form["code"] != "c0de" or not request.form.get("code_verifier"):
            return jsonify(error="invalid_grant"), 400
        moment = int(time.time())
        payload = {
            "iss": self.issuer,
            "aud": self.audience,
            "exp": moment + 60,
            "iat": moment,
            "nonce": self.nonce,
            **self.claims,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, payload, self.signing)
        return jsonify(access_token="a", token_type="Bearer", expires_in=60, id_token=signed)

    def keys(self):
        return jsonify(keys=[self.key.as_dict(private=False)])


@pytest.fixture
def guichet() -> Iterator[Guichet]:
    provider = Guichet()
    thread = threading.Thread(target=provider.server.serve_forever)
    thread.start()
    yield provider
    provider.server.shutdown()
    thread.join()
    provider.server.server_close()


@pytest.fixture
def app(reglages, guichet, tmp_path):
    path = tmp_path / "oidc.json"
    values = {"emetteur": guichet.issuer, "client_id": "preau", "client_secret": "secret"}
    path.write_text(json.dumps(values), encoding="utf-8")
    application = create_app(**reglages, authentification="oidc", oidc_fichier=path)
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def claire(session, cast):
    row = compte(session, "claire.montagne")
    session.commit()
    return row


def passer(client, guichet, suite="/mon-espace/mot-de-passe"):
    """Follow the button to the provider and back, as a browser does."""
    leaving = client.get(f"/connexion/guichet?next={suite}")
    assert leaving.status_code == 302
    asked = parse_qs(urlsplit(leaving.location).query)
    assert leaving.location.startswith(f"{guichet.issuer}/autoriser?")
    assert asked["code_challenge_method"] == ["S256"]
    with guichet.app.test_client() as provider:
        back = urlsplit(provider.get(leaving.location.removeprefix(guichet.issuer)).location)
    return client.get(f"{back.path}?{back.query}")


class TestOidc:
    def test_the_button_leads_in(self, client, guichet, claire, session):
        page = client.get("/connexion?next=/mon-espace/mot-de-passe").text
        assert "Guichet académique" in page
        answer = passer(client, guichet)
        assert (answer.status_code, answer.location) == (302, "/mon-espace/mot-de-passe")
        assert connecte(client)
        assert session.scalar(select(func.count(SessionCompte.id))) == 1

    def test_nobody_is_created_and_no_role_given(self, client, guichet, claire, session):
        guichet.claims = {"sub": "43", "preferred_username": "inconnu.partout", "roles": ["assistant_n2"]}
        answer = passer(client, guichet)
        assert "aucun compte de la console" in refus(answer)
        assert not connecte(client)
        assert session.scalar(select(func.count(Compte.id))) == 1
        assert session.scalar(select(func.count(Attribution.id))) == 0

    def test_a_suspended_account_stays_out(self, client, guichet, claire, session):
        from app.operations.comptes import suspendre

        suspendre(session, claire, "essai")
        session.commit()
        assert "suspendu" in refus(passer(client, guichet))
        assert not connecte(client)

    @pytest.mark.parametrize("lie", ["key", "audience", "nonce"])
    def test_a_token_that_does_not_hold_is_refused(self, client, guichet, claire, lie):
        if lie == "key":
            guichet.signing = RSAKey.generate_key(2048, {"kid": "1"})
        elif lie == "audience":
            guichet.audience = "un-autre"
        else:
            guichet.claims["nonce"] = "rejoué"
        answer = passer(client, guichet)
        assert answer.status_code == 400
        assert "n’a pas répondu comme prévu" in refus(answer)
        assert not connecte(client)

    def test_a_provider_that_is_down_is_said_so(self, client, guichet, claire):
        guichet.server.server_close()
        guichet.server.shutdown()
        answer = client.get("/connexion/guichet")
        assert answer.status_code == 503
        assert "n’a pas répondu" in refus(answer)

    def test_an_answer_nobody_asked_for_is_refused(self, client, guichet, claire):
        answer = client.get("/connexion/guichet/retour?code=c0de&state=forge")
        assert answer.status_code == 400
        assert not connecte(client)

    def test_the_way_back_stays_on_our_host(self, client, guichet, claire):
        assert passer(client, guichet, suite="https://mechant.fr/").location == "/"


@pytest.mark.usefixtures("cast")
def test_without_outside_sign_in_there_is_no_button(reglages):
    client = create_app(**reglages).test_client()
    assert "Guichet" not in client.get("/connexion").text
    assert client.get("/connexion/guichet").status_code == 404
