"""Keys: who may make them, what they are worth, when they die (ATTACKS A2, A5, A6, G1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Attribution, CleApi, Compte, Etablissement, Journal
from app.operations import cles_api, comptes
from app.operations.saisies import SYSTEME
from app.security.cles import may_give
from tests.security.conftest import MOT_DE_PASSE, attribuer, compte, entrer
from tests.views.conftest import post, soup


class TestAKeyIsWorth:
    def test_its_role_over_its_perimeter_and_says_so(self, faire_cle, appeler, cast):
        _key, secret = faire_cle(etablissement_id=cast.ecole_a)
        said = appeler(secret, "/cle/").get_json()
        assert (said["role"], said["etablissement"], said["ecriture"]) == (
            "correspondant",
            "0190001A",
            False,
        )
        names = [one["nom"] for one in appeler(secret, "/personnes/").get_json()["elements"]]
        assert names == ["DEUX", "ELEVEa", "PARENTa"]

    def test_nothing_without_it_nor_with_another_nor_with_the_cookie_of_a_browser(
        self, faire_cle, appeler, cast, session, app
    ):
        key, secret = faire_cle(etablissement_id=cast.ecole_a)
        for wrong in ("", "preau_x", secret[:-1], secret.upper(), "a" * 5000):
            answer = appeler(wrong, "/personnes/")
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert "clé" in answer.get_json()["erreur"]
        attribuer(session, compte(session, "claire.martin"), "correspondant", etablissement_id=cast.ecole_a)
        session.commit()
        browser = app.test_client()
        entrer(browser, "claire.martin")
        assert browser.get("/api/v1/personnes/").status_code == 401
        assert (
            browser.get("/etablissements/", headers={"Authorization": f"Bearer {secret}"}).status_code != 401
        )
        assert (
            app.test_client().get("/mon-espace/", headers={"Authorization": f"Bearer {secret}"}).status_code
            == 302
        ), "a key opens no page"
        assert key.empreinte not in secret

    def test_dead_at_once_when_withdrawn_or_past_its_term(self, faire_cle, appeler, cast, session):
        key, secret = faire_cle(etablissement_id=cast.ecole_a)
        cles_api.revoquer(session, key, acteur=SYSTEME)
        session.commit()
        assert appeler(secret, "/cle/").status_code == 401
        with pytest.raises(RuleViolationError, match="déjà"):
            cles_api.revoquer(session, key, acteur=SYSTEME)
        key, secret = faire_cle(etablissement_id=cast.ecole_a)
        session.execute(update(CleApi).values(expire_le=now() - timedelta(seconds=1)))
        session.commit()
        assert appeler(secret, "/cle/").status_code == 401

    @pytest.mark.parametrize("change", ["retire", "suspendu", "supprime", "ailleurs"])
    def test_no_more_than_its_maker_may_do_today(self, faire_cle, appeler, cast, session, change):
        key, secret = faire_cle(etablissement_id=cast.ecole_a)
        maker = session.get(Compte, key.compte_id)
        held = session.scalars(select(Attribution).where(Attribution.compte_id == maker.id)).one()
        if change == "retire":
            session.delete(held)
        elif change == "ailleurs":
            held.etablissement_id = cast.ecole_b
        elif change == "suspendu":
            comptes.suspendre(session, maker, "essai")
        else:
            maker.supprime_le = now()
        session.commit()
        assert appeler(secret, "/personnes/").status_code == 401

    def test_held_through_the_academie_of_the_school(self, cast, session):
        maker = compte(session, "nadia.petit")
        attribuer(session, maker, "accompagnement", academie_id=cast.academie_a)
        for school, given in ((cast.ecole_a, True), (cast.ecole_b, False)):
            portee = cles_api.Portee(etablissement_id=school)
            row = session.get(Etablissement, school)
            assert may_give(maker, "chef_etablissement", portee, row) is given
        academie = cles_api.Portee(academie_id=cast.academie_a)
        assert may_give(maker, "accompagnement", academie, None)
        assert not may_give(maker, "accompagnement", cles_api.Portee(academie_id=cast.academie_b), None)
        assert not may_give(maker, "assistant_n2", cles_api.Portee(), None)
        assert not may_give(maker, "enseignant", academie, None)


class TestCalls:
    def test_counted_for_every_process_and_refused_beyond_the_minute(self, faire_cle, appeler, cast, app):
        app.extensions["reglages"].api_appels_minute = 3
        _key, secret = faire_cle(etablissement_id=cast.ecole_a)
        codes = [appeler(secret, "/cle/").status_code for _call in range(8)]
        assert codes.count(429) >= 2  # a minute may turn over meanwhile
        late = appeler(secret, "/cle/")
        if late.status_code == 429:
            assert 1 <= int(late.headers["Retry-After"]) <= 60

    def test_a_role_opens_what_it_opens(self, faire_cle, appeler, cast):
        _key, secret = faire_cle("collectivite", collectivite_id=cast.collectivite_a)
        assert appeler(secret, "/etablissements/").status_code == 200
        refused = appeler(secret, "/personnes/")
        assert refused.status_code == 403
        assert "rôle" in refused.get_json()["erreur"]

    def test_errors_are_json_and_no_stranger_reads_them_from_a_page(self, faire_cle, appeler, cast):
        _key, secret = faire_cle(etablissement_id=cast.ecole_a)
        for path, code in (("/rien", 404), ("/personnes/?q=%00", 400), ("/personnes/abc", 404)):
            answer = appeler(secret, path)
            assert answer.status_code == code
            assert answer.get_json()["erreur"]
            assert "Access-Control-Allow-Origin" not in answer.headers
        assert appeler(secret, "/personnes/", "DELETE").status_code == 405


class TestPages:
    @pytest.fixture
    def nadia(self, session, cast, app):
        attribuer(session, compte(session, "nadia.petit"), "accompagnement", academie_id=cast.academie_a)
        session.commit()
        client = app.test_client()
        entrer(client, "nadia.petit")
        return client

    def form(self, **more):
        return {
            "nom": "Pronote", "role": "correspondant", "jours": "90", "actuel": MOT_DE_PASSE, **more
        }  # fmt: skip

    def test_a_page_left_open_is_not_enough(self, nadia, cast, session):
        for typed, sentence in (("", "Tapez votre mot de passe"), ("pas le mien", "pas votre mot de passe")):
            sent = self.form(etablissement=str(cast.ecole_a), actuel=typed)
            page = post(nadia, "/referentiel/cles-api/add", sent)
            assert sentence in soup(page).get_text(" ")
        assert session.scalars(select(CleApi)).all() == []

    def test_a_new_password_withdraws_the_keys_unless_their_maker_keeps_them(
        self, nadia, cast, session, appeler
    ):
        own = "/mon-espace/mot-de-passe"
        page = post(nadia, "/referentiel/cles-api/add", self.form(etablissement=str(cast.ecole_a)))
        secret = soup(page).select_one("#secret")["value"]
        assert "1 clé d’API créée par vous sera révoquée" in soup(nadia.get(own)).get_text(" ")
        new = "une autre phrase de passe"
        kept = {"actuel": MOT_DE_PASSE, "nouveau": new, "encore": new, "garder_cles": "y"}
        assert post(nadia, own, kept).status_code == 302
        assert appeler(secret, "/cle/").status_code == 200
        last = "encore une autre phrase"
        assert post(nadia, own, {"actuel": new, "nouveau": last, "encore": last}).status_code == 302
        assert appeler(secret, "/cle/").status_code == 401
        assert "cle_api.revoquer" in session.scalars(select(Journal.acte)).all()

    def test_a_key_is_made_shown_once_used_and_withdrawn(self, nadia, cast, session, appeler):
        page = post(nadia, "/referentiel/cles-api/add", self.form(etablissement=str(cast.ecole_a)))
        assert page.status_code == 200
        secret = soup(page).select_one("#secret")["value"]
        assert page.headers["Cache-Control"] == "no-store"
        assert appeler(secret, "/cle/").get_json()["nom"] == "Pronote"
        pk = session.scalars(select(CleApi.id)).one()
        session.rollback()
        for path in (
            "/referentiel/cles-api/list/",
            f"/referentiel/cles-api/show/{pk}",
            "/suivi/journal/list/",
        ):
            assert secret not in nadia.get(path).get_data(as_text=True)
        assert secret not in str(session.scalars(select(Journal.apres)).all())
        session.rollback()
        confirm = post(nadia, f"/referentiel/cles-api/action/revoquer/{pk}", {"confirme": "1"})
        assert confirm.status_code == 302
        assert appeler(secret, "/cle/").status_code == 401

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ({}, "porte sur un établissement"),
            ({"etablissement": "b"}, "n’existe pas"),
            ({"role": "assistant_n2"}, "plus que vous"),
            ({"role": "accompagnement", "academie": "b"}, "plus que vous"),
            ({"role": "eleve", "etablissement": "a"}, ""),
            ({"nom": "  ", "etablissement": "a"}, ""),
        ],
    )
    def test_refused_and_what_was_typed_kept(self, nadia, cast, session, more, sentence):
        ids = {"etablissement": "ecole", "academie": "academie"}
        sent = {
            name: str(getattr(cast, f"{ids[name]}_{value}")) if name in ids else value
            for name, value in more.items()
        }
        page = post(nadia, "/referentiel/cles-api/add", self.form(**sent))
        assert page.status_code == 200
        text = soup(page).get_text(" ")
        assert sentence in text
        assert soup(page).select_one("#secret") is None
        assert session.scalars(select(CleApi)).all() == []

    def test_keys_of_another_academie_do_not_exist(self, nadia, faire_cle, cast):
        key, _secret = faire_cle(etablissement_id=cast.ecole_b)
        assert "Essai" not in nadia.get("/referentiel/cles-api/list/").get_data(as_text=True)
        assert nadia.get(f"/referentiel/cles-api/show/{key.id}").status_code == 404

    def test_the_reference_names_every_call(self, nadia, app):
        page = soup(nadia.get("/referentiel/api/"))
        calls = " ".join(one.get_text() for one in page.select("pre"))
        described = nadia.get("/api/v1/openapi.json").get_json()
        routed = {str(rule) for rule in app.url_map.iter_rules() if str(rule).startswith("/api/v1/")}
        assert len(described["paths"]) == len(routed) - 1
        assert all(path in calls for path in described["paths"])
