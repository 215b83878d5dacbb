"""Services and rights through the API: read, changed on a version, switched, refused with a sentence."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import DroitService, EtatService, Journal

ROOT = "/etablissements/0190001A/services"


@pytest.fixture
def secret(faire_cle, cast, catalogue):
    return faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_a)[1]


def droit(role="lecteur", profil="responsable", accorde=True):
    return {"role": role, "profil": profil, "accorde": accorde}


class TestReading:
    def test_services_then_a_grid(self, secret, appeler):
        listed = {one["code"]: one for one in appeler(secret, ROOT).get_json()}
        assert (listed["forum"]["actif"], listed["chat"]["actif"]) == (True, False)
        grid = appeler(secret, f"{ROOT}/forum").get_json()
        cells = {(one["role"], one["profil"]): one for one in grid["droits"]}
        assert cells["lecteur", "enseignant"] == {
            "role": "lecteur", "profil": "enseignant", "accorde": True, "fixe": True, "en_vigueur": True,
        }  # fmt: skip
        chat = appeler(secret, f"{ROOT}/chat").get_json()
        assert {one["en_vigueur"] for one in chat["droits"]} == {False}

    def test_effective_rights_of_somebody(self, secret, appeler, cast):
        told = appeler(secret, f"{ROOT}/droits/personnes/{cast.eleve_a}").get_json()
        found = {(one["service"], one["role"]): one for one in told}
        assert found["forum", "lecteur"]["regle"] == "defaut"
        assert found["chat", "acces"] == {
            "service": "chat", "role": "acces", "accorde": False, "regle": "inactif", "profils": ["eleve"],
        }  # fmt: skip
        assert appeler(secret, f"{ROOT}/droits/personnes/{cast.eleve_b}").status_code == 404


class TestWriting:
    def test_rights_changed_on_the_version_that_was_read(self, secret, appeler, session):
        version = appeler(secret, f"{ROOT}/forum").get_json()["version"]
        sent = {"version": version, "droits": [droit(), droit(profil="invite")]}
        answer = appeler(secret, f"{ROOT}/forum/droits", "PATCH", json=sent)
        assert answer.status_code == 200
        cells = {(one["role"], one["profil"]): one["accorde"] for one in answer.get_json()["droits"]}
        assert cells["lecteur", "responsable"]
        assert answer.get_json()["version"] > version
        late = appeler(
            secret, f"{ROOT}/forum/droits", "PATCH", json={**sent, "droits": [droit(accorde=False)]}
        )
        assert (late.status_code, "entre-temps" in late.get_json()["erreur"]) == (409, True)
        assert len(session.scalars(select(DroitService)).all()) == 2
        line = session.scalars(select(Journal).where(Journal.acte == "service.droits")).one()
        assert "Clé d’API Essai" in line.acteur

    @pytest.mark.parametrize(
        "sent",
        [
            {"droits": [droit()]},
            {"version": 0, "droits": []},
            {"version": 0, "droits": [droit(profil="concierge")]},
            {"version": 0, "droits": [droit(role="pilote")]},
            {"version": 0, "droits": [droit(role="gestionnaire", profil="eleve")]},
            {"version": 0, "droits": [droit(), droit(role="gestionnaire", profil="eleve")]},
        ],
    )
    def test_refused_whole(self, secret, appeler, session, sent):
        answer = appeler(secret, f"{ROOT}/forum/droits", "PATCH", json=sent)
        assert answer.status_code == 422
        assert answer.get_json()["erreur"]
        assert session.scalars(select(DroitService)).all() == []

    def test_switched(self, secret, appeler, session):
        assert appeler(secret, f"{ROOT}/chat/etat", "PUT", json={"actif": True}).get_json()["actif"]
        assert appeler(secret, f"{ROOT}/chat/etat", "PUT", json={"actif": True}).status_code == 409
        assert appeler(secret, f"{ROOT}/forum/etat", "PUT", json={"actif": False}).status_code == 422
        assert [one.actif for one in session.scalars(select(EtatService))] == [True]

    def test_needs_a_key_that_writes(self, faire_cle, appeler, cast, catalogue):
        _key, reader = faire_cle("chef_etablissement", ecriture=True, etablissement_id=cast.ecole_a)
        assert appeler(reader, f"{ROOT}/forum").status_code == 200
        assert appeler(reader, f"{ROOT}/chat/etat", "PUT", json={"actif": True}).status_code == 403

    def test_out_of_the_perimeter_and_not_offered(self, faire_cle, secret, appeler, cast):
        _key, other = faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_b)
        sent = {"version": 0, "droits": [droit()]}
        for path, method, json in (
            (ROOT, "GET", None), (f"{ROOT}/forum", "GET", None), (f"{ROOT}/forum/droits", "PATCH", sent),
            (f"{ROOT}/chat/etat", "PUT", {"actif": True}),
            (f"{ROOT}/droits/personnes/{cast.eleve_a}", "GET", None),
        ):  # fmt: skip
            assert appeler(other, path, method, json=json).status_code == 404
        assert appeler(secret, f"{ROOT}/boticely").status_code == 404
