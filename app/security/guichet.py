"""Signing in through the académie: OIDC, LDAP or SAML proves who it is, our accounts say what they may.

No account is ever created and no role is ever given here: the proven name must be the login or
the e-mail of an existing account.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from authlib.integrations.base_client import OAuthError
from flask import Flask, current_app, request, session, url_for
from flask_appbuilder.const import AUTH_LDAP, AUTH_OAUTH, AUTH_SAML
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from app.config_guichet import GUICHET
from app.operations import connexions
from app.security.connexion import REFUS_GUICHET, Issue, accept
from app.security.rebonds import safe_next
from app.security.transactions import own_reading

SUITE = "guichet_suite"
FAILED = (
    "Le guichet académique n’a pas répondu comme prévu. Réessayez, ou connectez-vous avec un mot de passe."
)


def init_app(app: Flask) -> None:
    """Give the sign-in page its button."""
    app.jinja_env.globals["guichet_url"] = guichet_url
    app.jinja_env.globals["guichet_nom"] = lambda: app.config.get("PREAU_GUICHET_NOM", "")


def guichet_url(suite: str | None = None) -> str:
    """Return where the button leads, empty when there is no outside sign-in."""
    if current_app.config.get("AUTH_TYPE") not in {AUTH_OAUTH, AUTH_SAML}:
        return ""
    return url_for("ConnexionView.guichet", next=suite)


def depart() -> Response | Issue:
    """Send the browser to the académie's sign-in, or say that it does not answer."""
    manager: Any = current_app.extensions["appbuilder"].sm
    session[SUITE] = safe_next(request.args.get("next")) or "/"
    if current_app.config["AUTH_TYPE"] == AUTH_SAML:
        from flask import redirect

        return redirect(manager.get_saml_login_redirect_url(GUICHET))
    back = url_for("ConnexionView.guichet_retour", _external=True)
    try:
        answer: Response = manager.oauth_remotes[GUICHET].authorize_redirect(back)
    except (OAuthError, RequestException) as error:
        current_app.logger.warning("outside sign-in unreachable: %s", error)
        return Issue(phrase=FAILED, code=503)
    return answer


def retour() -> tuple[Issue, str]:
    """Check what the académie says, and open the session of the account it names."""
    suite = safe_next(session.get(SUITE)) or "/"
    try:
        claims = _claims()
    except (OAuthError, JoseError, RequestException) as error:
        current_app.logger.warning("outside sign-in refused: %s", error)
        return Issue(phrase=FAILED, code=400), suite
    name = _proven_name(claims)
    if not name:
        return Issue(phrase=REFUS_GUICHET), suite
    with own_reading() as own:
        compte = connexions.find_account(own, name)
    if compte is None or not (compte.active or compte.suspendu_le):
        return Issue(phrase=REFUS_GUICHET), suite
    return accept(compte, []), suite


def ldap_proves(login: str, password: str) -> bool | None:
    """Ask the directory whether the password is right; ``None`` when no directory is configured."""
    if current_app.config.get("AUTH_TYPE") != AUTH_LDAP:
        return None
    if not login.strip() or not password:
        return False
    ldap: Any = importlib.import_module("ldap")
    manager: Any = current_app.extensions["appbuilder"].sm
    connection = ldap.initialize(current_app.config["AUTH_LDAP_SERVER"])
    connection.set_option(ldap.OPT_REFERRALS, 0)
    if current_app.config["AUTH_LDAP_TLS_CACERTFILE"]:
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, current_app.config["AUTH_LDAP_TLS_CACERTFILE"])
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    if current_app.config["AUTH_LDAP_USE_TLS"]:
        connection.start_tls_s()
    try:
        if current_app.config["AUTH_LDAP_BIND_USER"]:
            manager._ldap_bind_indirect(ldap, connection)
        name, _attributes = manager._search_ldap(ldap, connection, login)
        return bool(name) and bool(manager._ldap_bind(ldap, connection, name, password))
    finally:
        connection.unbind_s()


def _claims() -> Mapping[str, Any]:
    manager: Any = current_app.extensions["appbuilder"].sm
    if current_app.config["AUTH_TYPE"] == AUTH_SAML:
        return manager.get_saml_userinfo(GUICHET) or {}
    token = manager.oauth_remotes[GUICHET].authorize_access_token()
    claims: Mapping[str, Any] = token.get("userinfo") or {}
    return claims


def _proven_name(claims: Mapping[str, Any]) -> str:
    field = current_app.config["PREAU_GUICHET_CHAMP"]
    value = claims.get(field)
    if field == "email" and claims.get("email_verified") is not True:
        return ""
    return value.strip() if isinstance(value, str) else ""
