"""URL rules compiled once per process: every test builds the application, whose rules are the same.

Writing the code that builds an address is two thirds of ``create_app()``. That code is a function of
the rule alone, as long as the rule has no default value, so the next application may have it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Key = tuple[str, tuple[tuple[bool, str], ...], bool]


def compile_once() -> None:
    """Have Werkzeug remember the builders of the rules it has seen."""
    compile_builder: Callable[..., Any] = Rule._compile_builder
    known: dict[Key, Any] = {}

    def remembered(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign]
