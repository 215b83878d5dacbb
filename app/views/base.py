"""Base views: generated pages on our templates, rights by resource, one commit per act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import Response, abort, flash, jsonify, redirect, request, url_for
from flask_appbuilder import BaseView, ModelView, expose
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import Select, inspect, select
from werkzeug.wrappers import Response as BaseResponse

from app.errors import ConflictError
from app.extensions import db
from app.security.permissions import METHOD_VERBS, Resource
from app.views import lists
from app.views.acts import STALE, commit_act, run_act, show_refusal
from app.views.fields import make_form, matching_rows
from app.views.interface import DomainInterface
from app.views.rendering import shown
from app.views.streams import csv_response

VERBS = {**METHOD_VERBS, "choix": "lire"}
MAX_SELECTION = 100
VERSION_COLUMNS = ("version", "modifie_le")

__all__ = ["DomainInterface", "PreauBaseView", "PreauModelView", "commit_act"]


class _Resourced:
    """A view that says what it is about: rights are (verb, resource) pairs."""

    resource: ClassVar[Resource]
    class_permission_name: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "resource" in cls.__dict__:
            cls.class_permission_name = str(cls.resource)

    def can(self, method: str) -> bool:
        """Tell whether this person may open a page of this view, and the view has it."""
        view: Any = self
        routed = method not in view.exclude_route_methods and (
            view.include_route_methods is None or method in view.include_route_methods
        )
        verb = view.method_permission_name.get(method, "ecrire")
        return routed and bool(view.appbuilder.sm.has_access(f"can_{verb}", view.class_permission_name))

    def update_redirect(self) -> None:
        """Keep no history of pages in the session: two tabs would mix theirs."""


class PreauBaseView(_Resourced, BaseView):
    """A page of our own; subclasses set ``resource`` and expose methods named in METHOD_VERBS."""

    method_permission_name = VERBS


class PreauModelView(_Resourced, ModelView):
    """A generated page; subclasses set ``resource`` and ``datamodel``; rules live in operations.

    Beyond Flask-AppBuilder's attributes:

    - ``choices_columns``: coded column → {code: label}, for lists, filters and forms;
    - ``plain_relations``: relations to tables so small that a plain select holds them;
    - ``search_hint``: what the search box says it looks into;
    - ``empty_title``, ``empty_text``: what a list without any row says;
    - ``apply_add``, ``apply_edit``, ``apply_delete``: call an operation, never commit;
    - ``delete_consequences``: what a deletion will do, line by line.
    """

    datamodel: DomainInterface
    method_permission_name: dict[str, str] | None = None
    order_columns: Any = None
    search_columns: Any = None
    add_form: Any = None
    edit_form: Any = None
    list_title: Any = ""
    show_title: Any = ""
    add_title: Any = ""
    edit_title: Any = ""
    choices_columns: Mapping[str, Mapping[str, str]] = {}
    plain_relations: frozenset[str] = frozenset({"academie"})
    search_hint = ""
    empty_title = "Aucune ligne"
    empty_text = "Rien n’est enregistré ici pour le moment."
    page_size = lists.PAGE_SIZES[0]
    exclude_route_methods = {"download"}
    list_template = "appbuilder/general/model/list.html"
    show_template = "appbuilder/general/model/show.html"
    add_template = "appbuilder/general/model/form.html"
    edit_template = "appbuilder/general/model/form.html"
    add_row_message = "Ajout enregistré."
    edit_row_message = "Modifications enregistrées."
    delete_row_message = "Suppression faite."

    def __init__(self, **kwargs: Any) -> None:
        acts = {name: "ecrire" for name in dir(type(self)) if hasattr(getattr(type(self), name), "_action")}
        self.method_permission_name = {**acts, **VERBS, **(self.method_permission_name or {})}
        super().__init__(**kwargs)

    # -- set-up, in place of Flask-AppBuilder's forms, titles and order columns

    def _init_properties(self) -> None:
        mapped = inspect(self.datamodel.obj).columns
        self.order_columns = self.order_columns or [
            name for name in self.list_columns or () if name in mapped
        ]
        self.search_columns = self.search_columns or []
        searchable = list(self.search_columns)
        super()._init_properties()
        self.search_columns = searchable
        self._filters = self.datamodel.get_filters(searchable)
        self.text_columns = lists.text_columns(self.datamodel.obj, searchable)

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

    def _init_titles(self) -> None:
        self.list_title = self.list_title or str(self.resource)
        self.show_title = self.show_title or self.list_title
        self.add_title = self.add_title or "Ajouter"
        self.edit_title = self.edit_title or "Modifier"
        self.title = self.list_title

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

    def search_condition(self, typed: str) -> Any:
        """Return the condition the search box stands for."""
        return lists.search_clause(self.datamodel.obj, self.text_columns, typed)

    def loads(self) -> Sequence[Any]:
        """Return the eager loads of the list."""
        return self.datamodel.loads(self.list_columns)

    def row_url(self, item: Any, pk: Any) -> str:
        """Return where a line of the list leads."""
        for method in ("show", "edit"):
            if self.can(method):
                return url_for(f"{self.endpoint}.{method}", pk=pk)
        return ""

    def item_title(self, item: Any) -> str:
        """Return the heading of a row's pages."""
        return str(item)

    # -- reading

    def _item(self, pk: Any, *, for_update: bool = False) -> Any:
        item = self.datamodel.get(pk, self._base_filters, for_update=for_update)
        if item is None:
            abort(404)
        return item

    def _statement(self, filters: Filters | None = None) -> Select[Any]:
        statement = self.datamodel.narrow(select(self.datamodel.obj), self._base_filters)
        statement = self.datamodel.narrow(statement, filters)
        typed = lists.search_text()
        if filters is not None and typed and self.searchable():
            statement = statement.where(self.search_condition(typed))
        return statement

    def searchable(self) -> bool:
        """Tell whether the list has a search box."""
        return bool(self.text_columns) or type(self).search_condition is not PreauModelView.search_condition

    def _page(self, statement: Select[Any], columns: Sequence[str] | None = None) -> lists.ListPage:
        name = type(self).__name__
        args = lists.read_args(name, self.order_columns, self.base_order, self.page_size)
        count = self.datamodel.count(statement)
        args = args.within(count)
        rows = lists.page_rows(self, statement, args) if count else []
        return lists.ListPage(name, lists.columns_of(self, args), rows, count, args, nouns=self.nouns())

    def nouns(self) -> tuple[str, str]:
        """Return what the rows are called, one and many, when the title is that word."""
        many = str(self.list_title).lower()
        return (many[:-1], many) if many.isalpha() and many.endswith("s") else ("ligne", "lignes")

    @expose("/list/")
    @has_access
    def list(self) -> str:
        """Show one page of the rows this person may see."""
        filters = lists.request_filters(self._filters)
        page = self._page(self._statement(filters))
        page.controls = lists.controls_of(self, filters)
        page.chips = lists.chips_of(self, filters, page.controls)
        page.search = lists.search_text()
        return self.render_template(self.list_template, title=self.list_title, page=page, view=self)

    @expose("/export")
    @has_access
    def export(self) -> Response:
        """Send the rows the list shows, every page of them, for a spreadsheet."""
        statement = self._statement(lists.request_filters(self._filters))
        args = lists.read_args(type(self).__name__, self.order_columns, self.base_order, self.page_size)
        return csv_response(
            f"{self.endpoint.lower()}.csv", lists.export_rows(self, db.session(), statement, args)
        )

    @expose("/choix/<relation>")
    @has_access
    def choix(self, relation: str) -> Response:
        """Answer the rows a long select may offer for what is typed, within the perimeter."""
        offered = {*self.search_columns, *(self.add_columns or ()), *(self.edit_columns or ())}
        if relation not in offered or relation not in inspect(self.datamodel.obj).relationships:
            abort(404)
        model = self.datamodel.get_related_model(relation)
        rows = matching_rows(model, lists.search_text())
        return jsonify([{"value": str(row.id), "text": str(row)} for row in rows])

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> str:
        """Show one row, and one list of what hangs on it."""
        item = self._item(pk)
        tabs = self._tabs(item, pk)
        return self.render_template(
            self.show_template,
            title=self.item_title(item),
            item=item,
            pk=pk,
            view=self,
            sections=self._sections(item),
            tabs=tabs,
            actions=self._actions("single"),
        )

    def _sections(self, item: Any) -> Sequence[tuple[str, Sequence[tuple[str, Any]]]]:
        fieldsets = self.show_fieldsets or [("Fiche", {"fields": self.show_columns})]
        return [
            (
                str(heading or "Fiche"),
                [
                    (str(self.label_columns.get(name, name)), lists.cell(self, item, name))
                    for name in group["fields"]
                ],
            )
            for heading, group in fieldsets
        ]

    def _tabs(self, item: Any, pk: str) -> Sequence[dict[str, Any]]:
        """Return the lists of related rows this person may open; only the chosen one is read."""
        views = [view for view in self._related_views if view.can("list")]
        names = [type(view).__name__ for view in views]
        chosen = request.args.get("onglet", names[0] if names else "")
        tabs = []
        for view, name in zip(views, names, strict=True):
            url = url_for(f"{self.endpoint}.show", pk=pk, onglet=name)
            page = view.related_page(self.datamodel.obj, item) if name == chosen else None
            tabs.append({"label": view.list_title, "url": url, "page": page, "view": view})
        return tabs

    def related_page(self, model: type[Any], item: Any) -> lists.ListPage:
        """Return the page of this view's rows that hang on a row of another."""
        relation = self.datamodel.get_related_fk(model)
        local = next(iter(inspect(self.datamodel.obj).relationships[relation].local_columns))
        return self._page(self._statement().where(local == item.id))

    def list_actions(self) -> Sequence[Any]:
        """Return the actions offered on ticked lines."""
        return self._actions("multiple")

    def _actions(self, where: str) -> Sequence[Any]:
        return [one for one in self.actions.values() if getattr(one, where)] if self.can("action") else []

    # -- writing

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> str | BaseResponse:
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
    def edit(self, pk: str) -> str | BaseResponse | tuple[str, int]:
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
        kept = {
            field.name: shown(getattr(item, field.name, None))
            for field in form.listed()
            if getattr(item, field.name, None) != field.data
        }
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
    def delete(self, pk: str) -> str | BaseResponse:
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
