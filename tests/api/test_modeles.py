"""Models of services through the API: compared, prepared, confirmed, undone, within the key's perimeter."""

from __future__ import annotations

import pytest

from app.models import ApplicationModele
from tests.operations.modeles import case, make


@pytest.fixture
def modele(session, cast, catalogue):
    made = make(session)
    session.commit()
    return made


@pytest.fixture
def secret(faire_cle, cast, catalogue):
    return faire_cle("correspondant", ecriture=True, etablissement_id=cast.ecole_a)[1]


def held(session, school):
    """Read a cell, and leave the base to the calls."""
    session.expire_all()
    found = case(session, school).coche
    session.rollback()
    return found


def test_gaps_page_by_page_within_the_perimeter(secret, appeler, modele):
    assert [one["nom"] for one in appeler(secret, "/modeles/").get_json()["elements"]] == ["Collèges"]
    (school,) = appeler(secret, f"/modeles/{modele.id}/ecarts").get_json()["elements"]
    assert school["uai"] == "0190001A"
    gaps = {one["cle"]: (one["etablissement"], one["modele"]) for one in school["ecarts"]}
    assert gaps["droit:forum.lecteur:responsable"] == (False, True)
    assert appeler(secret, f"/modeles/{modele.id}/ecarts?etablissement=0180001B").status_code == 404


def test_prepared_confirmed_then_undone(secret, appeler, session, modele, cast):
    number = modele.id
    session.rollback()
    sent = {"etablissements": ["0190001A", "0180001B"]}
    shown = appeler(secret, f"/modeles/{number}/applications", "POST", json=sent).get_json()
    assert (shown["etat"], shown["etablissements"]["a_changer"]) == ("apercu", 1)
    assert held(session, cast.ecole_a) is False
    done = appeler(secret, f"/modeles/applications/{shown['id']}/confirmation", "POST").get_json()
    assert (done["etat"], done["etablissements"]["faits"]) == ("finie", 1)
    assert held(session, cast.ecole_a) is True
    assert held(session, cast.ecole_b) is False
    back = appeler(secret, f"/modeles/applications/{shown['id']}/retour", "POST").get_json()
    assert appeler(secret, f"/modeles/applications/{back['id']}/confirmation", "POST").status_code == 200
    assert held(session, cast.ecole_a) is False
    again = appeler(secret, f"/modeles/applications/{shown['id']}/retour", "POST")
    assert (again.status_code, "déjà été défaite" in again.get_json()["erreur"]) == (422, True)


def test_what_another_asked_for_is_not_there(secret, appeler, session, modele):
    other = ApplicationModele(modele="Essai", acteur="Un autre")
    session.add(other)
    session.commit()
    assert appeler(secret, f"/modeles/applications/{other.id}").status_code == 404
    assert appeler(secret, f"/modeles/applications/{other.id}/confirmation", "POST").status_code == 404


def test_a_key_that_only_reads_applies_nothing(faire_cle, appeler, cast, modele):
    reader = faire_cle("correspondant", ecriture=False, etablissement_id=cast.ecole_a)[1]
    assert appeler(reader, f"/modeles/{modele.id}/applications", "POST", json={}).status_code == 403


@pytest.mark.parametrize("uai", ["\0", "\ud800"])
def test_a_school_nobody_can_write_is_no_error(secret, appeler, session, modele, uai):
    number = modele.id
    session.rollback()
    sent = {"etablissements": [uai]}
    answer = appeler(secret, f"/modeles/{number}/applications", "POST", json=sent)
    assert (answer.status_code, "erreur" in answer.get_json()) == (422, True)
