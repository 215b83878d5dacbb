"""Pages of a school through the API: the same acts, the same refusals, the same journal."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import select

from app.models import Bloc, Journal
from tests.operations.test_images import picture

PICTURE = base64.b64encode(picture("PNG")).decode()
A, B = "/etablissements/0190001A", "/etablissements/0180001B"


@pytest.fixture
def secret(faire_cle, cast):
    return faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_a)[1]


class TestLogos:
    def test_added_changed_ordered_taken_off(self, secret, appeler, session):
        def send(method, path, **sent):
            return appeler(secret, A + path, method, json=sent)

        first = send("POST", "/logos", texte="Ville", url="tours.fr", contenu=PICTURE).get_json()
        assert first["image"].startswith("/media/")
        other = base64.b64encode(picture("PNG", (9, 9))).decode()
        second = send("POST", "/logos", texte="Région", contenu=other).get_json()
        assert send("PUT", "/logos/accueil/ordre", ids=[second["id"], first["id"]]).status_code == 204
        changed = send("PUT", f"/logos/{first['id']}", texte="Ville de Tours", visible=False).get_json()
        assert (changed["visible"], changed["image"]) == (False, first["image"])
        listed = appeler(secret, f"{A}/logos").get_json()
        assert [one["texte"] for one in listed] == ["Région", "Ville de Tours"]
        assert appeler(secret, f"{A}/logos/{first['id']}", "DELETE").status_code == 204
        assert appeler(secret, f"{A}/logos/{first['id']}", "DELETE").status_code == 404
        told = session.scalars(select(Journal.acte).where(Journal.acte.like("logo.%"))).all()
        assert told == ["logo.ajouter"] * 2 + ["logo.ordonner", "logo.modifier", "logo.supprimer"]

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"texte": "x"},
            {"texte": "x", "contenu": "é"},
            {"texte": "x", "contenu": "aGVsbG8="},
            {"texte": "x", "page": "y"},
        ],
    )
    def test_refused_by_a_sentence(self, secret, appeler, sent):
        answer = appeler(secret, f"{A}/logos", "POST", json=sent)
        assert (answer.status_code, bool(answer.get_json()["erreur"])) == (422, True)


class TestPage:
    SENT = {"active": True, "adresse": "college-a", "version": 0}

    def test_opened_and_refused_to_who_read_an_older_version(self, secret, appeler, app):
        assert appeler(secret, f"{A}/page-publique").get_json()["version"] == 0
        said = appeler(secret, f"{A}/page-publique", "PUT", json=self.SENT).get_json()
        assert (said["active"], said["adresse"], said["version"]) == (True, "college-a", 1)
        assert app.test_client().get("/p/college-a").status_code == 200
        late = appeler(secret, f"{A}/page-publique", "PUT", json={**self.SENT, "active": False})
        assert late.status_code == 409


class TestBlocs:
    def test_written_changed_and_disputed(self, secret, appeler, session):
        made = appeler(secret, f"{A}/blocs", "POST", json={"titre": "Neuf", "texte": "**Oui**"}).get_json()
        assert "<strong>" in made["rendu"]
        path = f"{A}/blocs/{made['id']}"
        changed = appeler(secret, path, "PUT", json={"titre": "Neuf", "texte": "Non", "version": 1})
        assert changed.get_json()["version"] == 2
        far = appeler(secret, path, "PUT", json={"titre": "Neuf", "texte": "Tard", "version": 10**30})
        assert far.status_code == 422
        late = appeler(secret, path, "PUT", json={"titre": "Neuf", "texte": "Tard", "version": 1})
        assert late.status_code == 409
        assert session.scalars(select(Bloc.texte)).all() == ["Non"]
        session.rollback()
        assert appeler(secret, path, "DELETE").status_code == 204
        assert appeler(secret, f"{A}/blocs").get_json() == []


class TestFlux:
    def test_an_address_inside_is_refused(self, secret, appeler):
        answer = appeler(secret, f"{A}/flux", "POST", json={"url": "http://127.0.0.1/flux"})
        assert (answer.status_code, "Aucun serveur public" in answer.get_json()["erreur"]) == (422, True)
        assert appeler(secret, f"{A}/flux").get_json() == []


class TestPerimeter:
    def test_another_school_does_not_exist_and_a_reader_writes_nothing(
        self, secret, appeler, faire_cle, cast
    ):
        for path in ("logos", "flux", "page-publique", "blocs"):
            assert appeler(secret, f"{B}/{path}").status_code == 404
        sent = {"titre": "x"}
        assert appeler(secret, f"{B}/blocs", "POST", json=sent).status_code == 404
        _key, reader = faire_cle("correspondant", etablissement_id=cast.ecole_a)
        assert appeler(reader, f"{A}/blocs", "POST", json=sent).status_code == 403
