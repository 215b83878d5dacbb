"""Forms made from tables: native inputs, French refusals, long choices fetched as one types."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import current_app, request, url_for
from flask_appbuilder.forms import DynamicForm
from flask_wtf import FlaskForm
from sqlalchemy import ColumnElement, String, func, inspect, or_, select
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    Field,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation
from wtforms.widgets import html_params

from app.extensions import PARIS
from app.queries.noms import search_key
from app.views.filters import column_kind, key_column
from app.views.interface import DomainInterface

REQUIRED = "Renseignez ce champ."
LONG_TEXT = 255
CHOICES_SHOWN = 20
SEARCHED = ("nom", "libelle", "uai", "code", "login")
CODES = ("uai", "code", "login")
INT4 = 2**31 - 1


def clean(text: str | None) -> str | None:
    """Return what was typed, trimmed and in one Unicode form."""
    return unicodedata.normalize("NFC", text).strip() if text else text


def writable_text(_form: Any, field: Field) -> None:
    """Refuse characters no screen shows and no database keeps."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\r\n\t" for char in field.data or ""):
        raise StopValidation("Ce texte contient un caractère illisible. Saisissez-le de nouveau.")


def chosen(_form: Any, field: Field) -> None:
    """Ask for a row, picked in the list or named by its code."""
    if field.data is None:
        raise StopValidation(REQUIRED if not field.errors else "")


chosen.field_flags = {"required": True}  # type: ignore[attr-defined]


def stop_unread(_form: Any, field: Field) -> None:
    """Say once that a value cannot be read."""
    if field.process_errors:
        raise StopValidation


class NumberField(IntegerField):
    """A whole number, refused in French."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError("Saisissez un nombre entier.") from error


class DayField(DateField):
    """A date, refused in French."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError("Saisissez une date, par exemple 21/11/2026.") from error


class InstantField(DateTimeLocalField):
    """An instant typed and read in Paris time, kept in UTC."""

    data: datetime | None

    def process_data(self, value: datetime | None) -> None:
        super().process_data(value.astimezone(PARIS).replace(tzinfo=None) if value else None)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError("Saisissez une date et une heure.") from error
        if self.data is not None:
            self.data = self.data.replace(tzinfo=PARIS).astimezone(UTC)


class RemoteWidget:
    """A select that holds the chosen row alone; the browser fetches others as one types.

    Without script, a code (UAI, code, login) is typed beside it.
    """

    def __call__(self, field: RemoteSelectField, **attributes: Any) -> str:
        from markupsafe import Markup

        attributes.setdefault("id", field.id)
        attributes["class"] = "form-select"
        if field.remote_url:
            attributes["data-distant"] = field.remote_url
        chosen = field.data
        options = Markup('<option value="">Aucun choix</option>')
        if chosen is not None:
            options += Markup('<option value="{}" selected>{}</option>').format(
                field.interface.get_pk_value(chosen), chosen
            )
        fallback = Markup(
            '<noscript><input class="form-control mt-1" name="{0}-code" value="{1}"'
            ' aria-label="{2} : code" placeholder="Code"></noscript>'
        ).format(field.name, field.typed_code, field.label.text)
        return Markup("<select {}>{}</select>{}").format(
            Markup(html_params(name=field.name, **attributes)),  # noqa: S704  (escapes values)
            options,
            fallback,
        )


class RemoteSelectField(Field):
    """One row of another table, of the actor's perimeter only."""

    widget = RemoteWidget()

    def __init__(self, label: str, model: type[Any], relation: str, **kwargs: Any) -> None:
        self.interface = DomainInterface(model)
        self.relation = relation
        self.typed_code = ""
        super().__init__(label, **kwargs)

    @property
    def remote_url(self) -> str:
        endpoint = f"{request.blueprint}.choix"
        known = endpoint in current_app.view_functions
        return url_for(endpoint, relation=self.relation) if known else ""

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        self.typed_code = (formdata.get(f"{self.name}-code") or "").strip() if formdata else ""
        super().process(formdata, *args, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if not valuelist and not self.typed_code:
            return
        raw = (valuelist[0] if valuelist else "").strip()
        self.data = None
        if self.typed_code:
            self.data = row_by_code(self.interface, self.typed_code)
        elif raw:
            self.data = self.interface.get(raw)
        if self.data is None and (raw or self.typed_code):
            raise ValueError("Ce choix n’existe pas. Choisissez dans la liste.")


class PlainSelectField(RemoteSelectField):
    """The same for a small reference table: every row is in the select."""

    def widget(self, field: Any, **attributes: Any) -> str:  # type: ignore[override]
        from markupsafe import Markup

        attributes.setdefault("id", self.id)
        attributes["class"] = "form-select"
        options = Markup("").join(
            Markup('<option value="{}"{}>{}</option>').format(
                value, Markup(" selected") if selected else "", label
            )
            for value, label, selected in self.iter_choices()
        )
        params = Markup(html_params(name=self.name, **attributes))  # noqa: S704  (escapes values)
        return Markup("<select {}>{}</select>").format(params, options)

    def iter_choices(self) -> Any:
        yield "", "Aucun choix", self.data is None
        model = self.interface.obj
        rows = self.interface.session.scalars(select(model).limit(200))
        for row in sorted(rows, key=str):
            yield str(row.id), str(row), self.data is not None and row.id == self.data.id


def row_by_code(interface: DomainInterface, typed: str) -> Any:
    """Return the row of a code typed by hand, or None."""
    columns = [getattr(interface.obj, name) for name in CODES if hasattr(interface.obj, name)]
    if not columns or "\x00" in typed:
        return None
    same = [func.lower(column) == typed.lower() for column in columns]
    return interface.session.scalars(select(interface.obj).where(or_(*same)).limit(1)).first()


def matching_rows(model: type[Any], typed: str) -> Sequence[Any]:
    """Return the first rows of the perimeter whose name or code starts with what was typed."""
    interface, mapped = DomainInterface(model), inspect(model).columns
    searched = [name for name in SEARCHED if name in mapped]
    statement = select(model)
    if typed.strip():
        clauses = [_matches(model, name, typed.strip()) for name in searched]
        statement = statement.where(or_(*clauses))
    ordered = interface.ordered(statement, searched[0] if searched else "", descending=False)
    return interface.session.scalars(ordered.limit(CHOICES_SHOWN)).all()


def _matches(model: type[Any], name: str, typed: str) -> ColumnElement[bool]:
    key = key_column(model, name)
    if key is None:
        return getattr(model, name).istartswith(typed, autoescape=True)
    words = search_key(typed)
    start = key.startswith(words, autoescape=True)
    inside = key.contains(f" {words}", autoescape=True)
    return start if "date_naissance" in inspect(model).columns else or_(start, inside)


class PreauForm(DynamicForm):
    """A generated form; ``version`` is what the row was when the form was drawn."""

    def listed(self) -> list[Field]:
        """Return the fields a person fills."""
        return [field for field in self if field.type not in {"CSRFTokenField", "HiddenField"}]


def make_form(view: Any, columns: Sequence[str], extra: Mapping[str, Any]) -> type[FlaskForm]:
    """Build the form class of a view from its table, once."""
    fields = {name: extra[name] if name in extra else _field(view, name) for name in columns}
    return type("GeneratedForm", (PreauForm,), fields)


def _field(view: Any, name: str) -> Any:
    mapper = inspect(view.datamodel.obj)
    label = str(view.label_columns.get(name, name))
    checks = list((view.validators_columns or {}).get(name, []))
    options = {"description": str((view.description_columns or {}).get(name, ""))}
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        if relation.direction.name != "MANYTOONE":
            raise ValueError(f"{type(view).__name__}.{name}: only many-to-one relations make a field")
        required = not any(column.nullable for column in relation.local_columns)
        cls = PlainSelectField if name in view.plain_relations else RemoteSelectField
        validators = [*checks, chosen] if required else checks
        return cls(label, relation.mapper.class_, name, validators=validators, **options)
    return _column_field(view, mapper.columns[name], name, label, checks, options)


def _column_field(
    view: Any, column: Any, name: str, label: str, checks: list[Any], options: dict[str, Any]
) -> Any:
    kind = column_kind(column)
    if kind == "boolean":
        return BooleanField(label, validators=checks, default=_default(column), **options)
    required = not column.nullable and _default(column) is None
    presence: Any = InputRequired(REQUIRED) if required else Optional()
    common: dict[str, Any] = {"validators": [presence, *checks], "default": _default(column), **options}
    if name in view.choices_columns:
        choices = list(view.choices_columns[name].items())
        blank = [("", "Aucun choix")] if column.nullable else []
        offered = [SelectChoice(value, text) for value, text in blank + choices]
        return SelectField(label, choices=offered, coerce=_blank_to_none, **common)
    if kind == "text":
        return _text_field(column, label, common)
    if kind == "number":
        common["validators"].append(stop_unread)
        common["validators"].append(NumberRange(-INT4, INT4, "Ce nombre est trop grand."))
    makers: dict[str, Callable[..., Any]] = {"number": NumberField, "day": DayField, "instant": InstantField}
    return makers.get(kind, DecimalField)(label, **common)


def _text_field(column: Any, label: str, common: dict[str, Any]) -> Any:
    longest = column.type.length if isinstance(column.type, String) else None
    validators = [*common.pop("validators"), writable_text]
    if longest:
        validators.append(Length(max=longest, message=f"{longest} caractères au plus."))
    filters: list[Callable[[Any], Any]] = [clean]
    if column.nullable:
        filters.append(_blank_to_none)
    cls = StringField if longest and longest <= LONG_TEXT else TextAreaField
    return cls(label, validators=validators, filters=filters, **common)


def _default(column: Any) -> Any:
    return column.default.arg if column.default is not None and column.default.is_scalar else None


def _blank_to_none(value: Any) -> Any:
    return value or None
