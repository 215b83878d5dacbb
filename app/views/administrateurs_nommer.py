"""«Nommer un administrateur»: which role, over what, to whom; and rights promised, taken back (M1, M2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from app.errors import RuleViolationError
from app.extensions import db
from app.models import Academie, Attribution, Collectivite, Compte, Etablissement, Nomination
from app.operations import attributions as acts
from app.operations import nominations
from app.operations.administrateurs import NOMS, PROFILS_NOMMABLES, ROLE
from app.operations.attributions import Etendue
from app.queries import administrateurs as reads
from app.queries import fiche_etablissement as schools
from app.queries.personnes import PROFIL_LABELS
from app.security.delegation import current_pouvoirs
from app.security.manager import allowed, current_perimetre
from app.security.perimetres import perimetre
from app.security.permissions import Resource, Verb
from app.security.roles import ROLE_LABELS, ROLE_PORTEES, Portee, Role
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.administrateurs import day_typed
from app.views.arguments import as_id, checked_pk, text_arg
from app.views.base import PreauBaseView, commit_act

FOUND = 20


@dataclass
class Choix:
    """What the page asks and shows: the role, over what, and who may be given it."""

    role: str
    portee: Portee
    ecole: Etablissement | None = None
    academie: Academie | None = None
    collectivite: Collectivite | None = None
    q: str = ""
    candidats: Sequence[schools.Candidat] = ()
    comptes: Sequence[Compte] = ()
    academies: Sequence[Academie] = field(default_factory=list)
    collectivites: Sequence[Collectivite] = field(default_factory=list)

    @property
    def pret(self) -> bool:
        """Tell whether what the role is held over is chosen."""
        match self.portee:
            case Portee.ETABLISSEMENT:
                return self.ecole is not None
            case Portee.ACADEMIE:
                return self.academie is not None
            case Portee.COLLECTIVITE:
                return self.collectivite is not None
            case _:
                return True

    @property
    def nom(self) -> str:
        """Return what the role is held over, in words."""
        where = self.ecole or self.academie or self.collectivite
        return where.nom if where is not None else "toute la plate-forme"


class Nommer(PreauBaseView):
    """Give a role over a school, or over more than a school for who holds everything."""

    resource = Resource.ADMINISTRATEUR
    route_base = "/administrateurs"
    default_view = "nommer"

    @expose("/nommer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def nommer(self) -> Any:
        """Choose the role, what it is held over and the person; a refused post keeps what was chosen."""
        offered = roles_offered()
        chosen, refusal = _chosen(request.args, offered), None
        if request.method == "POST" and chosen.pret:
            said, refusal = run_act(lambda: self._give(_chosen(request.args, offered)))
            if refusal is None:
                message, endpoint = said
                flash(message, "success")
                return redirect(url_for(endpoint))
            chosen = _chosen(request.args, offered)
        _look(chosen)
        return self.render_template(
            "administrateurs/nommer.html",
            title="Nommer un administrateur",
            choix=chosen,
            roles=offered,
            refus=refusal,
            personne=as_id(request.form.get("personne", "")),
            dernier_jour=request.form.get("dernier_jour", "")[:10],
            profils=PROFIL_LABELS,
            invite=_may_invite(chosen.ecole),
            au_plus=FOUND,
        )

    def _give(self, chosen: Choix) -> tuple[str, str]:
        """Give the role; return what to say, and where to go."""
        session, number_ = db.session(), as_id(request.form.get("personne", "")) or 0
        until, held = day_typed(), current_pouvoirs()
        label = in_sentence(chosen.role)
        if chosen.ecole is not None:
            person = schools.person(session, number_)
            if person is None:
                raise RuleViolationError("Choisissez une personne de la liste.", field="personne")
            made = acts.donner_dans_ecole(
                session, chosen.role, chosen.ecole, person, dernier_jour=until, detenus=held,
                deployment=deployment(), acteur=actor(),
            )  # fmt: skip
            who = f"{person.prenom} {person.nom_courant}"
            if isinstance(made, Attribution):
                return f"{who} est {label} de {chosen.ecole.nom}.", "Administrateurs.liste"
            how = (
                "un lien pour activer son compte vient de partir"
                if person.email and person.login
                else "remettez-lui ses identifiants de première connexion"
            )
            return f"{who} sera {label} de {chosen.ecole.nom} : {how}.", "Administrateurs.en_attente"
        account = session.scalars(select(Compte).where(Compte.id == number_)).first()
        if account is None:
            raise RuleViolationError("Choisissez un compte de la liste.", field="personne")
        over = Etendue(
            chosen.academie.id if chosen.academie else None,
            chosen.collectivite.id if chosen.collectivite else None,
        )
        acts.donner(session, chosen.role, over, account, dernier_jour=until, detenus=held, acteur=actor())
        return f"{account.first_name} {account.last_name} est {label}, {chosen.nom}.", "Administrateurs.liste"


class Promesses(PreauBaseView):
    """Rights that wait for their holder."""

    resource = Resource.ADMINISTRATEUR
    route_base = "/administrateurs/en-attente"
    default_view = "reprendre"

    @expose("/<int:pk>/reprendre", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def reprendre(self, pk: int) -> Any:
        """Say what taking a promise back does; only a post does it."""
        promise = _promise(pk)
        who = f"{promise.personne.prenom} {promise.personne.nom_courant}"
        back = url_for("Administrateurs.en_attente")
        if request.method == "POST":
            commit_act(
                lambda: nominations.reprendre(db.session(), _promise(pk), acteur=actor()),
                message=f"{who} n’aura pas ces droits.",
            )
            return redirect(back)
        return self.render_template(
            "administrateurs/reprendre.html",
            title="Reprendre un rôle promis",
            qui=who,
            role=ROLE_LABELS[Role(promise.role)],
            ecole=promise.etablissement.nom,
            retour=back,
        )


def in_sentence(role: str) -> str:
    """Return a role as a sentence says it."""
    label = ROLE_LABELS[Role(role)]
    return NOMS.get(role) or label[:1].lower() + label[1:]


def roles_offered() -> dict[str, str]:
    """Return the roles this person may give somewhere, in the order of the matrix."""
    held = current_pouvoirs()
    over_others = [role for role in Role if ROLE_PORTEES[role] is not Portee.SOI]
    names = [ROLE, *[str(role) for role in over_others if role != ROLE]]
    return {name: ROLE_LABELS[Role(name)] for name in names if acts.may_give(name, held)}


def _chosen(args: MultiDict[str, str], offered: dict[str, str]) -> Choix:
    """Read the address: a role that is not offered, or a row out of the perimeter, counts as absent."""
    asked = args.get("role", "")
    role = asked if asked in offered else next(iter(offered), ROLE)
    made = Choix(role, ROLE_PORTEES[Role(role)], q=text_arg("q", args).strip())
    session = db.session()
    match made.portee:
        case Portee.ETABLISSEMENT:
            made.ecole = reads.school(session, as_id(args.get("etablissement", "")))
        case Portee.ACADEMIE:
            made.academies = session.scalars(select(Academie).order_by(Academie.nom)).all()
            wanted = as_id(args.get("academie", ""))
            made.academie = next((one for one in made.academies if one.id == wanted), None)
        case Portee.COLLECTIVITE:
            made.collectivites = session.scalars(select(Collectivite).order_by(Collectivite.nom)).all()
            wanted = as_id(args.get("collectivite", ""))
            made.collectivite = next((one for one in made.collectivites if one.id == wanted), None)
    return made


def _look(chosen: Choix) -> None:
    """Read who may be given the role."""
    if not chosen.pret:
        return
    session = db.session()
    if chosen.ecole is not None:
        profils = PROFILS_NOMMABLES[chosen.role]
        chosen.candidats = schools.candidates(
            session, chosen.ecole.id, chosen.q, role=chosen.role, profils=profils, limit=FOUND
        )
    elif chosen.q:
        chosen.comptes = reads.accounts(session, chosen.q, FOUND)


def _may_invite(school: Etablissement | None) -> bool:
    """Tell whether this person may add a guest to the school."""
    if school is None or not allowed(Verb.ECRIRE, Resource.INVITE):
        return False
    with perimetre(db.session(), current_perimetre(Resource.INVITE, Verb.ECRIRE)):
        return reads.school(db.session(), school.id) is not None


def _promise(pk: int) -> Nomination:
    return reads.promise(db.session(), checked_pk(pk)) or abort(404)


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from the lists of the module."""
    appbuilder.add_view_no_menu(Nommer)
    appbuilder.add_view_no_menu(Promesses)
