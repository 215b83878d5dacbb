"""The link sent to a new e-mail address: opened, then confirmed by a button, once."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, request, session, url_for
from flask_appbuilder import BaseView, expose
from werkzeug.wrappers import Response

from app.errors import UserError
from app.operations import adresses
from app.security.transactions import own_reading, own_transaction
from app.views.actors import deployment

JETON = "adresse"


class AdresseView(BaseView):
    """A new address proves itself, whoever is signed in on this browser."""

    route_base = "/connexion/adresse"
    default_view = "confirmer"

    @expose("/<jeton>", methods=["GET"])
    def ouvrir(self, jeton: str) -> Response:
        """Keep the token in the signed cookie, out of the address, history and logs of what follows."""
        session[JETON] = jeton[:100]
        return redirect(url_for("AdresseView.confirmer"))

    @expose("/", methods=["GET", "POST"])
    def confirmer(self) -> Response:
        """Show the address; only a post makes it its holder's."""
        token, done, refusal = str(session.get(JETON, "")), False, ""
        with own_reading() as own:
            found = adresses.find(own, token) if token else None
            address = found[0].adresse if found is not None else ""
        if request.method == "POST" and address:
            try:
                with own_transaction() as own:
                    address = adresses.confirmer(own, token, deployment=deployment())
                done = True
            except UserError as error:
                address, refusal = "", error.message
        if done or not address:
            session.pop(JETON, None)
        page = self.render_template(
            "connexion/confirmer_adresse.html", adresse=address, fait=done, refus=refusal
        )
        return make_response(page)


def register(appbuilder: Any) -> None:
    """Add the page; a mail leads to it."""
    appbuilder.add_view_no_menu(AdresseView)
