"""What addresses and headers carry, whoever wrote them: never a 500, on either engine (D3, D8, A1)."""

from __future__ import annotations

import json

import pytest

from app.operations import cles_api
from app.operations.saisies import SYSTEME
from tests.security.conftest import attribuer, compte, entrer, jeton

TEXTS = ["\0", "@\0", "a.\ud7ff", "@\U0010ffff", "\u202eadmin", "2" * 5000, "İ.٣", "'\\"]
CURSORS = [
    "a\0b~1", "a~2147483648", "~~~~", "a~" + "9" * 5000, "0001-01-01T00:00:00+14:00~a~1",
    "9999-12-31T23:59:59-14:00~a~1", "2024-01-01T00:00:00+00:00~\0~1",
]  # fmt: skip


@pytest.fixture
def signed_in(client, session, cast):
    row = compte(session, "local.admin")
    attribuer(session, row, "correspondant", etablissement_id=cast.ecole_a)
    session.commit()
    assert entrer(client, "local.admin").location == "/"
    return client


def broken(client, paths, **headers):
    """Return the addresses whose answer is a 500."""
    found = []
    for path, query in paths:
        answer = client.get(path, query_string=query, buffered=True, **headers)
        if answer.status_code >= 500:
            found.append((path, query if len(str(query)) < 80 else str(query)[:80]))
    return found


@pytest.fixture(autouse=True)
def _answers(app):
    """Answer errors as in production."""
    before = app.config.get("PROPAGATE_EXCEPTIONS"), app.testing
    app.config["PROPAGATE_EXCEPTIONS"], app.testing = False, False
    yield
    app.config["PROPAGATE_EXCEPTIONS"], app.testing = before


class TestPages:
    def test_lists_suggestions_and_pages_of_lists(self, signed_in, cast):
        school = "/etablissements/0190001A"
        paths = [
            (path, {name: text})
            for path in (
                "/personnes/", f"{school}/utilisateurs/eleves/", f"{school}/identifiants/", "/palette",
            )
            for name in ("q", "niveau", "depuis")
            for text in TEXTS
        ]  # fmt: skip
        paths += [
            (path, {name: cursor, "tri": sort})
            for path in ("/personnes/", f"{school}/utilisateurs/eleves/", f"{school}/utilisateurs/departs/")
            for sort in ("nom", "naissance", "creation")
            for name in ("apres",)
            for cursor in CURSORS
        ]
        assert broken(signed_in, paths) == []


class TestApi:
    def test_calls(self, app, client, session, cast, monkeypatch):
        maker = compte(session, "auteur.cle")
        attribuer(session, maker, "correspondant", etablissement_id=cast.ecole_a)
        _key, secret = cles_api.creer(
            session, nom="Essai", role="correspondant", portee=cles_api.Portee(etablissement_id=cast.ecole_a),
            ecriture=False, jours=30, compte=maker, acteur=SYSTEME,
        )  # fmt: skip
        session.commit()
        monkeypatch.setattr(app.extensions["reglages"], "api_appels_minute", 10_000)
        paths = [
            (f"/api/v1/{path}", {name: text})
            for path in ("personnes/", "personnes/export", "etablissements/")
            for name in ("q", "etablissement", "taille")
            for text in TEXTS
        ]
        paths += [
            (f"/api/v1/{path}", {name: cursor})
            for path in ("personnes/", "etablissements/")
            for name in ("apres", "avant")
            for cursor in CURSORS
        ]
        paths += [
            (f"/api/v1/etablissements/{text}"[:300], {}) for text in ("%00", "%ED%A0%80", "%F4%8F%BF%BF")
        ]
        paths += [(f"/api/v1/personnes/{number}", {}) for number in (0, 2**31, 10**30)]
        assert broken(client, paths, headers={"Authorization": f"Bearer {secret}"}) == []
        for strange in ("preau_é", "preau_\xff", "preau_" + "x" * 9000, "\t", "preau_" + "\\0"):
            answer = client.get("/api/v1/cle/", headers={"Authorization": f"Bearer {strange}"})
            assert answer.status_code in {400, 401}
        assert json.loads(client.get("/api/v1/cle/").data)["erreur"]


class TestPubliques:
    def test_what_strangers_send(self, client):
        paths = [(f"/connexion/lien/{text}", {}) for text in ("%00", "%ED%A0%80", "a" * 5000, "..%2f", "é")]
        paths += [("/connexion/lien/", {}), ("/connexion", {"next": "\0", "fait": "\0"})]
        assert broken(client, paths) == []
        for path in ("/connexion/premiere/", "/connexion/oubli/", "/connexion"):
            for text in TEXTS:
                data = {"csrf_token": jeton(client, path), "identifiant": text, "code": text, "mdp": text,
                        "naissance": text, "code_postal": text}  # fmt: skip
                assert client.post(path, data=data).status_code < 500, (path, text[:20])
