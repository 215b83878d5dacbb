"""Files sent as they are read: the answer outlives the request, its perimeter must too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, stream_with_context

from app.database import set_read_only
from app.exports.tableur import csv_lines
from app.extensions import db
from app.security.perimetres import KEY, set_perimetre


def csv_response(filename: str, rows: Iterable[Iterable[Any]]) -> Response:
    """Send rows as a CSV file, within the perimeter of the request that asked for it."""
    return streamed(filename, "text/csv", csv_lines(rows))


def streamed(filename: str, mimetype: str, texts: Iterable[str]) -> Response:
    """Send texts as a file while they are read.

    The session of the request is closed before the first one leaves; they are read in a new one,
    which must be told the perimeter again.
    """
    held = db.session().info[KEY]

    def lines() -> Iterator[str]:
        set_read_only(True)
        set_perimetre(db.session(), held)
        try:
            yield from texts
        finally:
            set_read_only(False)

    answer = Response(stream_with_context(lines()), mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
