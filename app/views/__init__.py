"""The menu, in display order; the only place that registers views."""

from flask import Flask
from flask_appbuilder import AppBuilder

from app.extensions import db
from app.views import sante


def register(app: Flask) -> None:
    """Build Flask-AppBuilder on the application and add every view."""
    AppBuilder(app, db.session)
    app.register_blueprint(sante.blueprint)
