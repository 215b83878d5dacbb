"""LDAP, OIDC and SAML by configuration alone: one JSON file → the keys Flask-AppBuilder reads (A6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask_appbuilder.const import AUTH_DB, AUTH_LDAP, AUTH_OAUTH, AUTH_SAML

GUICHET = "guichet"
LOGIN_CLAIMS = ("preferred_username", "email", "sub", "uid")

REQUIRED: dict[str, tuple[str, ...]] = {
    "oidc": ("emetteur", "client_id", "client_secret"),
    "ldap": ("serveur", "recherche"),
    "saml": ("idp_entite", "idp_connexion", "idp_certificat", "sp_entite"),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "oidc": ("nom", "portee", "revendication"),
    "ldap": ("filtre", "champ_login", "compte", "mot_de_passe", "starttls", "certificats"),
    "saml": ("nom", "sp_acs", "attribut"),
}


class GuichetError(ValueError):
    """The file cannot be used; the text names the key and says what to write."""


def guichet_config(mode: str, path: Path | None, *, demo: bool = False) -> dict[str, Any]:
    """Return the configuration of one way of signing in.

    :raises GuichetError: with a French sentence that names the variable or the key.
    """
    if mode == "mot_de_passe":
        return {"AUTH_TYPE": AUTH_DB}
    variable = f"PREAU_{mode.upper()}_FICHIER"
    values = _read(path, variable)
    unknown = sorted(set(values) - set(REQUIRED[mode]) - set(OPTIONAL[mode]))
    if unknown:
        raise GuichetError(f"{variable} : la clé « {unknown[0]} » est inconnue.")
    for key in REQUIRED[mode]:
        if not isinstance(values.get(key), str) or not values[key].strip():
            raise GuichetError(f"{variable} : la clé « {key} » manque ou est vide.")
    match mode:
        case "oidc":
            return _oidc(values, variable, demo=demo)
        case "ldap":
            return _ldap(values, variable)
        case _:
            return _saml(values, variable)


def _read(path: Path | None, variable: str) -> Mapping[str, Any]:
    if path is None:
        raise GuichetError(f"{variable} doit donner le chemin du fichier JSON de connexion.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GuichetError(f"{variable} : le fichier {path} ne se lit pas.") from error
    except ValueError as error:
        raise GuichetError(f"{variable} : le fichier {path} n’est pas du JSON valide.") from error
    if not isinstance(values, dict):
        raise GuichetError(f"{variable} : le fichier {path} doit contenir un objet JSON.")
    return values


def _oidc(values: Mapping[str, Any], variable: str, *, demo: bool) -> dict[str, Any]:
    issuer = values["emetteur"].rstrip("/")
    if not issuer.startswith("https://") and not (demo and issuer.startswith("http://127.0.0.1")):
        raise GuichetError(f"{variable} : la clé « emetteur » doit commencer par https://.")
    claim = values.get("revendication", LOGIN_CLAIMS[0])
    if claim not in LOGIN_CLAIMS:
        raise GuichetError(f"{variable} : la clé « revendication » vaut {', '.join(LOGIN_CLAIMS)}.")
    scope = values.get("portee", "openid email profile")
    if "openid" not in scope.split():
        raise GuichetError(f"{variable} : la clé « portee » doit contenir openid.")
    remote = {
        "client_id": values["client_id"],
        "client_secret": values["client_secret"],
        "server_metadata_url": f"{issuer}/.well-known/openid-configuration",
        "client_kwargs": {"scope": scope, "code_challenge_method": "S256"},
    }
    return {
        "AUTH_TYPE": AUTH_OAUTH,
        "OAUTH_PROVIDERS": [{"name": GUICHET, "token_key": "access_token", "remote_app": remote}],
        "PREAU_GUICHET_NOM": values.get("nom", "Guichet académique"),
        "PREAU_GUICHET_CHAMP": claim,
    }


def _ldap(values: Mapping[str, Any], variable: str) -> dict[str, Any]:
    server, tls = values["serveur"], bool(values.get("starttls", False))
    if not server.startswith(("ldaps://", "ldap://")):
        raise GuichetError(f"{variable} : la clé « serveur » doit commencer par ldaps:// ou ldap://.")
    if server.startswith("ldap://") and not tls:
        raise GuichetError(f"{variable} : la clé « serveur » en ldap:// demande « starttls » à true.")
    return {
        "AUTH_TYPE": AUTH_LDAP,
        "AUTH_LDAP_SERVER": server,
        "AUTH_LDAP_SEARCH": values["recherche"],
        "AUTH_LDAP_SEARCH_FILTER": values.get("filtre", ""),
        "AUTH_LDAP_UID_FIELD": values.get("champ_login", "uid"),
        "AUTH_LDAP_BIND_USER": values.get("compte", ""),
        "AUTH_LDAP_BIND_PASSWORD": values.get("mot_de_passe", ""),
        "AUTH_LDAP_USE_TLS": tls,
        "AUTH_LDAP_TLS_DEMAND": True,
        "AUTH_LDAP_ALLOW_SELF_SIGNED": False,
        "AUTH_LDAP_TLS_CACERTFILE": values.get("certificats", ""),
    }


def _saml(values: Mapping[str, Any], variable: str) -> dict[str, Any]:
    if not values["idp_connexion"].startswith("https://"):
        raise GuichetError(f"{variable} : la clé « idp_connexion » doit commencer par https://.")
    provider = {
        "name": GUICHET,
        "idp": {
            "entityId": values["idp_entite"],
            "singleSignOnService": {
                "url": values["idp_connexion"],
                "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            },
            "x509cert": values["idp_certificat"],
        },
    }
    service = {
        "entityId": values["sp_entite"],
        "assertionConsumerService": {
            "url": values.get("sp_acs", f"{values['sp_entite'].rstrip('/')}/connexion/guichet/retour"),
            "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        },
    }
    security = {"wantAssertionsSigned": True, "rejectUnsolicitedResponsesWithInResponseTo": True}
    return {
        "AUTH_TYPE": AUTH_SAML,
        "SAML_PROVIDERS": [provider],
        "SAML_CONFIG": {"strict": True, "sp": service, "security": security},
        "PREAU_GUICHET_NOM": values.get("nom", "Guichet académique"),
        "PREAU_GUICHET_CHAMP": values.get("attribut", "uid"),
    }
