"""Pictures of schools, to anybody and to every cache: named by their content, they never change (T1)."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, abort, request
from flask_appbuilder import BaseView, expose

from app.extensions import db
from app.queries import pages as reads
from app.security.perimetres import TOUT, perimetre

DIGEST = re.compile(r"[0-9a-f]{64}")
NOTHING_RUNS = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "img-src": "data:",
    "sandbox": "",
    "frame-ancestors": "'none'",
}
"""A drawing opened by itself may colour what it draws, and nothing else."""
FOR_EVER = "public, max-age=31536000, immutable"


class Medias(BaseView):
    """The bytes of one picture."""

    route_base = "/media"
    default_view = "media"

    @expose("/<empreinte>", methods=["GET"])
    def media(self, empreinte: str) -> Response:
        """Send a picture, or say that the reader has it already."""
        if not DIGEST.fullmatch(empreinte):
            abort(404)
        with perimetre(db.session(), TOUT):
            found = reads.media(db.session(), empreinte)
        if found is None:
            abort(404)
        answer = Response(found.contenu, mimetype=found.type)
        answer.set_etag(empreinte)
        answer.headers["Cache-Control"] = FOR_EVER
        answer.headers["Content-Disposition"] = "inline"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        answer.make_conditional(request)
        return answer


Medias.media.talisman_view_options = {
    "content_security_policy": NOTHING_RUNS,
    "content_security_policy_nonce_in": [],
}


def register(appbuilder: Any) -> None:
    """Serve the pictures."""
    appbuilder.add_view_no_menu(Medias)
