"""Base views: one commit per act, the French console templates, rights by resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask import flash
from flask_appbuilder import BaseView, ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.errors import UserError
from app.extensions import db
from app.security.permissions import METHOD_VERBS, Resource


class DomainInterface(SQLAInterface):
    """Flask-AppBuilder's interface without its commit: the view owns the transaction."""

    def add(self, item: Any, commit: bool = True) -> None:
        self.session.add(item)
        self.session.flush()

    def edit(self, item: Any, commit: bool = True) -> None:
        self.session.flush()

    def delete(self, item: Any, commit: bool = True) -> None:
        self.session.delete(item)
        self.session.flush()


def commit_act(act: Callable[[], Any], *, message: str = "", form: Any = None) -> bool:
    """Run one act and commit it; a refusal is shown, on its field when it names one.

    :returns: whether the act was committed.
    """
    try:
        act()
        db.session.commit()
    except UserError as error:
        db.session.rollback()
        field = getattr(form, error.field, None) if form is not None and error.field else None
        if field is None:
            flash(error.message, "danger")
        else:
            field.errors = [*field.errors, error.message]
        return False
    except Exception:
        db.session.rollback()
        raise
    if message:
        flash(message, "success")
    return True


class PreauBaseView(BaseView):
    """A page of our own; subclasses set ``resource`` and expose methods named in METHOD_VERBS."""

    resource: ClassVar[Resource]
    method_permission_name = METHOD_VERBS

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "resource" in cls.__dict__:
            cls.class_permission_name = str(cls.resource)


class PreauModelView(ModelView):
    """A generated page; subclasses set ``resource`` and ``datamodel``; rules live in operations."""

    resource: ClassVar[Resource]
    method_permission_name = METHOD_VERBS
    exclude_route_methods = {"download"}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "resource" in cls.__dict__:
            cls.class_permission_name = str(cls.resource)
