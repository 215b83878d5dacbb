"""Settings of services through the API: read without secrets, saved on a version, tried, switched."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.jobs import runner
from app.models import EssaiService, Journal, ReglageService, Tache

ROOT = "/etablissements/0190001A/services"
FICHIERS = f"{ROOT}/serveur_etablissement/reglages"
SAISIE = {"adresse": "fichiers.exemple.fr", "port": 990, "protocole": "ftps", "mot_de_passe": "le sapin"}


@pytest.fixture
def secret(faire_cle, cast, catalogue):
    return faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_a)[1]


class TestSettings:
    def test_saved_on_a_version_and_told_without_the_secret(self, secret, appeler, session):
        answer = appeler(secret, FICHIERS, "PUT", json={"version": None, "valeurs": SAISIE})
        told = answer.get_json()[0]
        assert (answer.status_code, told["version"], told["secrets"]) == (200, 1, ["mot_de_passe"])
        assert told["valeurs"]["port"] == 990
        assert "sapin" not in appeler(secret, FICHIERS).get_data(as_text=True)
        late = appeler(secret, FICHIERS, "PUT", json={"version": None, "valeurs": SAISIE})
        assert (late.status_code, "entre-temps" in late.get_json()["erreur"]) == (409, True)
        line = session.scalars(select(Journal).filter_by(acte="service.regler")).one()
        assert "Clé d’API Essai" in line.acteur

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"version": None}, "valeurs"),
            ({"version": "1", "valeurs": {}}, "version"),
            ({"version": None, "valeurs": {**SAISIE, "port": 0}}, "port"),
            ({"version": None, "valeurs": {**SAISIE, "port": [21]}}, "port"),
            ({"version": None, "valeurs": {**SAISIE, "adresse": {"a": 1}}}, "adresse"),
            ({"version": None, "valeurs": {**SAISIE, "autre": 1}}, "autre"),
        ],
    )
    def test_refused_on_its_field(self, secret, appeler, session, sent, field):
        answer = appeler(secret, FICHIERS, "PUT", json=sent)
        assert (answer.status_code, answer.get_json()["champ"]) == (422, field)
        assert session.query(ReglageService).count() == 0

    def test_needs_the_right_and_stays_in_the_perimeter(self, secret, faire_cle, appeler, cast, session):
        sent = {"version": None, "valeurs": SAISIE}
        reader = faire_cle("chef_etablissement", etablissement_id=cast.ecole_a)[1]
        assert appeler(reader, FICHIERS).status_code == 200
        for path, method in ((FICHIERS, "PUT"), (f"{FICHIERS}/essai", "POST")):
            assert appeler(reader, path, method, json=sent).status_code == 403
            foreign = path.replace("0190001A", "0180001B")
            assert appeler(secret, foreign, method, json=sent).status_code == 404
        assert appeler(secret, f"{ROOT}/absent/reglages").status_code == 404
        assert session.query(ReglageService).count() == 0


class TestTrying:
    def test_asked_then_read(self, app, secret, appeler, session):
        path = f"{ROOT}/bcdi/reglages"
        asked = appeler(secret, f"{path}/essai", "POST", json={"valeurs": {"adresse": "http://10.0.0.1/"}})
        assert (asked.status_code, asked.get_json()["fini_le"]) == (202, None)
        task = session.scalars(select(Tache.id)).one()
        session.rollback()
        runner.run(app, task)
        told = appeler(secret, f"{path}/essais/{asked.get_json()['id']}").get_json()
        assert (told["reussi"], "joignable" in told["phrase"]) == (False, True)
        assert appeler(secret, f"{FICHIERS}/essais/{told['id']}").status_code == 404
        assert appeler(secret, f"{path}/essais/99999999999").status_code == 404

    def test_switched_on_untried_only_knowingly(self, secret, appeler, session):
        values = {"version": None, "valeurs": {"adresse": "https://un.exemple.fr/"}}
        assert appeler(secret, f"{ROOT}/bcdi/reglages", "PUT", json=values).status_code == 200
        refused = appeler(secret, f"{ROOT}/bcdi/etat", "PUT", json={"actif": True})
        assert (refused.status_code, refused.get_json()["champ"]) == (422, "sans_essai")
        sent = {"actif": True, "sans_essai": True}
        assert appeler(secret, f"{ROOT}/bcdi/etat", "PUT", json=sent).get_json()["actif"]
        assert session.query(EssaiService).count() == 0


class TestComponents:
    def test_one_external_software_at_a_time(self, secret, appeler):
        notes = f"{ROOT}/notes_absences"
        for code in ("pronote_2009", "pronote_2010"):
            values = {"version": None, "valeurs": {"adresse": "https://n.exemple.fr/"}}
            saved = appeler(secret, f"{notes}/reglages?composant={code}", "PUT", json=values)
            assert saved.status_code == 200
        on = appeler(secret, f"{notes}/composants/pronote_2009/etat", "PUT", json={"actif": True})
        assert {one["composant"] for one in on.get_json() if one["place"] and one["actif"]} == {
            "pronote_2009"
        }
        other = appeler(secret, f"{notes}/composants/pronote_2010/etat", "PUT", json={"actif": True})
        assert (other.status_code, "Pronote.net 2009" in other.get_json()["erreur"]) == (422, True)
        assert (
            appeler(secret, f"{notes}/composants/absent/etat", "PUT", json={"actif": True}).status_code == 404
        )


@pytest.mark.parametrize(
    "body",
    [
        b'{"version": null, "valeurs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"version": 1' + b"0" * 5000 + b', "valeurs": {}}',
        b'{"version": null, "valeurs": {"port": 1' + b"0" * 4000 + b"}}",
        b'{"version": null, "valeurs": {"\\ud800": 1}}',
        b'{"version": null, "valeurs": {"adresse": "\\u0000"}}',
        b'{"version": 1e999, "valeurs": {}}',
    ],
)
def test_a_hostile_body_is_refused_and_not_an_error(secret, appeler, body):
    answer = appeler(secret, FICHIERS, "PUT", data=body, content_type="application/json")
    assert answer.status_code in {400, 409, 422}
