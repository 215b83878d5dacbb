"""Forms only from our own pages (L7): one token per browser session, checked on every write."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect

SECRET_WORDS = (
    "mdp", "mot_de_passe", "password", "actuel", "nouveau", "encore", "csrf", "code", "jeton", "token", "cle",
)  # fmt: skip

protect = CSRFProtect()


def init_app(app: Flask) -> None:
    """Check every POST, PUT, PATCH and DELETE."""
    protect.init_app(app)
    # the académie's answer proves its own origin: state and nonce (OIDC), signature (SAML)
    protect.exempt("app.views.connexion.guichet_retour")
    app.register_error_handler(CSRFError, refuse)


def refuse(_error: CSRFError) -> tuple[str, int]:
    """Answer 400 and give back what was typed, except what must not be shown."""
    if request.path == "/connexion":
        stale = "Cette page était ouverte depuis trop longtemps. Tapez de nouveau votre mot de passe."
        page = render_template(
            "connexion/connexion.html", identifiant=request.form.get("identifiant", ""), refus=stale
        )
        return page, 400
    typed = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if value.strip() and not any(word in name.lower() for word in SECRET_WORDS)
    ]
    return render_template("connexion/formulaire_refuse.html", saisie=typed[:50]), 400
