"""The public page of a school as anybody gets it: no cookie looked at, cached by whoever stands between.

What it shows is told by one statement and its services by another: a reader who has it already costs
no more. The rest is read for who has not.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, abort, current_app, request, url_for
from flask_appbuilder import BaseView, expose

from app.extensions import db
from app.operations.page_publique import LONGEST
from app.queries import page_publique as reads
from app.security.perimetres import TOUT, perimetre
from app.views.rendering import asset

SHARED = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
MOVED = "public, max-age=3600"
TEMPLATE = "pages/publique.html"


class PagePubliqueView(BaseView):
    """One page for everybody."""

    route_base = "/p"
    default_view = "page_publique"

    @expose("/<adresse>", methods=["GET"])
    def page_publique(self, adresse: str) -> Response:
        """Show the page, send to where it moved, or 404 when it is off."""
        session = db.session()
        with perimetre(session, TOUT):
            page = reads.public_page(session, adresse) if len(adresse) <= LONGEST else None
            if page is None:
                abort(404)
            if page.quittee_le is not None:
                return _moved(page.courante)
            services = reads.public_services(session, page.id)
            answer = Response(mimetype="text/html")
            mark = _mark(page, services)
            answer.set_etag(mark)
            answer.headers["Cache-Control"] = SHARED
            if mark in request.if_none_match:
                answer.status_code = 304
                return answer
            blocs, logos = reads.public_contents(session, page.id)
        template = current_app.jinja_env.get_template(TEMPLATE)  # without what depends on a reader
        answer.set_data(
            template.render(
                page=page,
                services=services,
                blocs=blocs,
                logos=logos,
                deploiement=current_app.extensions["reglages"].deployment(),
            )
        )
        return answer


def _moved(adresse: str) -> Response:
    answer = Response(status=301)
    answer.location = url_for(".page_publique", adresse=adresse)
    answer.headers["Cache-Control"] = MOVED
    return answer


def _mark(page: Any, services: Any) -> str:
    """Return what tells one state of the page from the next: what it shows, and how it is drawn."""
    drawn = (asset("page-publique.css"), asset("favicon.svg"), _template_stamp())
    said = repr((tuple(page), tuple(map(tuple, services)), drawn))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _template_stamp() -> float:
    """Return when the template was written; looked at once, as static files are."""
    known: dict[str, float] = current_app.extensions.setdefault("gabarits_dates", {})
    if TEMPLATE not in known:
        template = current_app.jinja_env.get_template(TEMPLATE)
        with open(template.filename or "", "rb") as source:
            known[TEMPLATE] = int.from_bytes(hashlib.sha256(source.read()).digest()[:6], "big")
    return known[TEMPLATE]


def register(appbuilder: Any) -> None:
    """Serve the page."""
    appbuilder.add_view_no_menu(PagePubliqueView)
