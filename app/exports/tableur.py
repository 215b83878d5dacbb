"""Rows as a CSV a spreadsheet opens: «;», UTF-8 with its mark, no cell it would compute (ATTACKS X5)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

MARK = "\ufeff"
TAG = re.compile(r"<[^>]*>")
COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> str:
    """Return the text of one cell, quoted away from formulas, without markup."""
    text = str(value if value is not None else "")
    if hasattr(value, "__html__"):
        text = value.striptags() if hasattr(value, "striptags") else TAG.sub("", text)
    text = text.replace("\x00", "")
    return f"'{text}" if text.startswith(COMPUTED) else text


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the file line by line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write(MARK)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
