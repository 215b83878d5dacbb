"""Arguments of addresses and forms, read so that nothing hostile reaches a query.

What cannot be understood counts as absent; numbers stay within what both engines store.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from flask import abort, current_app, request, url_for
from werkzeug.datastructures import MultiDict

BIGGEST_ID = 2**31 - 1
LONGEST_TEXT = 80
CURSORS = ("apres", "avant")


def text_arg(name: str, source: MultiDict[str, str] | None = None) -> str:
    """Return a text argument in NFC, without control characters, cut to a sane length."""
    raw = (request.args if source is None else source).get(name, "")[: LONGEST_TEXT * 4]
    composed = unicodedata.normalize("NFC", raw)
    return "".join(char for char in composed if unicodedata.category(char) not in {"Cc", "Cs"})[:LONGEST_TEXT]


def choice_arg(name: str, allowed: Any, default: str = "") -> str:
    """Return the argument when it is one of ``allowed``, the default otherwise."""
    value = request.args.get(name, "")
    return value if value in allowed else default


def id_arg(name: str) -> int | None:
    """Return a row id, None when absent or not one."""
    return as_id(request.args.get(name, ""))


def as_id(raw: str) -> int | None:
    """Return ``raw`` as a row id, None when it is not one."""
    if not raw.isascii() or not raw.isdigit() or len(raw) > 10:
        return None
    value = int(raw)
    return value if 0 < value <= BIGGEST_ID else None


def ids_arg(name: str, source: MultiDict[str, str] | None = None, *, limit: int = 5000) -> list[int]:
    """Return the row ids given under one name, in order, each once."""
    raw = (request.args if source is None else source).getlist(name)[:limit]
    return list(dict.fromkeys(value for item in raw if (value := as_id(item)) is not None))


def checked_pk(pk: int) -> int:
    """Return the id of an address; one no engine can store is a page that does not exist."""
    if not 0 < pk <= BIGGEST_ID:
        abort(404)
    return pk


def address_of(endpoint: str, **values: Any) -> Callable[[int], str]:
    """Return what gives the address of each row of a list: the page of one is worked out, not of all."""
    model = url_for(endpoint, pk=BIGGEST_ID, **values)
    before, _, after = model.partition(f"/{BIGGEST_ID}")
    return lambda pk: f"{before}/{pk}{after}"


def lasting(make: Callable[[], str], *key: Any) -> str:
    """Return an address no request changes, worked out once for each place Préau is served from."""
    known: dict[Any, str] = current_app.extensions.setdefault("adresses", {})
    full = (request.script_root, *key)
    if full not in known:
        known[full] = make()
    return known[full]


def here(**changes: Any) -> dict[str, Any]:
    """Return the arguments of this address with ``changes``, for links that keep the filters.

    The page reached starts from its beginning; an empty value removes its argument.
    """
    arguments: dict[str, Any] = {name: values for name, values in request.args.lists() if name not in CURSORS}
    arguments.update(changes)
    return {name: value for name, value in arguments.items() if value not in (None, "", [""])}
