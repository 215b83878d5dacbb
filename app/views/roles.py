"""«Rôles et droits»: the matrix of roles.py, and who holds each role within the perimeter."""

from __future__ import annotations

from dataclasses import dataclass

from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import db
from app.queries.comptes import holders_by_role
from app.security.permissions import RESOURCE_LABELS, Resource, Verb
from app.security.roles import RIGHTS, ROLE_LABELS, ROLE_PORTEES, Portee, Role
from app.views.base import PreauBaseView

PORTEE_LABELS = {
    Portee.PLATEFORME: "Toute la plate-forme",
    Portee.ACADEMIE: "Les établissements de son académie",
    Portee.COLLECTIVITE: "Les établissements de sa collectivité",
    Portee.ETABLISSEMENT: "Ses établissements",
    Portee.SOI: "Soi-même",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One role of the matrix: its words, its rights, how many hold it."""

    code: str
    label: str
    portee: str
    rights: list[str]
    holders: int


class RoleView(PreauBaseView):
    """Roles live in code: this page shows them, nobody edits them."""

    resource = Resource.ROLE
    route_base = "/referentiel/roles"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("lire")
    def list(self) -> str:
        """Show roles × resources."""
        counts = holders_by_role(db.session())
        return self.render_template(
            "roles/matrice.html",
            title="Rôles et droits",
            resources=[(str(resource), label) for resource, label in RESOURCE_LABELS.items()],
            lines=[_line(role, counts.get(str(role), 0)) for role in Role],
        )


def _line(role: Role, holders: int) -> Line:
    return Line(
        code=str(role),
        label=ROLE_LABELS[role],
        portee=PORTEE_LABELS[ROLE_PORTEES[role]],
        rights=[_right(role, resource) for resource in RESOURCE_LABELS],
        holders=holders,
    )


def _right(role: Role, resource: Resource) -> str:
    """Return «ecrire», «lire» or nothing: the widest verb a role holds on a resource."""
    if (Verb.ECRIRE, resource) in RIGHTS[role]:
        return "ecrire"
    return "lire" if (Verb.LIRE, resource) in RIGHTS[role] else ""
