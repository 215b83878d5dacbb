"""Which counters slow a login down. The delay grows for strangers; the owner's device has its own.

A device becomes known to a login by a first success: it keeps a signed cookie, sent to the
sign-in page only. Whoever hammers a login from elsewhere moves other counters than the owner's.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from datetime import timedelta

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from app.operations.connexions import Frein

COOKIE = "appareil"
COOKIE_PATH = "/connexion"
ONE_YEAR = 365 * 24 * 3600
MOST_LOGINS = 5
HOUR = timedelta(hours=1)


def login_digest(login: str) -> str:
    """Return the key of a login: the same whatever its case, and no password typed by mistake in clear."""
    wanted = login.strip().lower()[:320]
    return hashlib.sha256(wanted.encode("utf-8", "replace")).hexdigest()[:32]


def address_prefix(address: str | None) -> str:
    """Return what one attacker commands: a /24 of IPv4, a /56 of IPv6."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "inconnue"
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network(f"{mapped}/{24 if mapped.version == 4 else 56}", strict=False))


def freins(login: str) -> list[Frein]:
    """Return the counters of this attempt: those of the known device, or those of a stranger."""
    device = known_device(login)
    if device is not None:
        key = f"appareil:{device}:{login_digest(login)[:16]}"
        return [Frein(key, libres=5, plafond=timedelta(minutes=5), oubli=HOUR)]
    prefix = address_prefix(request.remote_addr)
    return [
        Frein(f"login:{login_digest(login)}", libres=3, plafond=timedelta(minutes=15), oubli=24 * HOUR),
        Frein(f"adresse:{prefix}", libres=30, plafond=timedelta(minutes=5), oubli=HOUR),
    ]


def known_device(login: str) -> str | None:
    """Return the identifier of the device when this login already succeeded from it."""
    device, logins = _read()
    return device if login_digest(login) in logins else None


def recognise(response: Response, login: str) -> None:
    """Make the device known to the login from now on."""
    device, logins = _read()
    mine = login_digest(login)
    kept = [mine, *(known for known in logins if known != mine)][:MOST_LOGINS]
    response.set_cookie(
        COOKIE,
        _serializer().dumps([device or secrets.token_hex(8), kept]),
        max_age=ONE_YEAR,
        path=COOKIE_PATH,
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        samesite="Lax",
    )


def _read() -> tuple[str | None, list[str]]:
    try:
        device, logins = _serializer().loads(request.cookies.get(COOKIE, ""))
    except (BadSignature, ValueError, TypeError):
        return None, []
    return str(device), [str(login) for login in logins]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt="preau-appareil")
