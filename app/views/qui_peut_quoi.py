"""«Qui peut quoi»: the page that explains the rights of a person, or of an account (A7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import abort, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import PARIS, db
from app.queries import administrateurs as reads
from app.queries import fiche_etablissement as people
from app.queries.personnes import account_of
from app.security.manager import allowed, current_perimetre
from app.security.permissions import Resource, Verb
from app.security.qui_peut_quoi import BIENTOT, OUVERT, Droit, Sujet, explain
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView
from app.views.frame import modules_for
from app.views.rendering import day

TONS = {"ouvert": "", "bientot": "warn", "attente": "info", "ferme": "bad"}
MOTS = {"ouvert": "Ouvert", "bientot": "Prend fin bientôt", "attente": "En attente", "ferme": "Fermé"}


class DroitsPersonne(PreauBaseView):
    """The rights of somebody of the perimeter."""

    resource = Resource.PERSONNE
    route_base = "/personnes"
    default_view = "droits"

    @expose("/<int:pk>/droits")
    @has_access
    @permission_name("lire")
    def droits(self, pk: int) -> str:
        """Explain what a person may do, and by which rule."""
        session = db.session()
        person = people.person(session, checked_pk(pk))
        if person is None:
            abort(404)
        sujet = Sujet(person, account_of(session, person.id))
        back = [("Toutes les personnes", url_for("Personnes.liste"))]
        back.append((str(person), url_for("Personnes.fiche", pk=person.id)))
        return _page(self, sujet, f"{person.prenom} {person.nom_courant}", back)


class DroitsCompte(PreauBaseView):
    """The rights of an account that administers something in the perimeter."""

    resource = Resource.ADMINISTRATEUR
    route_base = "/administrateurs"
    default_view = "droits"

    @expose("/<int:pk>/droits")
    @has_access
    @permission_name("lire")
    def droits(self, pk: int) -> str:
        """Explain what an account may do, and by which rule."""
        account = reads.account(db.session(), checked_pk(pk))
        if account is None:
            abort(404)
        row = reads.roles_of_account(db.session(), account.id, ())[0]
        name = f"{row.prenom} {row.nom}"
        back = [("Administrateurs", url_for("Administrateurs.liste"))]
        back.append((name, url_for("Administrateurs.fiche", pk=account.id)))
        return _page(self, Sujet(account.personne, account, bool(row.suspendu)), name, back)


def _page(view: PreauBaseView, sujet: Sujet, name: str, back: list[tuple[str, str]]) -> str:
    rights = explain(db.session(), sujet)
    open_ = frozenset().union(*(one.modules for one in rights if one.etat in {OUVERT, BIENTOT}))
    page: str = view.render_template(
        "droits/qui_peut_quoi.html",
        title="Qui peut quoi",
        nom=name,
        droits=rights,
        modules=[] if sujet.ferme else modules_for(open_),
        ferme=sujet.ferme,
        chemin=back,
        tons=TONS,
        mots=MOTS,
        quand=_when,
        partiel=not current_perimetre().tout,
        lie=allowed(Verb.LIRE, Resource.ETABLISSEMENT),
    )
    return page


def _when(right: Droit) -> str:
    """Say since when a right is held, and until when."""
    said = [f"depuis le {_day(right.depuis)}"] if right.depuis else []
    if right.jusqua:
        said.append(f"jusqu’au {_day(right.jusqua - timedelta(seconds=1))}")
    return ", ".join(said)


def _day(moment: datetime) -> str:
    return day(moment.astimezone(PARIS) if moment.tzinfo else moment)


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the sheet of a person, and from that of an administrator."""
    appbuilder.add_view_no_menu(DroitsPersonne)
    appbuilder.add_view_no_menu(DroitsCompte)
