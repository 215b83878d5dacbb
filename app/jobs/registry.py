"""Which function does the tasks of a type."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from app.jobs.context import Contexte

Handler = Callable[[Contexte], Mapping[str, Any] | None]
_handlers: dict[str, Handler] = {}


def handler(type_: str) -> Callable[[Handler], Handler]:
    """Register the function as the one that does the tasks of this type.

    It may be started again from ``context.cursor`` after any kill: each step it commits (through
    ``context.progress``) must leave the cursor where the next run goes on.
    """

    def register(function: Handler) -> Handler:
        if _handlers.setdefault(type_, function) is not function:
            raise ValueError(f"two handlers for {type_}")
        return function

    return register


def load_handlers() -> Mapping[str, Handler]:
    """Import every module of ``app.jobs`` and return the handlers they registered."""
    package = importlib.import_module("app.jobs")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"app.jobs.{module.name}")
    return _handlers


def find_handler(type_: str) -> Handler | None:
    """Return the handler of this type, if any."""
    return _handlers.get(type_) or load_handlers().get(type_)
