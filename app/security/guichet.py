"""Signing in through the académie: OIDC, LDAP or SAML proves who it is, our accounts say what they may.

No account is ever created and no role is ever given here: the proven name must be the login or
the e-mail of an existing account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, current_app, request, session, url_for
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


class _RefusedError(Exception):
    """What came back proves nothing; the text is for our own logs."""


def init_app(app: Flask) -> None:
    """Load what the configured way in needs, so that a missing library stops the start, and give the
    sign-in page its words.
    """
    match app.config["PREAU_GUICHET"]:
        case "ldap":
            from app.security import guichet_ldap  # noqa: F401
        case "saml":
            from app.security import guichet_saml  # noqa: F401
    app.jinja_env.globals["guichet_url"] = guichet_url
    app.jinja_env.globals["guichet_nom"] = lambda: app.config.get("PREAU_GUICHET_NOM", "")


def mode() -> str:
    """Return the way in on top of our own passwords: ``oidc``, ``ldap``, ``saml`` or nothing."""
    return str(current_app.config["PREAU_GUICHET"])


def guichet_url(suite: str | None = None) -> str:
    """Return where the button leads, empty when there is no outside sign-in."""
    return url_for("ConnexionView.guichet", next=suite) if mode() in {"oidc", "saml"} else ""


def depart() -> Response | Issue:
    """Send the browser to the académie's sign-in, or say that it does not answer."""
    suite = safe_next(request.args.get("next")) or "/"
    if mode() == "saml":
        from app.security import guichet_saml

        return guichet_saml.ask(suite)
    from authlib.integrations.base_client import OAuthError
    from requests import RequestException

    session[SUITE] = suite
    manager: Any = current_app.extensions["appbuilder"].sm
    back = url_for("ConnexionView.guichet_retour", _external=True)
    try:
        answer: Response = manager.oauth_remotes[GUICHET].authorize_redirect(back)
    except (OAuthError, RequestException) as error:
        current_app.logger.warning("outside sign-in unreachable: %s", error)
        return Issue(phrase=FAILED, code=503)
    return answer


def retour() -> Issue:
    """Check what the académie says, and open the session of the account it names."""
    try:
        name = _saml_name() if mode() == "saml" else _oidc_name()
    except _RefusedError as error:
        current_app.logger.warning("outside sign-in refused: %s", error)
        return Issue(phrase=FAILED, code=400)
    if not name:
        return Issue(phrase=REFUS_GUICHET)
    with own_reading() as own:
        compte = connexions.find_account(own, name)
    if compte is None or not (compte.active or compte.suspendu_le):
        return Issue(phrase=REFUS_GUICHET)
    return accept(compte, [])


def suite() -> str:
    """Return where the person was going when they left for the académie: a path of ours."""
    if mode() == "saml":
        from app.security import guichet_saml

        return safe_next(guichet_saml.asked()[1]) or "/"
    return safe_next(session.get(SUITE)) or "/"


def answered(response: Response) -> Response:
    """Forget what was asked, once it served."""
    if mode() == "saml":
        from app.security import guichet_saml

        guichet_saml.forget(response)
    return response


def ldap_proves() -> Callable[[str, str], bool] | None:
    """Return what asks the directory about a password; ``None`` when no directory is configured."""
    if mode() != "ldap":
        return None
    from app.security import guichet_ldap

    return guichet_ldap.proves


def metadata() -> Response | None:
    """Return our SAML metadata; ``None`` when SAML is not the way in."""
    if mode() != "saml":
        return None
    from app.security import guichet_saml

    return guichet_saml.metadata()


def _oidc_name() -> str:
    """Return the name the provider vouches for.

    :raises _RefusedError: when its answer does not hold.
    """
    from authlib.integrations.base_client import OAuthError
    from joserfc.errors import JoseError
    from requests import RequestException

    manager: Any = current_app.extensions["appbuilder"].sm
    try:
        token = manager.oauth_remotes[GUICHET].authorize_access_token()
    except (OAuthError, JoseError, RequestException) as error:
        raise _RefusedError(str(error)) from error
    claims: Mapping[str, Any] = token.get("userinfo") or {}
    field = current_app.config["PREAU_GUICHET_CHAMP"]
    value = claims.get(field)
    if field == "email" and claims.get("email_verified") is not True:
        return ""
    return value.strip() if isinstance(value, str) else ""


def _saml_name() -> str:
    from app.security import guichet_saml

    try:
        return guichet_saml.proven_name()
    except guichet_saml.ReponseRefuseeError as error:
        raise _RefusedError(str(error)) from error
