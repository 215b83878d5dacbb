"""What every answer says to the browser: strict CSP with nonces, HSTS, no framing, no store."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_talisman import Talisman
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from app.config import Reglages

CSP = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "manifest-src": "'self'",
}
CLOSED = ("browsing-topics", "camera", "display-capture", "geolocation", "microphone", "payment", "usb")
ONE_YEAR = 365 * 24 * 3600


class _Talisman(Talisman):
    """Talisman, except that health probes may come in clear from this very machine's network."""

    def _force_https(self) -> BaseResponse | None:
        return None if request.blueprint == "sante" else super()._force_https()


def init_app(app: Flask, settings: Reglages) -> None:
    """Install the headers and, when proxies are trusted, believe what they say of the client."""
    secure = bool(app.config["SESSION_COOKIE_SECURE"])
    _Talisman(
        app,
        content_security_policy=CSP,
        content_security_policy_nonce_in=["script-src", "style-src"],
        force_https=secure,
        strict_transport_security=secure,
        strict_transport_security_max_age=ONE_YEAR,
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy=dict.fromkeys(CLOSED, "()"),
        session_cookie_secure=secure,
        x_xss_protection=False,
    )
    app.after_request(complete)
    app.register_error_handler(SecurityError, refuse_host)
    if settings.mandataires:
        count = settings.mandataires
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )


def refuse_host(_error: SecurityError) -> Response:
    """Answer a forged ``Host`` in plain words: no page can be drawn for an address that is not ours."""
    text = "Cette adresse n’est pas celle de Préau. Ouvrez la console par son adresse habituelle.\n"
    return Response(text, 400, mimetype="text/plain")


def complete(response: Response) -> Response:
    """Add what Talisman does not know: isolation of windows, and no trace of pages in caches."""
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if (request.endpoint or "").rpartition(".")[2] != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
