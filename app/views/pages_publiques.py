"""The pages the sign-in page leads to, for everybody: help, accessibility, personal data."""

from __future__ import annotations

from typing import Any

from flask import current_app, redirect, url_for
from flask_appbuilder import BaseView, expose
from werkzeug.wrappers import Response

from app.config import Reglages

LINKS = (
    ("Aide", "aide", "lien_aide"),
    ("Accessibilité", "accessibilite", "lien_accessibilite"),
    ("Données personnelles", "donnees", "lien_donnees"),
)


class PagesPubliquesView(BaseView):
    """Our own words, until the deployment has pages of its own."""

    route_base = ""
    default_view = "aide"

    @expose("/aide", methods=["GET"])
    def aide(self) -> Response | str:
        """Say how to sign in, and whom to ask."""
        return self._page("connexion/aide.html", "lien_aide")

    @expose("/accessibilite", methods=["GET"])
    def accessibilite(self) -> Response | str:
        """Say how accessible the console is, and how to report an obstacle."""
        return self._page("connexion/accessibilite.html", "lien_accessibilite")

    @expose("/donnees-personnelles", methods=["GET"])
    def donnees(self) -> Response | str:
        """Say what is kept of people, cookies included."""
        return self._page("connexion/donnees.html", "lien_donnees")

    def _page(self, template: str, setting: str) -> Response | str:
        elsewhere = getattr(_settings(), setting)
        return redirect(elsewhere) if elsewhere else str(self.render_template(template))


def links() -> list[tuple[str, str]]:
    """Return the footer of the sign-in page: label and address."""
    settings = _settings()
    return [
        (label, getattr(settings, setting) or url_for(f"PagesPubliquesView.{page}"))
        for label, page, setting in LINKS
    ]


def _settings() -> Reglages:
    settings: Reglages = current_app.extensions["reglages"]
    return settings


def register(appbuilder: Any) -> None:
    """Add the pages, and give the sign-in page its name and its footer."""
    appbuilder.add_view_no_menu(PagesPubliquesView)
    current_app.jinja_env.globals["liens_publics"] = links
    current_app.jinja_env.globals["deploiement"] = lambda: _settings().deployment()
