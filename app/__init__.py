"""Préau, the console of a school's digital services: the application factory."""

from __future__ import annotations

from typing import Any

from flask import Flask

from app import config as settings_module
from app.extensions import db, mail, migrate


def create_app(**overrides: Any) -> Flask:
    """Build the application from ``PREAU_*`` settings; ``overrides`` are settings by field name.

    :raises app.config.ReglageInvalideError: outside demo mode, on an unsafe or missing setting.
    """
    from app import cli, database, jobs, logs, models, security, views  # noqa: F401  (loaded for their effect)

    settings = settings_module.load(**overrides)
    app = Flask(__name__)
    app.config.from_mapping(settings_module.flask_config(settings))
    app.extensions["reglages"] = settings
    database.configure(app)
    db.init_app(app)
    mail.init_app(app)
    migrate.init_app(app, db, directory=str(settings_module.ROOT / "migrations"))
    logs.init_app(app)
    security.init_app(app)
    with app.app_context():
        views.register(app)
    cli.register(app)
    return app
