"""Acts on accounts through the API: done, told in the journal, refused with a sentence."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import Courriel, Journal, Personne
from tests.security.conftest import attribuer, compte


@pytest.fixture
def secret(faire_cle, cast):
    return faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_a)[1]


class TestSuspension:
    def test_suspended_then_given_back_with_their_lines(self, secret, appeler, cast, session):
        path = f"/personnes/{cast.eleve_a}/suspension"
        said = appeler(secret, path, "PUT", json={"motif": "Vol de mot de passe"})
        assert (said.status_code, said.get_json()["etat"]) == (200, "suspendu")
        again = appeler(secret, path, "PUT", json={"motif": "Encore"})
        assert (again.status_code, "déjà" in again.get_json()["erreur"]) == (422, True)
        assert appeler(secret, path, "DELETE").get_json()["etat"] == "jamais"
        assert appeler(secret, path, "DELETE").status_code == 422
        lines = session.execute(
            select(Journal.acte, Journal.acteur).where(Journal.objet_type == "personne")
        ).all()
        assert [line.acte for line in lines] == ["compte.suspendre", "compte.retablir"]
        assert all("Clé d’API Essai" in line.acteur for line in lines)

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ({"json": {}}, 422),
            ({"json": {"motif": "  "}}, 422),
            ({"json": {"motif": "a" * 256}}, 422),
            ({"json": {"motif": 3}}, 422),
            ({"json": {"motif": "ok", "autre": 1}}, 422),
            ({"json": [1]}, 422),
            ({"data": "motif=x"}, 422),
        ],
    )
    def test_refused_on_its_field(self, secret, appeler, cast, session, sent, code):
        answer = appeler(secret, f"/personnes/{cast.eleve_a}/suspension", "PUT", **sent)
        assert answer.status_code == code
        assert answer.get_json()["erreur"]
        assert session.get(Personne, cast.eleve_a).suspendu_le is None

    def test_a_key_that_only_reads_writes_nothing(self, faire_cle, appeler, cast, session):
        _key, reader = faire_cle("correspondant", etablissement_id=cast.ecole_a)
        for method, path in (
            ("PUT", "suspension"),
            ("DELETE", "suspension"),
            ("POST", "nouveau-mot-de-passe"),
        ):
            answer = appeler(reader, f"/personnes/{cast.eleve_a}/{path}", method, json={"motif": "x"})
            assert (answer.status_code, "lecture" in answer.get_json()["erreur"]) == (403, True)
        _key, head = faire_cle("chef_etablissement", ecriture=True, etablissement_id=cast.ecole_a)
        assert appeler(head, f"/personnes/{cast.eleve_a}/suspension", "DELETE").status_code == 403

    def test_out_of_the_perimeter_and_above_oneself(self, secret, appeler, cast, session):
        foreign = appeler(secret, f"/personnes/{cast.eleve_b}/suspension", "PUT", json={"motif": "x"})
        absent = appeler(secret, "/personnes/987654/suspension", "PUT", json={"motif": "x"})
        assert (foreign.status_code, foreign.get_json()) == (404, absent.get_json())
        higher = session.get(Personne, cast.deux)
        attribuer(session, compte(session, "nadia.petit", personne=higher), "assistant_n2")
        session.commit()
        answer = appeler(secret, f"/personnes/{cast.deux}/suspension", "PUT", json={"motif": "x"})
        assert (answer.status_code, "droits" in answer.get_json()["erreur"]) == (422, True)
        higher.email, higher.login = "nadia@exemple.fr", "nadia.petit"
        session.commit()
        answer = appeler(secret, f"/personnes/{cast.deux}/nouveau-mot-de-passe", "POST")
        assert (answer.status_code, "droits" in answer.get_json()["erreur"]) == (422, True)


class TestNewPassword:
    def test_a_mail_leaves_and_nobody_sees_the_link(self, secret, appeler, cast, session):
        one = session.get(Personne, cast.eleve_a)
        one.email, one.login = "paul@exemple.fr", "paul.eleve"
        session.commit()
        answer = appeler(secret, f"/personnes/{cast.eleve_a}/nouveau-mot-de-passe", "POST")
        assert answer.status_code == 200
        assert "lien/" not in answer.get_data(as_text=True)
        assert session.scalars(select(Courriel.destinataire)).all() == ["paul@exemple.fr"]

    def test_without_an_address_it_says_so(self, secret, appeler, cast, session):
        session.get(Personne, cast.eleve_a).login = "paul.eleve"
        session.commit()
        answer = appeler(secret, f"/personnes/{cast.eleve_a}/nouveau-mot-de-passe", "POST")
        assert (answer.status_code, "mail" in answer.get_json()["erreur"]) == (422, True)
