"""Pages that read: rights by resource, lists, sheets, exports. Acts are added in ``base.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import Response, abort, jsonify, request, url_for
from flask_appbuilder import ModelView, expose
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import Select, inspect, select

from app.extensions import db
from app.security.permissions import METHOD_VERBS, Resource
from app.views import list_filters, lists
from app.views.fields import matching_rows
from app.views.interface import DomainInterface
from app.views.streams import csv_response

VERBS = {**METHOD_VERBS, "choix": "lire"}
READ_ONLY = {"list", "show", "export", "choix"}
"""What a page that nobody edits offers (``include_route_methods``)."""


class Resourced:
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


class ReadingView(Resourced, ModelView):
    """The half of ``PreauModelView`` that only reads.

    Beyond Flask-AppBuilder's attributes:

    - ``choices_columns``: coded column → {code: label}, for lists, filters and forms;
    - ``plain_relations``: relations to tables so small that a plain select holds them;
    - ``search_hint``: what the search box says it looks into;
    - ``empty_title``, ``empty_text``: what a list without any row says;
    - ``sheet``: what its own template shows of a row beyond the columns.
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

    def __init__(self, **kwargs: Any) -> None:
        acts = {name: "ecrire" for name in dir(type(self)) if hasattr(getattr(type(self), name), "_action")}
        self.method_permission_name = {**acts, **VERBS, **(self.method_permission_name or {})}
        super().__init__(**kwargs)

    # -- set-up, in place of Flask-AppBuilder's titles and order columns

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

    def _init_titles(self) -> None:
        self.list_title = self.list_title or str(self.resource)
        self.show_title = self.show_title or self.list_title
        self.add_title = self.add_title or "Ajouter"
        self.edit_title = self.edit_title or "Modifier"
        self.title = self.list_title

    # -- what a subclass may override

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

    def sheet(self, item: Any) -> Mapping[str, Any]:
        """Return what the page of a row shows beyond its columns, read before it is drawn."""
        return {}

    # -- reading

    def _item(self, pk: Any, *, for_update: bool = False) -> Any:
        item = self.datamodel.get(pk, self._base_filters, for_update=for_update)
        if item is None:
            abort(404)
        return item

    def _statement(self, filters: Filters | None = None) -> Select[Any]:
        statement = self.datamodel.narrow(select(self.datamodel.obj), self._base_filters)
        statement = self.datamodel.narrow(statement, filters)
        typed = list_filters.search_text()
        if filters is not None and typed and self.searchable():
            statement = statement.where(self.search_condition(typed))
        return statement

    def searchable(self) -> bool:
        """Tell whether the list has a search box."""
        return bool(self.text_columns) or type(self).search_condition is not ReadingView.search_condition

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
        filters = list_filters.request_filters(self._filters)
        page = self._page(self._statement(filters))
        page.facets = list_filters.facets_of(self, filters)
        page.chips = list_filters.chips_of(self, filters, page.facets)
        page.search = list_filters.search_text()
        return self.render_template(self.list_template, title=self.list_title, page=page, view=self)

    @expose("/export")
    @has_access
    def export(self) -> Response:
        """Send the rows the list shows, every page of them, for a spreadsheet."""
        statement = self._statement(list_filters.request_filters(self._filters))
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
        rows = matching_rows(model, list_filters.search_text())
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
            sheet=self.sheet(item),
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
