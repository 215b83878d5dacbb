"""Pages of who cannot sign in yet, or any more: first connection, forgotten password, links of mails.

Nothing here tells whether somebody exists. Codes and passwords travel in the body of a post, never in an
address; the token of a mail's link leaves the address at once, for the signed cookie.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response, make_response, redirect, request, session, url_for
from flask_appbuilder import BaseView, expose
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as BaseResponse
from wtforms import DateField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Optional

from app.errors import UserError
from app.models import Compte, LienMotDePasse, Personne
from app.operations import activation, connexions, liens, oublis
from app.operations import mots_de_passe_scolarite as scolarite
from app.operations.connexions import Frein
from app.operations.saisies import clean_email
from app.operations.titulaires import Titulaire
from app.security import premiere, throttle
from app.security.connexion import accept
from app.security.passwords import hash_password
from app.security.regle_mot_de_passe import check_new_password
from app.security.transactions import own_reading, own_transaction
from app.views.actors import deployment
from app.views.acts import refusal_of, show_refusal
from app.views.vie_scolaire import ChiffresForm, digest_of

PREUVE, LIEN = "premiere", "lien"
PREUVE_SECONDES = 15 * 60
TOO_LATE = "Cette page a attendu trop longtemps. Redonnez votre identifiant et votre code."


class PremiereForm(FlaskForm):
    """Who one is: what the school gave."""

    identifiant = StringField(
        "Identifiant",
        [InputRequired("Tapez l’identifiant du document remis par votre établissement.")],
        description="De la forme prenom.nom",
        render_kw={
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "maxlength": 64,
        },
    )
    code = StringField(
        "Code d’activation",
        [InputRequired("Tapez le code du document remis par votre établissement.")],
        description="Huit signes, majuscules ou non. Parents\u00a0: le code de votre enfant convient.",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "maxlength": 20},
    )
    naissance = DateField(
        "Votre date de naissance",
        [Optional()],
        description="Élèves et personnels. Les parents peuvent la laisser vide.",
        render_kw={"autocomplete": "bday"},
    )
    code_postal = StringField(
        "Votre code postal",
        [Optional()],
        description="Pour les parents qui donnent le code de leur enfant.",
        render_kw={"autocomplete": "postal-code", "inputmode": "numeric", "maxlength": 10},
    )


class ChoixForm(FlaskForm):
    """A password chosen, twice."""

    nouveau = PasswordField(
        "Mot de passe",
        [InputRequired("Choisissez un mot de passe.")],
        description="12 caractères au moins. Une phrase que vous retenez convient très bien.",
        render_kw={"autocomplete": "new-password"},
    )
    encore = PasswordField(
        "Mot de passe, une seconde fois",
        [
            InputRequired("Tapez-le une seconde fois."),
            EqualTo("nouveau", "Les deux saisies diffèrent. Retapez le mot de passe."),
        ],
        render_kw={"autocomplete": "new-password"},
    )


class ActivationForm(ChoixForm):
    """The same, with an e-mail address for the day it is forgotten."""

    email = StringField(
        "E-mail",
        [Optional()],
        render_kw={"type": "email", "autocomplete": "email", "maxlength": 255},
    )


class OubliForm(FlaskForm):
    """Who forgot."""

    identifiant = StringField(
        "Identifiant ou e-mail",
        [InputRequired("Tapez votre identifiant ou votre e-mail.")],
        render_kw={
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "maxlength": 320,
        },
    )


class PremiereView(BaseView):
    """First connection, in two steps: who one is, then a password."""

    route_base = "/connexion/premiere"
    default_view = "qui"

    @expose("/", methods=["GET", "POST"])
    def qui(self) -> BaseResponse:
        """Ask for the identifier and the code; check them."""
        form = PremiereForm()
        if not form.validate_on_submit():
            return self._page(form)
        proof = premiere.prove(
            premiere.Saisie(
                form.identifiant.data or "",
                form.code.data or "",
                form.naissance.data,
                form.code_postal.data or "",
            )
        )
        if not proof.personne_id:
            answer = self._page(form, refus=proof.issue.phrase)
            answer.status_code = proof.issue.code
            if proof.issue.attente:
                answer.headers["Retry-After"] = str(max(1, round(proof.issue.attente.total_seconds())))
            return answer
        session.clear()
        session[PREUVE] = [proof.personne_id, proof.generation, int(time.time())]
        return redirect(url_for("PremiereView.mot_de_passe"))

    @expose("/mot-de-passe", methods=["GET", "POST"])
    def mot_de_passe(self) -> BaseResponse:
        """Ask for the password of the one who proved a code; create the account."""
        proof = _proof()
        who = _person(*proof) if proof else None
        if proof is None or who is None:
            session.pop(PREUVE, None)
            return self._page(PremiereForm(formdata=None), refus=TOO_LATE if request.method == "POST" else "")
        form = ActivationForm()
        form.email.description = _email_hint(who.personne)
        if form.validate_on_submit():
            account = _chosen(form, who, lambda digest: _activate(proof, form, digest))
            if account is not None:
                return _welcome(account)
        return make_response(
            self.render_template("connexion/choisir.html", form=form, qui=who, activation=True)
        )

    def _page(self, form: PremiereForm, refus: str = "") -> Response:
        form.code.data = ""
        form.code.raw_data = None
        return make_response(self.render_template("connexion/premiere.html", form=form, refus=refus))


class OubliView(BaseView):
    """«Mot de passe oublié»: one answer for everybody."""

    route_base = "/connexion/oubli"
    default_view = "demander"

    @expose("/", methods=["GET", "POST"])
    def demander(self) -> BaseResponse:
        """Ask who forgot; say that a mail leaves if there is anybody to send it to."""
        form = OubliForm()
        if not form.validate_on_submit():
            return make_response(self.render_template("connexion/oubli.html", form=form))
        typed = form.identifiant.data or ""
        prefix = throttle.address_prefix(request.remote_addr)
        with own_transaction() as own:
            wait = connexions.attempt(
                own,
                [Frein(f"oubli:adresse:{prefix}", 20, timedelta(minutes=5), timedelta(hours=1))],
            )
            if wait <= timedelta(0):
                oublis.demander(own, typed)
        if wait > timedelta(0):
            form.identifiant.errors = [
                f"Trop de demandes depuis ce réseau. Réessayez dans {connexions.wait_text(wait)}."
            ]
            page = self.render_template("connexion/oubli.html", form=form)
            return make_response(page, 429, {"Retry-After": str(max(1, round(wait.total_seconds())))})
        return make_response(self.render_template("connexion/oubli_envoye.html"))


class LienView(BaseView):
    """The link of a mail: its token leaves the address at once, then serves once."""

    route_base = "/connexion/lien"
    default_view = "choisir"

    @expose("/<jeton>", methods=["GET"])
    def ouvrir(self, jeton: str) -> BaseResponse:
        """Keep the token in the signed cookie, out of the address, history and logs of what follows."""
        session[LIEN] = jeton[:100]
        return redirect(url_for("LienView.choisir"))

    @expose("/", methods=["GET", "POST"])
    def choisir(self) -> BaseResponse:
        """Ask for the password; spend the link."""
        token = str(session.get(LIEN, ""))
        found = _link(token) if token else None
        if found is None:
            session.pop(LIEN, None)
            return make_response(self.render_template("connexion/lien_perime.html"))
        lien, who = found
        if who.suspension:
            return make_response(self.render_template("connexion/lien_perime.html", refus=who.suspension))
        if lien.usage == liens.SCOLARITE and who.compte is not None:
            return self._scolarite(token, who, who.compte)
        form = ChoixForm()
        if form.validate_on_submit():
            account = _chosen(form, who, lambda digest: _by_link(token, digest))
            if account is not None:
                session.clear()
                if who.compte is None:
                    return _welcome(account)
                return redirect(url_for("ConnexionView.login", fait="mot-de-passe"))
        page = self.render_template(
            "connexion/choisir.html", form=form, qui=who, activation=who.compte is None
        )
        return make_response(page)

    def _scolarite(self, token: str, who: Titulaire, account: Compte) -> BaseResponse:
        """Ask for the digits of the second password; spend the link."""
        form = ChiffresForm()
        if form.validate_on_submit():
            try:
                digest = digest_of(account, form.nouveau.data or "")
                with own_transaction() as own:
                    scolarite.choisir(own, token, digest, deployment=deployment())
            except UserError as error:
                show_refusal(error, form)
            else:
                session.pop(LIEN, None)
                return redirect(url_for("ConnexionView.login", fait="scolarite"))
        return make_response(self.render_template("connexion/choisir_scolarite.html", form=form, qui=who))


def _proof() -> tuple[int, int] | None:
    """Return the person and the generation of the code that was proved less than a quarter of an hour ago."""
    kept = session.get(PREUVE)
    if not isinstance(kept, list) or len(kept) != 3 or time.time() - kept[2] > PREUVE_SECONDES:
        return None
    return int(kept[0]), int(kept[1])


def _person(number: int, generation: int) -> Titulaire | None:
    with own_reading() as own:
        person = own.get(Personne, number)
        own.expunge_all()
    if person is None or person.code_generation != generation:
        return None
    return Titulaire(person, None)


def _link(token: str) -> tuple[LienMotDePasse, Titulaire] | None:
    with own_reading() as own:
        found = liens.find(own, token)
        own.expunge_all()
    return found


def _chosen(form: ChoixForm, who: Titulaire, act: Callable[[str], Compte]) -> Compte | None:
    """Check the password, then run the act with its digest, worked out before any lock is taken.

    A refusal is shown on the form.
    """
    try:
        check_new_password(form.nouveau.data or "", who.compte or _future_account(who))
        return act(hash_password(form.nouveau.data or ""))
    except UserError as error:
        show_refusal(error, form)
    except IntegrityError as error:
        show_refusal(refusal_of(error), form)
    return None


def _future_account(who: Titulaire) -> Compte:
    """Return the account as it will be, for the rule that keeps names out of passwords."""
    person = who.personne
    if person is None:
        return Compte()
    return Compte(
        username=person.login or "",
        first_name=person.prenom,
        last_name=person.nom_courant,
        email=person.email,
    )


def _activate(proof: tuple[int, int], form: ActivationForm, digest: str) -> Compte:
    email = clean_email(form.email.data)
    with own_transaction() as own:
        person = own.get(Personne, proof[0])
        if person is None:
            raise UserError(activation.DEJA)
        return activation.activer(
            own, person, digest, generation=proof[1], deployment=deployment(), email=email
        )


def _by_link(token: str, digest: str) -> Compte:
    with own_transaction() as own:
        return liens.choisir_mot_de_passe(own, token, digest, deployment=deployment())


def _welcome(account: Compte) -> BaseResponse:
    """Sign in whoever has just activated their account: a new session, a cookie of its own (L5)."""
    accept(account, [])
    answer = redirect("/")
    throttle.recognise(answer, str(account.username))
    return answer


def _email_hint(person: Personne | None) -> str:
    known = person.email if person is not None else None
    if not known:
        return "Vous y recevrez de quoi choisir un autre mot de passe le jour où vous l’oubliez."
    name, _, domain = known.partition("@")
    return f"Votre établissement connaît déjà {name[:1]}•••@{domain}\u00a0: laissez vide pour la garder."


def register(appbuilder: Any) -> None:
    """Add the pages; none is in the menu."""
    for view in (PremiereView, OubliView, LienView):
        appbuilder.add_view_no_menu(view)
