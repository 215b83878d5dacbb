"""Outside demonstration, nothing unsafe starts: each missing or unsafe setting is refused by its name."""

from __future__ import annotations

import json

import pytest
from flask_appbuilder.const import AUTH_DB

from app.config import ReglageInvalideError, flask_config, load
from tests.support.certificats import autorite

COMPLETE = {
    "demo": False,
    "cle_secrete": "s" * 32,
    "cle_codes": "c" * 32,
    "hotes": "console.ac-exemple.fr, autre.ac-exemple.fr",
    "base": "sqlite:////tmp/preau.db",
    "courriel_serveur": "smtp.ac-exemple.fr:587",
    "courriel_expediteur": "ne-pas-repondre@ac-exemple.fr",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("PREAU_"):
            monkeypatch.delenv(name)


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "variable"),
        [
            ({"cle_secrete": ""}, "PREAU_CLE_SECRETE"),
            ({"cle_secrete": "trop courte"}, "PREAU_CLE_SECRETE"),
            ({"cle_codes": ""}, "PREAU_CLE_CODES"),
            ({"cle_codes": "s" * 32}, "PREAU_CLE_CODES"),
            ({"cle_secrete": "demonstration-seulement-jamais-en-production"}, "PREAU_CLE_SECRETE"),
            ({"hotes": ""}, "PREAU_HOTES"),
            ({"hotes": " , "}, "PREAU_HOTES"),
            ({"hotes": "*"}, "PREAU_HOTES"),
            ({"base": ""}, "PREAU_BASE"),
            ({"courriel_serveur": ""}, "PREAU_COURRIEL_SERVEUR"),
            ({"courriel_expediteur": ""}, "PREAU_COURRIEL_EXPEDITEUR"),
            ({"https": False}, "PREAU_HTTPS"),
            ({"reseaux_permis": "10.1.0.0/16, chez nous"}, "PREAU_RESEAUX_PERMIS"),
            ({"authentification": "oidc"}, "PREAU_OIDC_FICHIER"),
            ({"authentification": "ldap"}, "PREAU_LDAP_FICHIER"),
            ({"authentification": "saml"}, "PREAU_SAML_FICHIER"),
        ],
    )
    def test_each_names_its_variable(self, change, variable):
        with pytest.raises(ReglageInvalideError) as refused:
            load(**{**COMPLETE, **change})
        assert str(refused.value).startswith(f"Préau ne démarre pas : {variable}")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PREAU_CORPS_MAX_MIO", "0"),
            ("PREAU_MANDATAIRES", "beaucoup"),
            ("PREAU_AUTHENTIFICATION", "magie"),
        ],
    )
    def test_a_value_of_the_wrong_kind_is_named_too(self, monkeypatch, name, value):
        monkeypatch.setenv(name, value)
        with pytest.raises(ReglageInvalideError) as refused:
            load(demo=True)
        assert name in str(refused.value)


class TestAccepted:
    def test_complete_settings_start(self):
        config = flask_config(load(**COMPLETE))
        assert config["SESSION_COOKIE_SECURE"] is True
        assert config["TRUSTED_HOSTS"] == ["console.ac-exemple.fr", "autre.ac-exemple.fr"]
        assert config["FAB_SAFE_REDIRECT_HOSTS"] == config["TRUSTED_HOSTS"]
        assert config["FAB_UPDATE_PERMS"] is False

    def test_the_demonstration_starts_bare_on_the_loopback_only(self):
        config = flask_config(load(demo=True))
        assert config["TRUSTED_HOSTS"] == ["127.0.0.1", "localhost"]
        assert config["SESSION_COOKIE_SECURE"] is False


class TestGuichet:
    OIDC = {"emetteur": "https://guichet.ac-exemple.fr", "client_id": "preau", "client_secret": "s3cret"}
    LDAP = {"serveur": "ldaps://annuaire.ac-exemple.fr", "recherche": "ou=agents,dc=exemple"}
    SAML = {
        "idp_entite": "https://idp.ac-exemple.fr",
        "idp_connexion": "https://idp.ac-exemple.fr/sso",
        "idp_certificat": autorite("idp").pem,
        "sp_entite": "https://console.ac-exemple.fr",
    }

    def write(self, tmp_path, mode, values):
        path = tmp_path / f"{mode}.json"
        path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
        return {**COMPLETE, "authentification": mode, f"{mode}_fichier": path}

    @pytest.mark.parametrize(
        ("mode", "values", "named"),
        [
            ("oidc", "{pas du json", "n’est pas du JSON valide"),
            ("oidc", [], "doit contenir un objet JSON"),
            ("oidc", {**OIDC, "client_secret": ""}, "« client_secret »"),
            ("oidc", {**OIDC, "emetteur": "http://guichet.ac-exemple.fr"}, "« emetteur »"),
            ("oidc", {**OIDC, "portee": "profile"}, "« portee »"),
            ("oidc", {**OIDC, "revendication": "nom"}, "« revendication »"),
            ("oidc", {**OIDC, "emeteur": "x"}, "« emeteur »"),
            ("ldap", {"serveur": "ldaps://x"}, "« recherche »"),
            ("ldap", {**LDAP, "serveur": "annuaire"}, "« serveur »"),
            ("ldap", {**LDAP, "serveur": "ldap://annuaire"}, "« starttls »"),
            ("ldap", {**LDAP, "serveur": "ldaps://annuaire/ou=agents"}, "« serveur »"),
            ("ldap", {**LDAP, "serveur": "ldaps://"}, "« serveur »"),
            ("ldap", {**LDAP, "starttls": True}, "« starttls »"),
            ("ldap", {**LDAP, "starttls": "non"}, "« starttls »"),
            ("ldap", {**LDAP, "champ_login": "uid)(x"}, "« champ_login »"),
            ("ldap", {**LDAP, "filtre": "objectClass=person"}, "« filtre »"),
            ("ldap", {**LDAP, "compte": "cn=preau"}, "« mot_de_passe »"),
            ("ldap", {**LDAP, "certificats": "/nulle/part.pem"}, "« certificats »"),
            ("saml", {**SAML, "idp_connexion": "http://x"}, "« idp_connexion »"),
            ("saml", {**SAML, "idp_certificat": None}, "« idp_certificat »"),
            ("saml", {**SAML, "idp_certificat": "MII…"}, "« idp_certificat »"),
            ("saml", {**SAML, "idp_certificat": ["TUlJ"]}, "« idp_certificat »"),
            ("saml", {**SAML, "idp_certificat": [3]}, "« idp_certificat »"),
            ("saml", {**SAML, "sp_entite": "urn:console"}, "« sp_acs »"),
            ("saml", {**SAML, "sp_acs": "https://console.ac-exemple.fr/saml"}, "« sp_acs »"),
        ],
    )
    def test_each_wrong_key_is_named(self, tmp_path, mode, values, named):
        with pytest.raises(ReglageInvalideError) as refused:
            load(**self.write(tmp_path, mode, values))
        assert f"PREAU_{mode.upper()}_FICHIER" in str(refused.value)
        assert named in str(refused.value)

    def test_ldap_reads_the_address_and_its_usual_port(self, tmp_path):
        config = flask_config(load(**self.write(tmp_path, "ldap", {**self.LDAP, "champ_login": "mail"})))
        assert (config["AUTH_TYPE"], config["PREAU_GUICHET"]) == (AUTH_DB, "ldap")
        asked = config["PREAU_LDAP"]
        assert (asked["host"], asked["port"], asked["starttls"]) == ("annuaire.ac-exemple.fr", 636, False)
        assert (asked["base"], asked["field"]) == ("ou=agents,dc=exemple", "mail")
        values = {**self.LDAP, "serveur": "ldap://annuaire", "starttls": True}
        config = flask_config(load(**self.write(tmp_path, "ldap", values)))
        assert (config["PREAU_LDAP"]["port"], config["PREAU_LDAP"]["starttls"]) == (389, True)

    def test_saml_asks_for_signed_assertions_and_answers_at_our_address(self, tmp_path):
        config = flask_config(load(**self.write(tmp_path, "saml", self.SAML)))
        assert (config["AUTH_TYPE"], config["PREAU_GUICHET"]) == (AUTH_DB, "saml")
        saml = config["PREAU_SAML"]
        assert saml["idp"]["singleSignOnService"]["url"] == "https://idp.ac-exemple.fr/sso"
        back = "https://console.ac-exemple.fr/connexion/guichet/retour"
        assert saml["sp"]["assertionConsumerService"]["url"] == back
        assert saml["strict"] is True
        assert saml["security"]["wantAssertionsSigned"] is True
        assert config["AUTH_USER_REGISTRATION"] is False

    def test_saml_takes_bare_base64_and_several_certificates(self, tmp_path):
        bare = "".join(self.SAML["idp_certificat"].split("-----")[2].split())
        values = {**self.SAML, "idp_certificat": [bare, self.SAML["idp_certificat"]]}
        config = flask_config(load(**self.write(tmp_path, "saml", values)))
        assert config["PREAU_SAML"]["idp"]["x509certMulti"]["signing"] == [bare, bare]
