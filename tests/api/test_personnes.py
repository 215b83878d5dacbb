"""``/api/v1/personnes`` and ``/api/v1/etablissements``: what a key reads, and nothing of others."""

from __future__ import annotations

import json

import pytest

from app.models import Etablissement, Personne


@pytest.fixture
def secret(faire_cle, cast):
    return faire_cle(etablissement_id=cast.ecole_a)[1]


class TestReading:
    def test_a_person_with_places_identifiers_and_relatives(self, secret, appeler, cast):
        said = appeler(secret, f"/personnes/{cast.eleve_a}").get_json()
        assert (said["nom"], said["etat"]) == ("ELEVEa", "jamais")
        assert said["rattachements"] == [
            {
                "etablissement": "0190001A",
                "etablissement_nom": "Collège A",
                "profil": "eleve",
                "classe": None,
            }
        ]
        assert [one["valeur"] for one in said["identifiants"]] == [f"uid-{cast.eleve_a}"]
        assert [(one["nom"], one["lien"]) for one in said["proches"]] == [("PARENTa", "responsable")]

    def test_of_two_schools_only_the_one_of_the_key_shows(self, secret, appeler, cast):
        places = appeler(secret, f"/personnes/{cast.deux}").get_json()["rattachements"]
        assert [place["etablissement"] for place in places] == ["0190001A"]

    @pytest.mark.parametrize("kind", ["eleve_b", "absent"])
    def test_foreign_and_absent_are_the_same_answer(self, secret, appeler, cast, kind):
        pk = getattr(cast, kind, 987_654)
        answer = appeler(secret, f"/personnes/{pk}")
        assert (answer.status_code, answer.get_json()) == (
            404,
            {"erreur": "Aucune personne de ce numéro dans le périmètre de cette clé."},
        )
        assert appeler(secret, "/personnes/?etablissement=0180001B").status_code == 404
        assert appeler(secret, "/etablissements/0180001B").status_code == 404

    def test_schools(self, secret, appeler, session, cast):
        session.get(Etablissement, cast.ecole_a).recherche = "college a 0190001a"
        session.commit()
        assert [one["uai"] for one in appeler(secret, "/etablissements/").get_json()["elements"]] == [
            "0190001A"
        ]
        assert appeler(secret, "/etablissements/?q=college").get_json()["elements"][0]["nom"] == "Collège A"
        assert appeler(secret, "/etablissements/0190001a").get_json()["uai"] == "0190001A"

    def test_filters(self, secret, appeler, cast):
        def names(query):
            found = appeler(secret, f"/personnes/?{query}").get_json()["elements"]
            return [one["nom"] for one in found]

        assert names("profil=eleve") == ["ELEVEa"]
        assert names("q=paren") == ["PARENTa"]
        assert names("etablissement=0190001A&profil=enseignant") == ["DEUX"]
        assert names("etat=suspendu") == []
        assert len(names("etat=jamais&profil=rien")) == 3


class TestPagesAndFiles:
    def test_pages_follow_each_other_both_ways(self, secret, appeler):
        first = appeler(secret, "/personnes/?taille=2").get_json()
        assert [one["nom"] for one in first["elements"]] == ["DEUX", "ELEVEa"]
        assert first["precedente"] is None
        second = appeler(secret, first["suivante"].removeprefix("/api/v1")).get_json()
        assert [one["nom"] for one in second["elements"]] == ["PARENTa"]
        assert second["suivante"] is None
        back = appeler(secret, second["precedente"].removeprefix("/api/v1")).get_json()
        assert back["elements"] == first["elements"]

    @pytest.mark.parametrize("size", ["0", "-1", "999999999999", "abc", "1e9", "²"])
    def test_hostile_sizes_and_positions_are_clamped(self, secret, appeler, size):
        answer = appeler(secret, f"/personnes/?taille={size}&apres=~~'&avant=1")
        assert answer.status_code == 200
        assert 1 <= len(answer.get_json()["elements"]) <= 3

    def test_export_as_csv_and_as_json_lines(self, secret, appeler, session, cast):
        session.get(Personne, cast.eleve_a).prenom = "=1+1"
        session.commit()
        lines = appeler(secret, "/personnes/export?format=ndjson").get_data(as_text=True).splitlines()
        assert [json.loads(line)["nom"] for line in lines] == ["DEUX", "ELEVEa", "PARENTa"]
        answer = appeler(secret, "/personnes/export")
        text = answer.get_data(as_text=True)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert ";'=1+1;" in text
        assert "0190001A eleve" in text
        assert "ELEVEb" not in text
