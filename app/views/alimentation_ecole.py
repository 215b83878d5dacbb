"""The feeds of one school: what each changed there, and what waits to be confirmed."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import db
from app.queries import fiche_etablissement as reads
from app.security.permissions import Resource, Verb
from app.views import ecarts as words
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.fiche_ecole import counted

SHOWN = 100


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
        return self.render_template(
            "console/alimentation.html",
            title="Alimentation",
            school=school,
            feeds=reads.feeds(db.session(), school.id, limit=SHOWN),
            shown=SHOWN,
            words=words,
            counted=counted,
            can_feed=allowed_here(Resource.ALIMENTATION, Verb.ECRIRE),
        )


def register(appbuilder: Any) -> None:
    """Add the page; it is reached through the tree."""
    appbuilder.add_view_no_menu(AlimentationEcole)
