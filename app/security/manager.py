"""Flask-AppBuilder's security manager, reduced to hooks: its own tables and pages are not used."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_appbuilder import AppBuilder
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_login import LoginManager, current_user

from app.models import Compte
from app.security.acteur import allowed, current_account, current_perimetre, rights_of, use_perimetre_for
from app.security.sessions import load_account

__all__ = [
    "PreauAppBuilder",
    "PreauSecurityManager",
    "allowed",
    "current_account",
    "current_perimetre",
    "use_perimetre_for",
]


class PreauAppBuilder(AppBuilder):
    """Flask-AppBuilder without the pages it adds by itself, except its index and «back»."""

    def _add_admin_views(self) -> None:
        from flask_appbuilder.views import UtilView

        self._indexview = self.add_view_no_menu(self.indexview)
        self.add_view_no_menu(UtilView)


class PreauSecurityManager(SecurityManager):
    """Rights come from ``roles.py`` and the account's ``Attribution`` rows, read once per request."""

    user_model = Compte

    def create_login_manager(self, app: Flask) -> LoginManager:
        """Let nothing but an open session on the server tell who somebody is."""
        manager = LoginManager(app)
        manager.session_protection = None
        manager.user_loader(lambda _key: None)
        manager.request_loader(load_account)
        return manager

    def create_limiter(self, app: Flask) -> Any:
        """No limiter: the throttle counts in the database, shared by every process."""
        from flask_limiter import Limiter
        from flask_limiter.util import get_remote_address

        limiter = Limiter(key_func=get_remote_address, enabled=False, storage_uri="memory://")
        limiter.init_app(app)
        return limiter

    def register_views(self) -> None:
        """Register none of the stock pages; the views package adds ours."""

    def has_access(self, permission_name: str, view_name: str) -> bool:
        return self._has_view_access(current_user, permission_name, view_name)

    def _has_view_access(self, user: Any, permission_name: str, view_name: str) -> bool:
        return bool(user.is_authenticated) and allowed(permission_name, view_name)

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing is public by right: public pages carry no ``has_access``."""
        return False

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        return self._get_user_permission_view_menus(current_user, "menu_access", menu_names or [])

    def _get_user_permission_view_menus(
        self, user: Any, permission_name: str, view_menus_name: list[str]
    ) -> set[str]:
        return {name for name in view_menus_name if self._has_view_access(user, permission_name, name)}

    def get_user_roles(self, user: Any) -> list[Any]:
        """Our roles are not rows of Flask-AppBuilder's tables."""
        return []

    def get_user_permissions(self, user: Any) -> set[tuple[str, str]]:
        return {(str(verb), str(resource)) for verb, resource in rights_of(current_account())}

    def get_user_roles_permissions(self, user: Any) -> dict[str, list[tuple[str, str]]]:
        return {}

    def get_public_permissions(self) -> list[Any]:
        return []

    def load_user(self, pk: int) -> None:
        """No number ever opens a session."""

    def load_user_jwt(self, _jwt_header: Any, jwt_data: Any) -> None:
        """No token of Flask-JWT-Extended opens one either."""

    def auth_user_db(self, username: str, password: str) -> None:
        """Logging in goes through ``app.security.connexion`` only."""

    @staticmethod
    def before_request() -> None:
        g.user = current_user
