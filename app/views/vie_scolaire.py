"""«Mon espace › Vie scolaire»: behind the second password, typed with keys or on a shuffled keypad (U11)."""

from __future__ import annotations

import random
from typing import Any

from flask import abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired

from app.errors import UserError
from app.extensions import db
from app.models import Compte, Personne
from app.operations import mots_de_passe_scolarite as scolarite
from app.operations.saisies import Actor
from app.queries import vie_scolaire as reads
from app.security.acteur import current_account
from app.security.passwords import hash_password
from app.security.permissions import Resource
from app.security.rebonds import safe_next
from app.security.scolarite import is_open, scolarite_required, try_digits
from app.security.transactions import own_reading
from app.views.actors import deployment
from app.views.acts import commit_act
from app.views.base import PreauBaseView

BLOQUE = (
    "Trois essais faux\u00a0: les services de vie scolaire sont bloqués. Demandez un nouveau mot de passe"
    " scolarité à l’administrateur local de votre établissement."
)
CHIFFRES = {"inputmode": "numeric", "autocomplete": "off", "maxlength": 24}


class OuvrirForm(FlaskForm):
    """The digits."""

    chiffres = PasswordField(
        "Mot de passe scolarité",
        [InputRequired("Tapez votre mot de passe scolarité.")],
        description="Des chiffres seulement. Au clavier, ou avec le pavé dont les touches changent de place.",
        render_kw=CHIFFRES,
    )


class ChiffresForm(FlaskForm):
    """Digits chosen, twice."""

    nouveau = PasswordField(
        "Mot de passe scolarité",
        [InputRequired("Choisissez votre mot de passe scolarité.")],
        description="De 6 à 12 chiffres, différents de votre date de naissance.",
        render_kw=CHIFFRES,
    )
    encore = PasswordField(
        "Mot de passe scolarité, une seconde fois",
        [
            InputRequired("Tapez-le une seconde fois."),
            EqualTo("nouveau", "Les deux saisies diffèrent. Retapez-le."),
        ],
        render_kw=CHIFFRES,
    )


class VieScolaireView(PreauBaseView):
    """One's own school life, and the door to it."""

    resource = Resource.MON_ESPACE
    route_base = "/mon-espace/vie-scolaire"
    default_view = "voir"
    method_permission_name = dict.fromkeys(("voir", "ouvrir", "changer", "lien"), "lire")

    @expose("/", methods=["GET"])
    @has_access
    @scolarite_required
    def voir(self) -> Response | str:
        """Show class, teachers and groups; classes and groups taught."""
        person = _person()
        with own_reading() as own:
            places = reads.places(own, person.id) if person is not None else []
            protected = scolarite.asked_of(own, person.id) if person is not None else False
        return self.render_template(
            "mon_espace/vie_scolaire.html",
            title="Vie scolaire",
            places=places,
            protegee=protected,
            called=reads.called,
        )

    @expose("/ouvrir", methods=["GET", "POST"])
    @has_access
    def ouvrir(self) -> Response | str:
        """Ask for the second password; three wrong tries lock."""
        suite = safe_next(request.values.get("next")) or url_for(".voir")
        if is_open():
            return redirect(suite)
        form, me = OuvrirForm(), _me()
        if form.validate_on_submit():
            right, left = try_digits(me, form.chiffres.data or "", deployment())
            if right:
                return redirect(suite)
            form.chiffres.errors = [_wrong(left)] if left else []
        with own_reading() as own:
            kept = scolarite.of_account(own, me.id)
        keys = list("0123456789")
        random.SystemRandom().shuffle(keys)
        return self.render_template(
            "mon_espace/ouvrir_scolarite.html",
            title="Mot de passe scolarité",
            form=form,
            suite=suite,
            touches=keys,
            pose=kept is not None,
            bloque=BLOQUE if kept is not None and kept.verrouille_le is not None else "",
        )

    @expose("/changer", methods=["GET", "POST"])
    @has_access
    @scolarite_required
    def changer(self) -> Response | str:
        """Choose another one, once the present one has opened the door."""
        form, me = ChiffresForm(), _me()
        if form.validate_on_submit():
            try:
                digest = digest_of(me, form.nouveau.data or "")
            except UserError as error:
                form.nouveau.errors = [error.message]
            else:
                done = "Mot de passe scolarité changé. Il sera redemandé."
                if commit_act(lambda: _set(digest), message=done, form=form):
                    return redirect(url_for("MonEspaceView.list"))
        return self.render_template(
            "mon_espace/changer_scolarite.html", title="Changer mon mot de passe scolarité", form=form
        )

    @expose("/lien", methods=["POST"])
    @has_access
    def lien(self) -> Response:
        """Send oneself the link to choose the first one."""
        person = _person() or abort(404)
        done = "Un lien pour choisir votre mot de passe scolarité part à votre adresse e-mail."
        commit_act(lambda: scolarite.demander_lien(db.session(), _mine(), person, deployment()), message=done)
        return redirect(url_for(".ouvrir"))


def digest_of(compte: Compte, digits: str) -> str:
    """Check the digits and return what is kept of them.

    :raises RuleViolationError: on the field ``nouveau``.
    """
    scolarite.check_digits(digits, compte.personne.date_naissance if compte.personne is not None else None)
    return hash_password(scolarite.peppered(compte.id, digits, deployment()))


def _set(digest: str) -> None:
    me = _mine()
    if scolarite.of_account(db.session(), me.id) is None:
        abort(404)
    scolarite.poser(db.session(), me, digest, acteur=Actor(str(me), me.id), deployment=deployment())


def _wrong(left: int) -> str:
    tries = "un seul essai reste" if left == 1 else f"{left} essais restent"
    return f"Ce n’est pas votre mot de passe scolarité\u00a0: {tries} avant le blocage."


def _me() -> Compte:
    return current_account() or abort(401)


def _mine() -> Compte:
    return db.session.get(Compte, _me().id) or abort(401)


def _person() -> Personne | None:
    number = _me().personne_id
    return db.session.get(Personne, number) if number is not None else None


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(VieScolaireView, "Vie scolaire", icon="calendar3", category="Mon espace")
