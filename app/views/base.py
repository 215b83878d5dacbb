"""Base views: generated pages on our templates, rights by resource, one commit per act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import inspect
from werkzeug.wrappers import Response

from app.errors import ConflictError
from app.extensions import db
from app.views.acts import STALE, commit_act, run_act, show_refusal
from app.views.fields import make_form
from app.views.interface import DomainInterface
from app.views.reading import READ_ONLY, VERBS, ReadingView, Resourced
from app.views.rendering import shown

MAX_SELECTION = 100
VERSION_COLUMNS = ("version", "modifie_le")

__all__ = ["READ_ONLY", "DomainInterface", "PreauBaseView", "PreauModelView", "commit_act"]


def kept_values(form: Any, item: Any) -> dict[str, Any]:
    """Return field → what the base holds now, for the fields typed otherwise."""
    return {
        field.name: shown(getattr(item, field.name, None))
        for field in form.listed()
        if getattr(item, field.name, None) != field.data
    }


class PreauBaseView(Resourced, BaseView):
    """A page of our own; subclasses set ``resource`` and expose methods named in METHOD_VERBS."""

    method_permission_name = VERBS


class PreauModelView(ReadingView):
    """A generated page; subclasses set ``resource`` and ``datamodel``; rules live in operations.

    - ``apply_add``, ``apply_edit``, ``apply_delete``: call an operation, never commit;
    - ``delete_consequences``: what a deletion will do, line by line.
    """

    add_row_message = "Ajout enregistré."
    edit_row_message = "Modifications enregistrées."
    delete_row_message = "Suppression faite."
    add_verb = edit_verb = "Enregistrer"

    def _init_forms(self) -> None:
        if self.add_form is None:
            self.add_form = self._form("add", self.add_columns, self.add_form_extra_fields)
        if self.edit_form is None:
            self.edit_form = self._form("edit", self.edit_columns, self.edit_form_extra_fields)

    def _form(self, method: str, columns: Sequence[str], extra: Mapping[str, Any] | None) -> Any:
        unused = method in self.exclude_route_methods or (
            self.include_route_methods is not None and method not in self.include_route_methods
        )
        return None if unused else make_form(self, columns, extra or {})

    # -- what a subclass may override: call an operation, never commit

    def apply_add(self, item: Any) -> None:
        """Write a new row, filled from its form."""
        self.datamodel.add(item)

    def apply_edit(self, item: Any) -> None:
        """Write a changed row, filled from its form."""
        self.datamodel.edit(item)

    def apply_delete(self, item: Any) -> None:
        """Delete a row."""
        self.datamodel.delete(item)

    def write_add(self, form: Any) -> Any:
        """Make and write a row from a valid form; the whole act."""
        item = self.datamodel.obj()
        with db.session.no_autoflush:
            form.populate_obj(item)
        self.apply_add(item)
        return item

    def write_edit(self, item: Any, form: Any) -> None:
        """Change and write a row from a valid form; the whole act."""
        with db.session.no_autoflush:
            form.populate_obj(item)
        self.apply_edit(item)

    def delete_consequences(self, item: Any) -> Sequence[str]:
        """Return what the confirmation page announces."""
        return [f"« {item} » disparaît définitivement de Préau."]

    # -- writing

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> str | Response:
        """Show or post the form of a new row; a refused post keeps what was typed."""
        form = self.add_form()
        if request.method == "POST" and form.validate():
            item, refusal = run_act(lambda: self.write_add(form))
            if refusal is None:
                flash(str(self.add_row_message), "success")
                return redirect(self._after(item))
            show_refusal(refusal, form)
        return self._form_page(self.add_template, self.add_title, form)

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> str | Response | tuple[str, int]:
        """Show or post the form of a row; a refused or outdated post keeps what was typed."""
        item = self._item(pk, for_update=request.method == "POST")
        form = self.edit_form(obj=item)
        if request.method == "POST" and form.validate():
            if self._outdated(item):
                return self._conflict(item, form)
            _done, refusal = run_act(lambda: self.write_edit(item, form))
            if refusal is None:
                flash(str(self.edit_row_message), "success")
                return redirect(self._after(item))
            if isinstance(refusal, ConflictError):
                return self._conflict(self._item(pk), form)
            show_refusal(refusal, form)
            item = self._item(pk)
        return self._form_page(self.edit_template, self.edit_title, form, item)

    def _form_page(self, template: str, title: str, form: Any, item: Any = None, **more: Any) -> str:
        version = request.form.get("_version", self.version_of(item)) if item is not None else ""
        context = {"form": form, "item": item, "view": self, "version": version, **more}
        return self.render_template(template, title=title, **context)

    def version_of(self, item: Any) -> str:
        """Return what tells one state of a row from the next, empty when nothing does."""
        names = [name for name in VERSION_COLUMNS if name in inspect(self.datamodel.obj).columns]
        return str(getattr(item, names[0])) if names else ""

    def _outdated(self, item: Any) -> bool:
        seen = request.form.get("_version", "")
        return bool(seen) and seen != self.version_of(item)

    def _conflict(self, item: Any, form: Any) -> tuple[str, int]:
        """Answer 409: the typed values, and beside each what is now in the base."""
        kept = kept_values(form, item)
        form.form_errors = [STALE]
        page = self._form_page(
            self.edit_template, self.edit_title, form, item, kept=kept, version=self.version_of(item)
        )
        return page, 409

    def _after(self, item: Any) -> str:
        if self.can("show"):
            return url_for(f"{self.endpoint}.show", pk=self.datamodel.get_pk_value(item))
        return url_for(f"{self.endpoint}.list")

    @expose("/delete/<pk>", methods=["GET", "POST"])
    @has_access
    def delete(self, pk: str) -> str | Response:
        """Say what a deletion will do; only a post does it."""
        item = self._item(pk, for_update=request.method == "POST")
        if request.method == "POST":
            if commit_act(lambda: self.apply_delete(item), message=str(self.delete_row_message)):
                return redirect(url_for(f"{self.endpoint}.list"))
            return redirect(url_for(f"{self.endpoint}.delete", pk=pk))
        return self._confirmation(
            f"Supprimer « {self.item_title(item)} » ?", "Supprimer", self.delete_consequences(item), pk=pk
        )

    def _confirmation(self, title: str, verb: str, lines: Sequence[str], **more: Any) -> str:
        back = self.row_url(None, more["pk"]) if "pk" in more else ""
        return self.render_template(
            "appbuilder/general/confirm.html",
            title=title,
            verb=verb,
            lines=lines,
            view=self,
            back=back or url_for(f"{self.endpoint}.list"),
            **more,
        )

    @expose("/action/<string:name>/<pk>", methods=["GET", "POST"])
    @has_access
    def action(self, name: str, pk: str) -> Any:
        """Run an action on the row of a sheet."""
        return self._run_action(name, [pk], "single")

    @expose("/action_post", methods=["POST"])
    @has_access
    def action_post(self) -> Any:
        """Run an action on the rows ticked in a list."""
        pks = list(dict.fromkeys(request.form.getlist("rowid")))
        return self._run_action(request.form.get("action", ""), pks, "multiple")

    def _run_action(self, name: str, pks: Sequence[str], where: str) -> Any:
        chosen = self.actions.get(name)
        if chosen is None or not getattr(chosen, where):
            abort(404)
        if not pks or len(pks) > MAX_SELECTION:
            flash("Cochez entre 1 et 100 lignes, puis choisissez l’action.", "warning")
            return redirect(url_for(f"{self.endpoint}.list"))
        items = self.datamodel.get_many(pks)
        if len(items) != len(pks):
            abort(404)
        if request.method == "GET" or (chosen.confirmation and "confirme" not in request.form):
            count = len(items)
            lines = [str(chosen.confirmation), *[str(item) for item in items[:20]]]
            title = f"{chosen.text} : {count} {'ligne' if count == 1 else 'lignes'} ?"
            return self._confirmation(title, str(chosen.text), lines, rowids=pks, action_name=name)
        done, refusal = run_act(lambda: chosen.func(items))
        if refusal is not None:
            show_refusal(refusal)
        elif isinstance(done, str):
            flash(done, "success")
        elif done is not None:
            return done
        return redirect(url_for(f"{self.endpoint}.list"))
