"""Second factor: asked when signing in, installed there or in «Mon espace», reset by somebody above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, abort, flash, make_response, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import InputRequired

from app.errors import RuleViolationError, UserError
from app.extensions import db
from app.models import Compte
from app.operations import seconds_facteurs, sessions
from app.operations.seconds_facteurs import Etat
from app.operations.sessions import MotifFin
from app.security import second_facteur, throttle
from app.security.acteur import current_account, outranks, second_factor_required
from app.security.permissions import Resource
from app.security.rebonds import safe_next
from app.security.sessions import current_token, waiting
from app.security.transactions import own_reading, own_transaction
from app.views.actors import actor, deployment
from app.views.acts import commit_act, run_act, show_refusal
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView

FICHIER = "preau-codes-de-secours.txt"


class CodeForm(FlaskForm):
    """One code."""

    code = StringField(
        "Code à six chiffres",
        [InputRequired("Tapez le code que l’application affiche.")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"},
    )


class CodeOuSecoursForm(FlaskForm):
    """One code, or a recovery code."""

    code = StringField(
        "Code de l’application, ou code de secours",
        [InputRequired("Tapez le code que l’application affiche, ou un code de secours.")],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"},
    )


class SecondFacteurConnexionView(BaseView):
    """The step after the password; the session opens nothing before it."""

    route_base = "/connexion/second-facteur"
    default_view = "code"

    @expose("/", methods=["GET", "POST"])
    def code(self) -> BaseResponse:
        """Ask for a code and check it."""
        row = waiting()
        if row is None or row.etape != sessions.CODE:
            return _elsewhere(row)
        form = CodeOuSecoursForm()
        answer_code, headers = 200, {}
        if form.validate_on_submit():
            issue = second_facteur.prove(row, form.code.data or "", deployment())
            if issue.compte is not None:
                return _entered(issue.compte)
            answer_code = issue.code
            if issue.attente:
                headers["Retry-After"] = str(max(1, round(issue.attente.total_seconds())))
            form.code.errors = [issue.phrase]
        form.code.data = ""
        page = self.render_template("connexion/second_facteur.html", form=form, suite=_next())
        return make_response(page, answer_code, headers)

    @expose("/installer", methods=["GET", "POST"])
    def installer(self) -> BaseResponse:
        """Install the one a role asks for; nothing else opens meanwhile."""
        row = waiting()
        if row is None or row.etape != sessions.INSTALLATION:
            return _elsewhere(row)
        form = CodeForm()
        if form.validate_on_submit():
            try:
                issue, codes = second_facteur.install(row, form.code.data or "", deployment())
            except UserError as error:
                show_refusal(error, form)
            else:
                if issue.compte is None:
                    return redirect(url_for("ConnexionView.login"))
                page = self.render_template(
                    "connexion/codes_de_secours.html", codes=codes, suite=_next() or "/"
                )
                answer = make_response(page)
                throttle.recognise(answer, str(issue.compte.username))
                return answer
        with own_reading() as own:
            facts = _installation(seconds_facteurs.etat_of(own, row.compte_id), row.compte)
        form.code.data = ""
        page = self.render_template(
            "connexion/installer_second_facteur.html", form=form, suite=_next(), **facts
        )
        return make_response(page)

    @expose("/abandonner", methods=["POST"])
    def abandonner(self) -> BaseResponse:
        """Give up: the waiting session ends."""
        token = current_token()
        if waiting() is not None and token:
            with own_transaction() as own:
                sessions.end(own, token, MotifFin.DECONNEXION)
        return redirect(url_for("ConnexionView.login"))


class SecondFacteurView(PreauBaseView):
    """«Mon espace»: one's own second factor."""

    resource = Resource.MON_ESPACE
    route_base = "/mon-espace/second-facteur"
    default_view = "voir"
    method_permission_name = {
        "voir": "lire",
        "installer": "lire",
        "codes": "lire",
        "retirer": "lire",
        "fichier": "lire",
    }

    @expose("/", methods=["GET", "POST"])
    @has_access
    def voir(self) -> BaseResponse | str:
        """Say what there is; POST starts the installation."""
        me = _me()
        if request.method == "POST" and commit_act(
            lambda: seconds_facteurs.preparer(db.session(), _mine(), deployment())
        ):
            return redirect(url_for(".installer"))
        return self._page(me, CodeForm(formdata=None), CodeForm(formdata=None))

    @expose("/installer", methods=["GET", "POST"])
    @has_access
    def installer(self) -> BaseResponse | str:
        """Show the QR code until a first code proves it was read."""
        me, form = _me(), CodeForm()
        etat = seconds_facteurs.etat_of(db.session(), me.id)
        if etat.facteur is None or etat.pose:
            return redirect(url_for(".voir"))
        if form.validate_on_submit():
            typed = form.code.data or ""
            token = current_token()
            codes, refusal = run_act(
                lambda: seconds_facteurs.confirmer(
                    db.session(), _mine(), typed, deployment(), sauf_jeton=token
                )
            )
            if refusal is None:
                return self._codes(codes)
            show_refusal(refusal, form)
        form.code.data = ""
        facts = _installation(seconds_facteurs.etat_of(db.session(), me.id), me)
        return self.render_template(
            "mon_espace/installer_second_facteur.html",
            title="Installer le second facteur",
            form=form,
            **facts,
        )

    @expose("/codes", methods=["POST"])
    @has_access
    def codes(self) -> BaseResponse | str:
        """Draw ten other recovery codes, against a code."""
        form = CodeForm()
        if form.validate_on_submit():
            typed = form.code.data or ""
            codes, refusal = _tried(
                lambda: seconds_facteurs.renouveler_codes(db.session(), _mine(), typed, deployment())
            )
            if refusal is None:
                return self._codes(codes)
            show_refusal(refusal, form)
        return self._page(_me(), form, CodeForm(formdata=None))

    @expose("/retirer", methods=["POST"])
    @has_access
    def retirer(self) -> BaseResponse | str:
        """Take it away, against a code; a role that asks for it keeps it."""
        form, me = CodeForm(), _me()
        required = second_factor_required(me)
        if form.validate_on_submit():
            typed = form.code.data or ""
            _done, refusal = _tried(
                lambda: seconds_facteurs.retirer(
                    db.session(), _mine(), typed, deployment(), obligatoire=required
                )
            )
            if refusal is None:
                flash("Second facteur retiré. Votre mot de passe suffit de nouveau.", "success")
                return redirect(url_for(".voir"))
            show_refusal(refusal, form)
        return self._page(me, CodeForm(formdata=None), form)

    @expose("/codes.txt", methods=["POST"])
    @has_access
    def fichier(self) -> Response:
        """Give back as a file the codes of the page at hand, if they are one's own and unused."""
        codes = request.form.getlist("secours")[: seconds_facteurs.CODES]
        if not seconds_facteurs.are_codes_of(db.session(), _mine(), codes, deployment()):
            abort(404)
        name = str(_me().username)
        text = "\r\n".join([f"Codes de secours de {name}. Chacun sert une fois.", "", *codes, ""])
        answer = Response(text, mimetype="text/plain; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="{FICHIER}"'
        return answer

    def _page(self, me: Compte, renew: CodeForm, remove: CodeForm) -> str:
        renew.code.id, remove.code.id = "code-renouveler", "code-retirer"
        renew.code.data = remove.code.data = ""
        return str(
            self.render_template(
                "mon_espace/second_facteur.html",
                title="Second facteur",
                etat=seconds_facteurs.etat_of(db.session(), me.id),
                obligatoire=second_factor_required(me),
                renew=renew,
                remove=remove,
            )
        )

    def _codes(self, codes: list[str]) -> str:
        return str(
            self.render_template("mon_espace/codes_de_secours.html", title="Codes de secours", codes=codes)
        )


class ReinitialiserView(PreauBaseView):
    """For who lost both telephone and recovery codes: an administrator above takes the second factor away."""

    resource = Resource.COMPTE
    route_base = "/referentiel/comptes"
    default_view = "reinitialiser"

    @expose("/<int:pk>/second-facteur/reinitialiser", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def reinitialiser(self, pk: int) -> BaseResponse | str:
        """Ask, then do it: the holder is told by mail, their sessions end."""
        compte = db.session.scalars(select(Compte).where(Compte.id == checked_pk(pk))).first() or abort(404)
        back = url_for("CompteView.show", pk=pk)
        if request.method == "POST" and commit_act(
            lambda: _reset(compte),
            message=f"Second facteur de {compte} réinitialisé, ses sessions sont fermées.",
        ):
            return redirect(back)
        return self.render_template(
            "comptes/reinitialiser.html",
            title="Réinitialiser le second facteur",
            compte=compte,
            etat=seconds_facteurs.etat_of(db.session(), compte.id),
            back=back,
        )


def _reset(compte: Compte) -> None:
    if not outranks(compte.id):
        raise RuleViolationError(
            "Ce compte a des droits que vous n’avez pas. Adressez-vous à un administrateur qui les a."
        )
    seconds_facteurs.reinitialiser(db.session(), compte, actor(), deployment())


def _tried(act: Callable[[], Any]) -> tuple[Any, UserError | None]:
    """Run an act that asks for a code, each try counted before it is looked at."""
    me = _me().id
    db.session.rollback()  # counting takes a transaction of its own: SQLite has one writer
    try:
        second_facteur.count_try(me)
    except UserError as error:
        return None, error
    result, refusal = run_act(act)
    if refusal is None:
        second_facteur.forget_tries(me)
    return result, refusal


def _installation(etat: Etat, compte: Compte) -> dict[str, Any]:
    """Return what the page of installation shows: the QR code, and the secret to type by hand."""
    if etat.facteur is None or etat.pose:
        abort(404)  # the secret of a second factor in use is shown to nobody
    import segno

    here = deployment()
    drawn = segno.make(seconds_facteurs.address_of(etat.facteur, compte, here), error="m")
    svg = drawn.svg_inline(omitsize=True, border=4, light="#fff", dark="#000", svgclass=None, lineclass=None)
    secret = seconds_facteurs.secret_of(etat.facteur, here)
    return {
        "qr": Markup(svg),  # noqa: S704  (drawn by segno: a path, nothing of what anybody typed)
        "secret": " ".join(secret[rank : rank + 4] for rank in range(0, len(secret), 4)),
    }


def _next() -> str | None:
    return safe_next(request.values.get("next"))


def _elsewhere(row: Any) -> BaseResponse:
    """Lead to the step the session waits for, or to the sign-in page."""
    if row is None:
        return redirect(url_for("ConnexionView.login", next=_next()))
    return redirect(step_url(row.etape, _next()))


def step_url(etape: str | None, suite: str | None) -> str:
    """Return the page of a step of signing in."""
    page = "installer" if etape == sessions.INSTALLATION else "code"
    return url_for(f"SecondFacteurConnexionView.{page}", next=suite)


def _entered(compte: Compte) -> BaseResponse:
    answer = redirect(_next() or "/")
    throttle.recognise(answer, str(compte.username))
    return answer


def _me() -> Compte:
    return current_account() or abort(401)


def _mine() -> Compte:
    """Return one's own account in the session of the act."""
    return db.session.get(Compte, _me().id) or abort(401)


def register(appbuilder: Any) -> None:
    """Add the pages; none is in the menu."""
    for view in (SecondFacteurConnexionView, SecondFacteurView, ReinitialiserView):
        appbuilder.add_view_no_menu(view)
