"""The feeds of one school: what each changed there, and what waits to be confirmed."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import db
from app.queries import curseurs
from app.queries import fiche_etablissement as reads
from app.security.permissions import Resource, Verb
from app.views import ecarts as words
from app.views.base import PreauBaseView
from app.views.cursor_pages import cursor_args, pager, size_arg
from app.views.ecole import allowed_here, current_school
from app.views.fiche_ecole import counted


class AlimentationEcole(PreauBaseView):
    """Feeds that touched a school."""

    resource = Resource.ALIMENTATION
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/alimentation/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """Show the feeds of a school, the newest first."""
        school = current_school(uai)
        statement = reads.feeds_of(school.id)
        page = curseurs.page(db.session(), statement, reads.FEED_ORDER, size_arg(), *cursor_args())
        return self.render_template(
            "console/alimentation.html",
            title="Alimentation",
            school=school,
            feeds=[reads.Flux(row[1], row[0]) for row in page.rows],
            pager=pager(page, curseurs.count(db.session(), statement, reads.FEED_ORDER)),
            words=words,
            counted=counted,
            can_feed=allowed_here(Resource.ALIMENTATION, Verb.ECRIRE),
        )


def register(appbuilder: Any) -> None:
    """Add the page; it is reached through the tree."""
    appbuilder.add_view_no_menu(AlimentationEcole)
