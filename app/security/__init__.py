"""Who may do what (permissions, roles), on which rows (perimetres), and how they log in."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Install the security base on the application."""
