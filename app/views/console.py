"""The home of a school: its sheet (C5, S1)."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.security.permissions import Resource
from app.views.base import PreauBaseView
from app.views.ecole import current_school


class EtablissementConsole(PreauBaseView):
    """The sheet of a school of the perimeter."""

    resource = Resource.ETABLISSEMENT
    route_base = "/etablissements"
    default_view = "fiche"

    @expose("/<uai>/")
    @has_access
    @permission_name("lire")
    def fiche(self, uai: str) -> str:
        """Show the sheet of a school."""
        school = current_school(uai)
        return self.render_template("console/fiche.html", title="Fiche de l’établissement", school=school)


def register(appbuilder: Any) -> None:
    """Add the pages of a school; they are reached through the tree, not through the menu."""
    appbuilder.add_view_no_menu(EtablissementConsole)
