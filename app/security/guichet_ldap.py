"""Asking an LDAP directory whether a password is right (A6).

The directory is only ever asked over TLS, its certificate and name checked by Python itself. It
never hears an empty password (which it would take for an anonymous sign-in and accept), nor a
login that could change the search, and its referrals are not followed: they would carry the
password to a server nobody chose.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ldap3
from flask import current_app
from ldap3.core.exceptions import LDAPException
from ldap3.core.results import (
    RESULT_BUSY,
    RESULT_INVALID_CREDENTIALS,
    RESULT_SIZE_LIMIT_EXCEEDED,
    RESULT_SUCCESS,
    RESULT_UNAVAILABLE,
)
from ldap3.utils.conv import escape_filter_chars
from pyasn1.error import PyAsn1Error

from app.security.connexion import PreuveAbsenteError
from app.security.passwords import MAX_LENGTH

SECONDS = 5
LONGEST_LOGIN = 320


class _Tls(ldap3.Tls):
    """Python's own checks of chain and name; those of ldap3 copy what Python has withdrawn."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(connection.socket, server_hostname=connection.server.host)


def proves(login: str, password: str) -> bool:
    """Tell whether the directory knows this login under this password.

    :raises PreuveAbsenteError: when it cannot be asked.
    """
    login = login.strip()
    if not login or not password or len(login) > LONGEST_LOGIN or len(password) > MAX_LENGTH:
        return False
    if not _is_text(login) or not _is_text(password):
        return False
    try:
        name = _find(login)
        return name is not None and _bind(name, password)
    except (LDAPException, PyAsn1Error, OSError) as error:
        current_app.logger.warning("LDAP directory unreachable: %s", error)
        raise PreuveAbsenteError from error


def _is_text(value: str) -> bool:
    """Tell whether a typed text can be sent at all: no NUL, no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _find(login: str) -> str | None:
    """Return the name of the one entry that carries the login, ``None`` when there is not exactly one."""
    settings = current_app.config["PREAU_LDAP"]
    field = settings["field"]
    wanted = f"({field}={escape_filter_chars(login)})"
    with _connected(settings["user"], settings["password"]) as connection:
        if connection.result["result"] != RESULT_SUCCESS:
            raise LDAPException(f"service account refused: {connection.result['description']}")
        connection.search(
            settings["base"],
            f"(&{settings['filter']}{wanted})",
            search_scope=ldap3.SUBTREE,
            attributes=[field],
            size_limit=2,
            time_limit=SECONDS,
            dereference_aliases=ldap3.DEREF_NEVER,
        )
        if connection.result["result"] not in {RESULT_SUCCESS, RESULT_SIZE_LIMIT_EXCEEDED}:
            raise LDAPException(f"search refused: {connection.result['description']}")
        entries = [entry for entry in connection.response if entry["type"] == "searchResEntry"]
    if len(entries) != 1:
        if entries:
            current_app.logger.warning("LDAP: several entries carry the same %s", field)
        return None
    carried = {value.decode("utf-8", "replace").lower() for value in _values(entries[0], field)}
    return str(entries[0]["dn"]) if login.lower() in carried else None


def _values(entry: Any, field: str) -> list[bytes]:
    return [
        value
        for name, values in entry["raw_attributes"].items()
        if name.lower() == field.lower()
        for value in values
    ]


def _bind(name: str, password: str) -> bool:
    with _connected(name, password) as connection:
        code = connection.result["result"]
        if code in {RESULT_BUSY, RESULT_UNAVAILABLE}:
            raise LDAPException(f"sign-in not answered: {connection.result['description']}")
        if code not in {RESULT_SUCCESS, RESULT_INVALID_CREDENTIALS}:
            current_app.logger.warning("LDAP refuses %s: %s", name, connection.result["description"])
        return bool(code == RESULT_SUCCESS)


@contextmanager
def _connected(user: str, password: str) -> Iterator[Any]:
    """Open a connection, protect it, then sign in: never a password before TLS stands."""
    settings = current_app.config["PREAU_LDAP"]
    server = ldap3.Server(
        settings["host"],
        port=settings["port"],
        use_ssl=not settings["starttls"],
        tls=_Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings["authorities"]),
        get_info=ldap3.NONE,
        connect_timeout=SECONDS,
    )
    connection = ldap3.Connection(
        server,
        user=user or None,
        password=password or None,
        authentication=ldap3.SIMPLE if user else ldap3.ANONYMOUS,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        read_only=True,
        receive_timeout=SECONDS,
    )
    try:
        connection.open(read_server_info=False)
        if settings["starttls"] and not connection.start_tls(read_server_info=False):
            raise LDAPException("StartTLS refused")
        connection.bind(read_server_info=False)
        yield connection
    finally:
        try:
            connection.unbind()
        finally:
            if connection.socket is not None:  # ldap3 leaves it open when the sign-in never began
                connection.socket.close()
