"""«Administrateurs»: everybody who holds a role over others in the perimeter, and a sheet of each (M1)."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import db
from app.operations.attributions import D_ECOLE
from app.queries import administrateurs as reads
from app.queries.administrateurs import etat_of
from app.queries.personnes import PROFIL_LABELS, places_of
from app.security.delegation import current_pouvoirs
from app.security.manager import allowed, current_account, current_perimetre
from app.security.perimetres import perimetre
from app.security.permissions import Resource, Verb
from app.views import administrateurs_liste as page
from app.views.actes import changes, said
from app.views.arguments import checked_pk, id_arg, ids_arg
from app.views.base import PreauBaseView
from app.views.streams import csv_response

WAITING = 50


class Administrateurs(PreauBaseView):
    """Roles held over others: local administrators, heads, people of the académie and beyond."""

    resource = Resource.ADMINISTRATEUR
    route_base = "/administrateurs"
    default_view = "liste"

    @expose("/")
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """Show one page of the list."""
        return self.render_template(
            "administrateurs/liste.html",
            title="Administrateurs",
            page=page.page(page.criteres()),
            en_attente=reads.promised(db.session()),
            agit=allowed(Verb.ECRIRE, Resource.ADMINISTRATEUR),
            export_url=url_for(".export", **_filters()),
        )

    @expose("/export")
    @has_access
    @permission_name("lire")
    def export(self) -> Response:
        """Send what the list shows, every page of it, or the lines ticked."""
        rows = page.file_rows(page.criteres(), ids_arg("rowid", limit=1000))
        return csv_response("administrateurs.csv", rows)

    @expose("/en-attente")
    @has_access
    @permission_name("lire")
    def en_attente(self) -> str:
        """Show the roles that wait for their holder to activate their account."""
        found = reads.promises(db.session(), before=id_arg("apres"), limit=WAITING + 1)
        return self.render_template(
            "administrateurs/en_attente.html",
            title="En attente d’activation",
            promesses=found[:WAITING],
            suite=found[WAITING - 1].id if len(found) > WAITING else None,
            en_attente=reads.promised(db.session()),
            agit=allowed(Verb.ECRIRE, Resource.ADMINISTRATEUR),
            roles=page.ROLES,
            last_day=page.last_day,
        )

    @expose("/<int:pk>")
    @has_access
    @permission_name("lire")
    def fiche(self, pk: int) -> str:
        """Show what an account administers, since when, and what was done about it."""
        session = db.session()
        account = reads.account(session, checked_pk(pk))
        if account is None:
            abort(404)
        rows = reads.roles_of_account(session, account.id, page.EXIGEANTS)
        if not rows:
            abort(404)
        seen, opened = reads.last_seen(session, account.id)
        me = current_account()
        return self.render_template(
            "administrateurs/fiche.html",
            title=page.full_name(rows[0]),
            nom=f"{rows[0].prenom} {rows[0].nom}",
            compte=account,
            lignes=rows,
            cellule=page,
            etat_of=etat_of,
            actes=_offered(rows) if me is None or me.id != account.id else {},
            moi=me is not None and me.id == account.id,
            vue_le=seen,
            ouvertes=opened,
            facteur=next((row for row in rows if row.facteur_le), rows[0]),
            histoire=_history(account),
            places=_places(account.personne_id),
            profils=PROFIL_LABELS,
            said=said,
            changes=changes,
        )


def _filters() -> dict[str, Any]:
    asked = page.criteres()
    kept = {
        "q": asked.q,
        "role": asked.role,
        "etablissement": asked.etablissement_id,
        "etat": asked.etat,
        "facteur": asked.facteur,
        "connexion": asked.connexion,
        "tri": asked.tri if asked.tri != "nom" else None,
        "ordre": "desc" if asked.descendant else None,
    }
    return {name: value for name, value in kept.items() if value}


def _offered(rows: Any) -> dict[int, bool]:
    """Return the roles this person may change: of a school, or any when they hold everything."""
    if not allowed(Verb.ECRIRE, Resource.ADMINISTRATEUR):
        return {}
    above = any(held.tout for held in current_pouvoirs())
    return {row.id: True for row in rows if above or row.role in D_ECOLE}


def _history(account: Any) -> Any:
    """Read the journal of the roles of an account as far as this reader may; None for who may not."""
    if not allowed(Verb.LIRE, Resource.JOURNAL):
        return None
    with perimetre(db.session(), current_perimetre(Resource.JOURNAL)):
        return reads.history(db.session(), account.id, account.personne_id)


def _places(personne_id: int | None) -> Any:
    """Return where the person is in the perimeter of people; nothing for an account that is nobody's."""
    if personne_id is None or not allowed(Verb.LIRE, Resource.PERSONNE):
        return []
    with perimetre(db.session(), current_perimetre(Resource.PERSONNE)):
        rows = places_of(db.session(), personne_id)
        return [(row.profil, row.etablissement.nom, row.etablissement.uai) for row in rows]


def register(appbuilder: Any) -> None:
    """Add the module to the menu."""
    appbuilder.add_view(
        Administrateurs, "Tous les administrateurs", icon="person-lock", category="Administrateurs"
    )
