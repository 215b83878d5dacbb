"""Extension singletons; the only place that names Flask-AppBuilder's model base.

The naming convention is set before any table class is imported, so Flask-AppBuilder's
own ``ab_*`` tables follow it too and Alembic sees one metadata for everything.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_appbuilder import Model
from flask_appbuilder.models.sqla.base import SQLA
from flask_mail import Mail
from flask_migrate import Migrate
from sqlalchemy import Dialect, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import DateTime, TypeDecorator

Model.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Typed base of our tables, on Flask-AppBuilder's registry and metadata."""

    registry = Model.registry
    metadata = Model.metadata


class Instant(TypeDecorator[datetime]):
    """An instant in UTC; aware in Python whatever the engine keeps.

    :raises ValueError: when given a naive datetime, which nobody can place in time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("Instant expects an aware datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def SearchKey(length: int) -> String:  # noqa: N802  (a type, as Instant is)
    """A key names are searched by: compared byte by byte on both engines, so a prefix uses the index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


PARIS = ZoneInfo("Europe/Paris")
"""Where days begin and end for those who read us."""


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)


def session_options() -> dict[str, Any]:
    """Keep loaded rows readable after commit: a page is drawn after its act is committed."""
    return {"expire_on_commit": False}


db = SQLA(metadata=Model.metadata, session_options=session_options())
mail = Mail()
migrate = Migrate(render_as_batch=True, compare_type=True)

__all__ = ["PARIS", "Base", "Instant", "Model", "SearchKey", "db", "mail", "migrate", "now"]
