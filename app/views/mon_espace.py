"""«Mon espace»: oneself, as the directory says, one's schools, one's password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import current_app, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select

from app.extensions import db
from app.models import Attribution, Personne
from app.queries import comptes
from app.queries import personnes as reads
from app.security.manager import allowed, current_account, use_perimetre_for
from app.security.permissions import Resource, Verb
from app.security.roles import ROLE_LABELS, ROLE_PORTEES, Portee, Role
from app.views.base import PreauBaseView
from app.views.labels import SOURCES
from app.views.rendering import PARIS

PASSWORD_ENDPOINTS = ("MotDePasseView.mot_de_passe",)


class MonEspaceView(PreauBaseView):
    """One page about the person signed in, and nobody else."""

    resource = Resource.MON_ESPACE
    route_base = "/mon-espace"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("lire")
    def list(self) -> str:
        """Show who I am here."""
        account = current_account()
        session = db.session()
        person = None
        if account is not None and account.personne_id is not None:
            person = session.scalars(select(Personne).where(Personne.id == account.personne_id)).first()
        return self.render_template(
            "mon_espace/accueil.html",
            title="Mon espace",
            account=account,
            person=person,
            places=reads.places_of(session, person.id) if person else [],
            feed=reads.last_feed(session, person.id) if person else None,
            children=reads.children(session, person.id) if person else [],
            words=reads,
            sources=SOURCES,
            password_url=_password_url(),
            roles=_roles(),
        )


@dataclass(frozen=True)
class Held:
    """A role one holds: over what, until when, and the page of the school when it opens one."""

    label: str
    over: str
    last_day: date | None
    url: str


def _roles() -> list[Held]:
    """Return the roles held over others; «Mon espace» opens no school: the names are read with their own."""
    account = current_account()
    if account is None or not allowed(Verb.LIRE, Resource.ETABLISSEMENT):
        return []
    use_perimetre_for(Resource.ETABLISSEMENT)
    rows = comptes.roles_of(db.session(), account.id)
    found = [_held(row) for row in rows if ROLE_PORTEES[Role(row.role)] is not Portee.SOI]
    use_perimetre_for(Resource.MON_ESPACE)
    return found


def _held(row: Attribution) -> Held:
    where = row.etablissement or row.academie or row.collectivite
    last = (row.jusqua - timedelta(seconds=1)).astimezone(PARIS).date() if row.jusqua else None
    url = url_for("EtablissementConsole.fiche", uai=row.etablissement.uai) if row.etablissement else ""
    return Held(ROLE_LABELS[Role(row.role)], where.nom if where else "", last, url)


def _password_url() -> str:
    """Return the page that changes one's password, when passwords are kept here."""
    return next((url_for(name) for name in PASSWORD_ENDPOINTS if name in current_app.view_functions), "")


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(MonEspaceView, "Mon espace", icon="person-vcard", category="Mon espace")
