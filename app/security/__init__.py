"""Who may do what (permissions, roles), on which rows (perimetres), and how they log in."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Install the security base on the application."""
    from app.security import acteur, csrf, guichet, headers, requete, sessions

    headers.init_app(app, app.extensions["reglages"])
    sessions.init_app(app)
    requete.init_app(app)
    csrf.init_app(app)
    guichet.init_app(app)
    app.jinja_env.globals["allowed"] = acteur.allowed
    app.jinja_env.globals["role_labels"] = acteur.role_labels
