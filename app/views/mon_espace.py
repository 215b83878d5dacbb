"""«Mon espace»: oneself as the directory says, how to be reached, what protects the account, its sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import abort, current_app, flash, g, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import Optional

from app.errors import UserError
from app.extensions import PARIS, db
from app.models import Attribution, Compte, Etablissement, Personne
from app.operations import adresses, editeurs, mon_espace, seconds_facteurs, sessions
from app.operations import mots_de_passe_scolarite as scolarite
from app.operations.sessions import MotifFin
from app.queries import comptes
from app.queries import personnes as reads
from app.security.acteur import second_factor_required
from app.security.connexion import check_own_password
from app.security.manager import allowed, current_account, use_perimetre_for
from app.security.perimetres import TOUT, Perimetre, perimetre
from app.security.permissions import Resource, Verb
from app.security.roles import ROLE_LABELS, ROLE_PORTEES, Portee, Role
from app.security.sessions import current_token
from app.views.actors import deployment
from app.views.acts import commit_act
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView
from app.views.labels import SOURCES

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR|Opera", "Opera"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS|Chromium", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X|Macintosh", "Mac"),
    ("Linux", "Linux"),
)


class CoordonneesForm(FlaskForm):
    """How to be reached."""

    email = StringField(
        "E-mail",
        [Optional()],
        description="C’est là que part un lien le jour où vous oubliez votre mot de passe.",
        render_kw={"type": "email", "autocomplete": "email", "maxlength": 255},
    )
    telephone_portable = StringField(
        "Téléphone portable", [Optional()], render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 40}
    )
    telephone_domicile = StringField(
        "Téléphone du domicile",
        [Optional()],
        render_kw={"type": "tel", "autocomplete": "home tel", "maxlength": 40},
    )
    actuel = PasswordField(
        "Mot de passe actuel",
        [Optional()],
        description="Demandé pour changer d’adresse e-mail.",
        render_kw={"autocomplete": "current-password"},
    )


class MonEspaceView(PreauBaseView):
    """Pages about the person signed in, and nobody else."""

    resource = Resource.MON_ESPACE
    route_base = "/mon-espace"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("lire")
    def list(self) -> str:
        """Show who I am here."""
        account = _me()
        session = db.session()
        person = _person()
        settings = current_app.extensions["reglages"]
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
            editable=person is not None and mon_espace.may_edit(session, person),
            facteur=seconds_facteurs.etat_of(session, account.id),
            obligatoire=second_factor_required(account),
            scolarite=scolarite.of_account(session, account.id),
            scolarite_demandee=person is not None and scolarite.asked_of(session, person.id),
            sessions=sessions.open_of(session, account.id, heures=settings.session_heures),
            ici=g.get("session_id"),
            appareil=device,
            roles=_roles(),
            pages=_pages(person),
        )

    @expose("/coordonnees", methods=["GET", "POST"])
    @has_access
    @permission_name("lire")
    def coordonnees(self) -> Response | str:
        """Edit one's own e-mail and telephones."""
        person = _person()
        if person is None or not mon_espace.may_edit(db.session(), person):
            abort(404)
        form = CoordonneesForm(obj=person)
        waiting: dict[str, str] = {}
        if (
            form.validate_on_submit()
            and _may_change_address(form, person)
            and commit_act(lambda: waiting.update(_write(form)), form=form)
        ):
            sent = waiting.get("email")
            flash(
                f"Un lien est parti vers {sent} : cette adresse sera la vôtre quand vous l’aurez ouvert."
                if sent
                else "Coordonnées enregistrées.",
                "info" if sent else "success",
            )
            return redirect(url_for(".list"))
        return self.render_template("mon_espace/coordonnees.html", title="Mes coordonnées", form=form)

    @expose("/sessions/<int:pk>/fermer", methods=["POST"])
    @has_access
    @permission_name("lire")
    def fermer(self, pk: int) -> Response:
        """End one of one's own sessions, seen on another device."""
        if not _end(pk):
            abort(404)
        flash("Session fermée.", "success")
        return redirect(f"{url_for('.list')}#sessions")

    @expose("/sessions/fermer-les-autres", methods=["POST"])
    @has_access
    @permission_name("lire")
    def fermer_les_autres(self) -> Response:
        """End all of one's sessions but this one."""
        commit_act(
            lambda: sessions.end_all(db.session(), _me().id, MotifFin.TITULAIRE, sauf_jeton=current_token()),
            message="Vos autres sessions sont fermées.",
        )
        return redirect(f"{url_for('.list')}#sessions")


@dataclass(frozen=True)
class Ecrite:
    """A public page one writes."""

    nom: str
    url: str


def _pages(person: Personne | None) -> list[Ecrite]:
    """Return the public pages one writes; «Mon espace» opens no school: they are read with their own."""
    if person is None:
        return []
    with perimetre(db.session(), TOUT):
        ids = editeurs.schools_of(db.session(), person.id)
    if not ids:
        return []
    with perimetre(db.session(), Perimetre(etablissements=frozenset(ids))):
        schools = select(Etablissement.nom, Etablissement.uai).order_by(Etablissement.nom)
        rows = db.session.execute(schools.where(Etablissement.id.in_(ids))).all()
    return [Ecrite(row.nom, url_for("Redaction.liste", uai=row.uai)) for row in rows]


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


def device(navigateur: str) -> str:
    """Return what a browser says it is, in two words: «Firefox, Windows»."""
    found = [
        next((name for pattern, name in known if re.search(pattern, navigateur)), "")
        for known in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, found)) or "Appareil inconnu"


def _may_change_address(form: CoordonneesForm, person: Personne) -> bool:
    """Ask for the password before the address changes: it is what opens the account when it is forgotten."""
    me, same = _me(), (form.email.data or "").strip() == (person.email or "")
    if same or not me.password:
        return True
    db.session.rollback()  # counting the try takes a transaction of its own: SQLite has one writer
    try:
        check_own_password(me, form.actuel.data or "")
    except UserError as error:
        form.actuel.errors = [error.message]
        return False
    return True


def _write(form: CoordonneesForm) -> dict[str, str]:
    """Write what was typed; return the address that waits for its proof, when one does."""
    person = _person() or abort(404)
    account = db.session.get(Compte, _me().id) or abort(404)
    values: dict[str, str | None] = {name: form[name].data for name in mon_espace.CHAMPS}
    asked = ""
    if not account.password:  # no password here to ask for: the new address proves itself
        asked = adresses.demander(db.session(), person, account, values.get("email"), deployment=deployment())
        values["email"] = person.email
    mon_espace.modifier_coordonnees(db.session(), person, account, values, deployment=deployment())
    return {"email": asked} if asked else {}


def _end(pk: int) -> bool:
    ended: dict[str, bool] = {}

    def act() -> None:
        ended["done"] = sessions.end_one(db.session(), _me().id, checked_pk(pk))

    return commit_act(act) and ended["done"]


def _me() -> Compte:
    return current_account() or abort(401)


def _person() -> Personne | None:
    number = _me().personne_id
    if number is None:
        return None
    return db.session.scalars(select(Personne).where(Personne.id == number)).first()


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(MonEspaceView, "Mon espace", icon="person-vcard", category="Mon espace")
