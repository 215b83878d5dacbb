"""Applications lent to tests: built once per process, given back as they were born.

A new application compiles every page and every statement again: that was most of what a test cost.
What a test sets (configuration, settings, what the application remembers) is put back for it; what it
adds (a route, a hook) cannot be, so the test must ask for an application of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import event

from app import create_app
from app.extensions import db
from app.jobs import queue

HOOKS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
)
EXPLAIN = (
    "Ce test change l’application que les autres empruntent ({}) : "
    "demandez-en une à lui avec @pytest.mark.application."
)


def build(settings: dict[str, Any], views: Sequence[type] = ()) -> Flask:
    """Build an application for tests, with views of theirs."""
    app = create_app(**settings)
    app.config.update(TESTING=True)
    with app.app_context():
        for view in views:
            app.extensions["appbuilder"].add_view_no_menu(view)
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _no_wait_for_the_disk)
    return app


def _no_wait_for_the_disk(dbapi_connection: Any, _record: Any) -> None:
    """A test does not outlive a power cut."""
    dbapi_connection.execute("PRAGMA synchronous=OFF")


def close(app: Flask) -> None:
    """Close the connections of an application to its database."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _shape(app: Flask) -> dict[str, Any]:
    """Return what no setting changes: two equal shapes are two equal applications."""
    appbuilder = app.extensions["appbuilder"]
    shape: dict[str, Any] = {
        name: {scope: tuple(map(id, found)) for scope, found in getattr(app, name).items() if found}
        for name in HOOKS
    }
    shape |= {
        "teardown_appcontext_funcs": tuple(map(id, app.teardown_appcontext_funcs)),
        "error_handler_spec": {
            (scope, code): tuple(found)
            for scope, codes in app.error_handler_spec.items()
            for code, found in codes.items()
            if found
        },
        "url_map": len(app.url_map._rules),
        "view_functions": {name: id(view) for name, view in app.view_functions.items()},
        "blueprints": tuple(app.blueprints),
        "baseviews": tuple(map(id, appbuilder.baseviews)),
        "session_interface": id(app.session_interface),
        "jinja_env.globals": {name: id(value) for name, value in app.jinja_env.globals.items()},
        "jinja_env.filters": {name: id(value) for name, value in app.jinja_env.filters.items()},
    }
    with app.app_context():
        dispatch = db.engine.dispatch
    shape["engine"] = {name: len(tuple(getattr(dispatch, name))) for name in dispatch._event_names}
    return shape


@dataclass
class _Kept:
    """An application and how it was born."""

    app: Flask
    config: dict[str, Any]
    settings: dict[str, Any]
    extensions: dict[str, Any]
    shape: dict[str, Any]

    @classmethod
    def born(cls, app: Flask) -> _Kept:
        settings = dict(vars(app.extensions["reglages"]))
        return cls(app, dict(app.config), settings, dict(app.extensions), _shape(app))

    def restore(self) -> None:
        """Put back the configuration and the settings, and forget what was remembered meanwhile."""
        if huey := self.app.extensions.get(queue.EXTENSION):
            huey[0].storage.close()
        self.app.extensions.clear()
        self.app.extensions.update(self.extensions)
        vars(self.app.extensions["reglages"]).update(self.settings)
        self.app.config.clear()
        self.app.config.update(self.config)

    def changed(self) -> list[str]:
        """Return what was added to the application or taken from it."""
        found = _shape(self.app)
        return [name for name, before in self.shape.items() if found[name] != before]


class Lender:
    """The applications of this process, one for each set of settings and of added views."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], _Kept] = {}

    @contextmanager
    def lend(
        self, settings: dict[str, Any], views: Sequence[type] = (), *, connected: bool = False
    ) -> Iterator[Flask]:
        """Lend the application of these settings; ``connected`` leaves its connections open for the next."""
        key = (tuple(sorted((name, str(value)) for name, value in settings.items())), tuple(views))
        kept = self._kept.get(key) or _Kept.born(build(settings, views))
        self._kept[key] = kept
        try:
            yield kept.app
        finally:
            kept.restore()
            with kept.app.app_context():
                db.session.remove()
                if not connected:
                    db.engine.dispose()
        if changed := kept.changed():
            del self._kept[key]
            close(kept.app)
            raise AssertionError(EXPLAIN.format(", ".join(changed)))

    def close(self) -> None:
        """Close what is still open, at the end."""
        for kept in self._kept.values():
            close(kept.app)
