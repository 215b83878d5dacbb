"""Asking a SAML 2.0 identity provider who somebody is (A6). We are its service provider.

The provider's answer comes as a form posted from its own site, so the console's cookie
(``SameSite=Lax``) does not travel with it: what was asked is kept in a cookie of its own, which
only this exchange reads. Checked on top of python3-saml: the answer is to this browser's question, is
meant for us by name, ends some day, and serves once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import xmlsec
from flask import current_app, make_response, redirect, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from lxml.etree import LxmlError
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from werkzeug.wrappers import Response

from app.config_guichet import NAME_ID
from app.operations import connexions
from app.security.transactions import own_transaction

COOKIE = "guichet"
COOKIE_PATH = "/connexion/guichet"
PATIENCE = 30 * 60
IN_RESPONSE_TO = "/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"


class ReponseRefuseeError(Exception):
    """The answer proves nothing; the text is for our own logs."""


def ask(suite: str) -> Response:
    """Send the browser to the provider, and remember what was asked."""
    auth = OneLogin_Saml2_Auth(_request_data(), old_settings=current_app.config["PREAU_SAML"])
    # RelayState comes back as the provider (or anybody) likes: where to go afterwards stays with us
    leaving = redirect(auth.login(return_to=""))
    leaving.set_cookie(
        COOKIE,
        _serializer().dumps([auth.get_last_request_id(), suite]),
        max_age=PATIENCE,
        path=COOKIE_PATH,
        httponly=True,
        secure=True,
        samesite="None",
    )
    return leaving


def asked() -> tuple[str, str]:
    """Return the identifier of this browser's question and where it was going; empty when it asked none."""
    try:
        question, suite = _serializer().loads(request.cookies.get(COOKIE, ""), max_age=PATIENCE)
    except (BadSignature, ValueError, TypeError):
        return "", ""
    return str(question), str(suite)


def forget(response: Response) -> None:
    """Drop the question: it was answered."""
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, secure=True, samesite="None")


def proven_name() -> str:
    """Return the name the provider's answer proves, empty when it carries none.

    :raises ReponseRefuseeError: when the answer does not hold.
    """
    question, _suite = asked()
    if not question:
        raise ReponseRefuseeError("no question of this browser is waiting")
    try:
        return _read(request.form.get("SAMLResponse", ""), question)
    except (
        OneLogin_Saml2_Error,
        OneLogin_Saml2_ValidationError,
        LxmlError,
        xmlsec.Error,
        ValueError,
        AttributeError,  # python3-saml walks into elements that are not there
    ) as error:
        raise ReponseRefuseeError(str(error)) from error


def metadata() -> Response:
    """Return what the provider's administrators load to know us."""
    settings = OneLogin_Saml2_Settings(current_app.config["PREAU_SAML"], sp_validation_only=True)
    answer = make_response(settings.get_sp_metadata())
    answer.mimetype = "application/samlmetadata+xml"
    return answer


def _read(text: str, question: str) -> str:
    settings = OneLogin_Saml2_Settings(current_app.config["PREAU_SAML"])
    answer = OneLogin_Saml2_Response(settings, text)
    answer.is_valid(_request_data(), request_id=question, raise_exceptions=True)
    if settings.get_sp_data()["entityId"] not in answer.get_audiences():
        raise ReponseRefuseeError("the assertion names no audience")
    # the envelope's own InResponseTo may be unsigned: only the assertion's counts
    confirmations = answer._query_assertion(IN_RESPONSE_TO)
    if {found.get("InResponseTo") for found in confirmations} != {question}:
        raise ReponseRefuseeError("the assertion answers another question")
    end = answer.get_assertion_not_on_or_after()
    if not end:
        raise ReponseRefuseeError("the assertion never ends")
    with own_transaction() as own:
        fresh = connexions.consume_assertion(
            own, answer.get_assertion_id(), expire_le=datetime.fromtimestamp(end, UTC)
        )
    if not fresh:
        raise ReponseRefuseeError("the assertion was already used")
    return _name(answer)


def _name(answer: Any) -> str:
    field = current_app.config["PREAU_GUICHET_CHAMP"]
    if field == NAME_ID:
        values = [answer.get_nameid()]
    else:
        values = answer.get_attributes().get(field) or answer.get_friendlyname_attributes().get(field) or []
    names = {value.strip() for value in values if isinstance(value, str) and value.strip()}
    return names.pop() if len(names) == 1 else ""


def _request_data() -> dict[str, Any]:
    """Say where we are: the declared address, whatever ``Host`` the request carries."""
    here = urlsplit(current_app.config["PREAU_SAML"]["sp"]["assertionConsumerService"]["url"])
    return {
        "https": "on" if here.scheme == "https" else "off",
        "http_host": here.netloc,
        "script_name": here.path,
        "get_data": {},
        "post_data": {},
    }


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="preau-guichet")
