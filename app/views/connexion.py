"""Signing in and out, and one's own password."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, get_flashed_messages, make_response, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, PasswordField
from wtforms.validators import InputRequired

from app.errors import UserError
from app.extensions import db
from app.models import Compte
from app.operations import cles_api, comptes
from app.operations.saisies import Actor
from app.security import guichet, sessions, throttle
from app.security.acteur import current_account
from app.security.connexion import Issue, admin_login, check_own_password, sign_in
from app.security.passwords import hash_password
from app.security.permissions import Resource
from app.security.rebonds import safe_next
from app.security.regle_mot_de_passe import check_new_password
from app.views.acts import commit_act
from app.views.base import PreauBaseView
from app.views.second_facteur import step_url

FAITS = {
    "mot-de-passe": "Mot de passe choisi, sessions fermées. Connectez-vous avec le nouveau.",
    "scolarite": "Mot de passe scolarité choisi. Il sera demandé avant les services de vie scolaire.",
}
"""What the page may say it comes after; an address says nothing else."""
CLOSED = "Votre session est fermée. Connectez-vous de nouveau."


class ConnexionView(BaseView):
    """The sign-in page; Flask-AppBuilder sends strangers to its ``login`` method."""

    route_base = ""
    default_view = "login"

    @expose("/connexion", methods=["GET", "POST"])
    def login(self) -> BaseResponse:
        """Show the form, or check what was typed."""
        if request.method == "GET":
            return self._arrive()
        login, password = request.form.get("identifiant", ""), request.form.get("mdp", "")
        wanted = admin_login(login)
        if wanted is not None:
            return self._page(identifiant=login, admin=wanted)
        issue = sign_in(login, password, guichet.ldap_proves())
        if issue.compte is None:
            return self._refused(issue, login)
        suite = safe_next(request.values.get("next"))
        if issue.etape is not None:
            return redirect(step_url(issue.etape, suite))
        answer = redirect(suite or "/")
        throttle.recognise(answer, login)
        return answer

    @expose("/connexion/guichet", methods=["GET"])
    def guichet(self) -> BaseResponse:
        """Leave for the académie's own sign-in."""
        if not guichet.guichet_url():
            abort(404)
        leaving = guichet.depart()
        return self._unrecognised(leaving) if isinstance(leaving, Issue) else leaving

    @expose("/connexion/guichet/retour", methods=["GET", "POST"])
    def guichet_retour(self) -> BaseResponse:
        """Come back from it, recognised or not."""
        if not guichet.guichet_url():
            abort(404)
        suite = guichet.suite()
        issue = guichet.retour()
        return self._unrecognised(issue) if issue.compte is None else guichet.answered(redirect(suite))

    @expose("/connexion/guichet/metadonnees", methods=["GET"])
    def guichet_metadonnees(self) -> BaseResponse:
        """Show the académie's identity provider who we are (SAML)."""
        return guichet.metadata() or abort(404)

    @expose("/login/", methods=["GET"])
    def old_address(self) -> BaseResponse:
        """Lead the address Flask-AppBuilder is known by to ours."""
        return redirect(url_for("ConnexionView.login", next=safe_next(request.args.get("next"))))

    @expose("/deconnexion", methods=["GET", "POST"])
    def logout(self) -> BaseResponse | str:
        """Sign out; a link alone only asks for confirmation."""
        if request.method == "POST":
            sessions.forget()
            return redirect(url_for("ConnexionView.login"))
        if current_account() is None:
            return redirect(url_for("ConnexionView.login"))
        return self.render_template("connexion/deconnexion.html")

    def _arrive(self) -> BaseResponse:
        target = safe_next(request.args.get("next"))
        if current_account() is not None:
            return redirect(target or "/")
        if request.headers.get("HX-Request"):
            here = safe_next(request.headers.get("HX-Current-URL")) or "/"
            return Response(headers={"HX-Redirect": url_for("ConnexionView.login", next=here)})
        waiting = sessions.waiting()
        if waiting is not None:
            return redirect(step_url(waiting.etape, target))
        get_flashed_messages()  # a refusal said in passing has no place here
        return self._page(suite=target, fait=FAITS.get(request.args.get("fait", "")))

    def _refused(self, issue: Issue, login: str) -> BaseResponse:
        answer = self._page(identifiant=login, refus=issue.phrase)
        answer.status_code = issue.code
        if issue.attente:
            answer.headers["Retry-After"] = str(max(1, round(issue.attente.total_seconds())))
        return answer

    def _unrecognised(self, issue: Issue) -> BaseResponse:
        """Refuse without writing a cookie: the provider's post comes without ours, which must survive it."""
        page = self.render_template("connexion/guichet_refuse.html", refus=issue.phrase)
        return make_response(page, issue.code)

    def _page(self, **context: Any) -> Response:
        context.setdefault("suite", safe_next(request.values.get("next")))
        return make_response(self.render_template("connexion/connexion.html", **context))


class MotDePasseForm(FlaskForm):
    """The three fields of a password change."""

    actuel = PasswordField(
        "Mot de passe actuel",
        [InputRequired("Tapez votre mot de passe actuel.")],
        render_kw={"autocomplete": "current-password"},
    )
    nouveau = PasswordField(
        "Nouveau mot de passe",
        [InputRequired("Tapez le nouveau mot de passe.")],
        description="12 caractères au moins. Une phrase que vous retenez convient très bien.",
        render_kw={"autocomplete": "new-password"},
    )
    encore = PasswordField(
        "Nouveau mot de passe, une seconde fois",
        [InputRequired("Tapez-le une seconde fois.")],
        render_kw={"autocomplete": "new-password"},
    )
    garder_cles = BooleanField(
        "Garder en service les clés d’API que j’ai créées",
        description="À ne cocher que si personne d’autre n’a pu se servir de votre compte.",
    )


class MotDePasseView(PreauBaseView):
    """«Mon mot de passe»: the current one is asked, the other sessions end."""

    resource = Resource.MON_ESPACE
    route_base = "/mon-espace"
    default_view = "mot_de_passe"
    method_permission_name = {"mot_de_passe": "lire"}

    @expose("/mot-de-passe", methods=["GET", "POST"])
    @has_access
    def mot_de_passe(self) -> BaseResponse | str:
        """Show the form, or change the password."""
        form = MotDePasseForm()
        done = "Mot de passe changé. Vos autres sessions sont fermées."
        if form.validate_on_submit() and commit_act(lambda: self._change(form), message=done, form=form):
            return redirect(url_for("MotDePasseView.mot_de_passe"))
        me = current_account()
        return self.render_template(
            "connexion/mot_de_passe.html",
            title="Mon mot de passe",
            form=form,
            cles=len(cles_api.live_of(db.session(), me.id)) if me is not None else 0,
        )

    def _change(self, form: MotDePasseForm) -> None:
        me = current_account()
        if me is None:
            raise UserError(CLOSED)
        check_own_password(me, form.actuel.data or "")  # before the act's own transaction opens
        compte = db.session.get(Compte, me.id)
        if compte is None:
            raise UserError(CLOSED)
        if form.nouveau.data != form.encore.data:
            raise UserError("Les deux saisies diffèrent. Retapez le nouveau mot de passe.", field="encore")
        check_new_password(form.nouveau.data or "", compte)
        comptes.changer_mot_de_passe(
            db.session(),
            compte,
            hash_password(form.nouveau.data or ""),
            sauf_jeton=sessions.current_token(),
            garder_cles=bool(form.garder_cles.data),
            acteur=Actor(str(compte), compte.id),
        )


def register(appbuilder: Any) -> None:
    """Add the pages, and tell Flask-AppBuilder where strangers sign in."""
    appbuilder.sm.auth_view = appbuilder.add_view_no_menu(ConnexionView)
    appbuilder.add_view_no_menu(MotDePasseView)
