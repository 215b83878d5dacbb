"""LDAP, OIDC and SAML by configuration alone: one JSON file → the configuration of one way in (A6).

OIDC goes through Flask-AppBuilder's remotes (Authlib); LDAP and SAML are asked by our own modules
of ``app.security``, so Flask-AppBuilder is told passwords only.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from flask_appbuilder.const import AUTH_DB, AUTH_OAUTH

GUICHET = "guichet"
LOGIN_CLAIMS = ("preferred_username", "email", "sub", "uid")
NAME_ID = "NameID"
BINDINGS = "urn:oasis:names:tc:SAML:2.0:bindings:"
RETURN_PATH = "/connexion/guichet/retour"
LDAP_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")

REQUIRED: dict[str, tuple[str, ...]] = {
    "oidc": ("emetteur", "client_id", "client_secret"),
    "ldap": ("serveur", "recherche"),
    "saml": ("idp_entite", "idp_connexion", "idp_certificat", "sp_entite"),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "oidc": ("nom", "portee", "revendication"),
    "ldap": ("nom", "filtre", "champ_login", "compte", "mot_de_passe", "starttls", "certificats"),
    "saml": ("nom", "sp_acs", "attribut"),
}
KINDS: dict[str, type | tuple[type, ...]] = {"starttls": bool, "idp_certificat": (str, list)}
"""What the keys hold that are not a text."""


class GuichetError(ValueError):
    """The file cannot be used; the text names the key and says what to write."""


def guichet_config(mode: str, path: Path | None, *, demo: bool = False) -> dict[str, Any]:
    """Return the configuration of one way of signing in.

    :raises GuichetError: with a French sentence that names the variable or the key.
    """
    if mode == "mot_de_passe":
        return {"AUTH_TYPE": AUTH_DB, "PREAU_GUICHET": ""}
    variable = f"PREAU_{mode.upper()}_FICHIER"
    values = _read(path, variable)
    unknown = sorted(set(values) - set(REQUIRED[mode]) - set(OPTIONAL[mode]))
    if unknown:
        raise GuichetError(f"{variable} : la clé « {unknown[0]} » est inconnue.")
    for key in REQUIRED[mode]:
        if not values.get(key) or (isinstance(values[key], str) and not values[key].strip()):
            raise GuichetError(f"{variable} : la clé « {key} » manque ou est vide.")
    for key, value in values.items():
        if not isinstance(value, KINDS.get(key, str)):
            raise GuichetError(f"{variable} : la clé « {key} » n’a pas une valeur du bon genre.")
    match mode:
        case "oidc":
            return _oidc(values, variable, demo=demo)
        case "ldap":
            return _ldap(values, variable)
        case _:
            return _saml(values, variable, demo=demo)


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
    if not _safe_url(issuer, demo=demo):
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
        "PREAU_GUICHET": "oidc",
        "OAUTH_PROVIDERS": [{"name": GUICHET, "token_key": "access_token", "remote_app": remote}],
        "PREAU_GUICHET_NOM": values.get("nom", "Guichet académique"),
        "PREAU_GUICHET_CHAMP": claim,
    }


def _ldap(values: Mapping[str, Any], variable: str) -> dict[str, Any]:
    server, tls = values["serveur"], values.get("starttls", False)
    parts = urlsplit(server)
    if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname or parts.path.strip("/"):
        raise GuichetError(
            f"{variable} : la clé « serveur » doit être de la forme ldaps://hôte ou ldap://hôte."
        )
    if parts.scheme == "ldap" and not tls:
        raise GuichetError(f"{variable} : la clé « serveur » en ldap:// demande « starttls » à true.")
    if parts.scheme == "ldaps" and tls:
        raise GuichetError(f"{variable} : la clé « starttls » ne va qu’avec ldap://, pas avec ldaps://.")
    field = values.get("champ_login", "uid")
    if not LDAP_ATTRIBUTE.fullmatch(field):
        raise GuichetError(f"{variable} : la clé « champ_login » doit être le nom d’un attribut, comme uid.")
    narrowing = values.get("filtre", "").strip()
    if narrowing and not (narrowing.startswith("(") and narrowing.endswith(")")):
        raise GuichetError(f"{variable} : la clé « filtre » s’écrit entre parenthèses, (objectClass=person).")
    if bool(values.get("compte")) != bool(values.get("mot_de_passe")):
        raise GuichetError(f"{variable} : les clés « compte » et « mot_de_passe » vont ensemble.")
    return {
        "AUTH_TYPE": AUTH_DB,
        "PREAU_GUICHET": "ldap",
        "PREAU_GUICHET_NOM": values.get("nom", "annuaire académique"),
        "PREAU_LDAP": {
            "host": parts.hostname,
            "port": parts.port or (636 if parts.scheme == "ldaps" else 389),
            "starttls": tls,
            "base": values["recherche"],
            "filter": narrowing,
            "field": field,
            "user": values.get("compte", ""),
            "password": values.get("mot_de_passe", ""),
            "authorities": _authorities(values.get("certificats", ""), variable),
        },
    }


def _authorities(path: str, variable: str) -> str | None:
    """Return the file of the authorities to believe, ``None`` for those of the system."""
    if not path:
        return None
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise GuichetError(
            f"{variable} : la clé « certificats » ne mène pas à un fichier PEM lisible."
        ) from error
    return path


def _saml(values: Mapping[str, Any], variable: str, *, demo: bool) -> dict[str, Any]:
    back = values.get("sp_acs") or f"{values['sp_entite'].rstrip('/')}{RETURN_PATH}"
    for key, url in (("idp_connexion", values["idp_connexion"]), ("sp_acs", back)):
        if not _safe_url(url, demo=demo):
            raise GuichetError(f"{variable} : la clé « {key} » doit commencer par https://.")
    if not back.endswith(RETURN_PATH):
        raise GuichetError(f"{variable} : la clé « sp_acs » doit finir par {RETURN_PATH}.")
    given = values["idp_certificat"]
    certificates = [_certificate(text, variable) for text in (given if isinstance(given, list) else [given])]
    attribute = values.get("attribut", "uid")
    return {
        "AUTH_TYPE": AUTH_DB,
        "PREAU_GUICHET": "saml",
        "PREAU_GUICHET_NOM": values.get("nom", "Guichet académique"),
        "PREAU_GUICHET_CHAMP": attribute,
        "PREAU_SAML": {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": values["sp_entite"],
                "assertionConsumerService": {"url": back, "binding": f"{BINDINGS}HTTP-POST"},
                "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            },
            "idp": {
                "entityId": values["idp_entite"],
                "singleSignOnService": {
                    "url": values["idp_connexion"],
                    "binding": f"{BINDINGS}HTTP-Redirect",
                },
                "x509certMulti": {"signing": certificates},
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantNameId": attribute == NAME_ID,
                "wantAttributeStatement": attribute != NAME_ID,
                "rejectUnsolicitedResponsesWithInResponseTo": True,
                "rejectDeprecatedAlgorithm": True,
                "requestedAuthnContext": False,  # how a person proves who they are is the académie's choice
                "metadataCacheDuration": "P7D",
            },
        },
    }


def _certificate(text: Any, variable: str) -> str:
    """Return a certificate as bare base64, read from PEM or bare base64."""
    bare = "".join(re.sub(r"-----[A-Z ]+-----", "", text).split()) if isinstance(text, str) else ""
    try:
        x509.load_der_x509_certificate(base64.b64decode(bare, validate=True))
    except ValueError as error:
        raise GuichetError(
            f"{variable} : la clé « idp_certificat » n’est pas un certificat (PEM ou base64)."
        ) from error
    return bare


def _safe_url(url: str, *, demo: bool) -> bool:
    """Tell whether an address is in HTTPS; a demonstration may talk to its own machine in clear."""
    parts = urlsplit(url)
    local = demo and parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    return bool(parts.hostname) and (parts.scheme == "https" or local)
