"""Objects of an XML file one at a time, in constant memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from app.errors import UserError
from app.imports.detection import Detected

SAFE: dict[str, Any] = {
    "remove_blank_text": True,
    "remove_comments": True,
    "remove_pis": True,
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
}
"""Nothing outside the file is ever read: no DTD, no network, no entity, no inclusion."""

_AT_LINE = re.compile(r"line (\d+)")


def elements(found: Detected, tags: tuple[str, ...], *, nested: bool = False) -> Iterator[etree._Element]:
    """Yield the elements of some names as they end; each is gone once the next is asked.

    ``nested``: these names may also stand inside one another; only the outer ones are yielded.
    """
    stream = found.stream()
    try:
        for _event, element in etree.iterparse(stream, events=("end",), tag=tags, encoding="utf-8", **SAFE):
            if nested and next(element.iterancestors(*tags), None) is not None:
                continue
            yield element
            stream.met_object()
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise malformed(found.name, error) from error
    finally:
        stream.close()


def _forget(element: etree._Element) -> None:
    """Free an element and everything before it."""
    element.clear()
    parent = element.getparent()
    if parent is None:
        return
    while parent[0] is not element:
        del parent[0]


def malformed(name: str, error: etree.XMLSyntaxError) -> UserError:
    """Return the refusal of a truncated or ill-formed file, with its line."""
    line = error.lineno or 0
    if not line and (found := _AT_LINE.search(str(error))):
        line = int(found.group(1))
    where = f" à la ligne {line}" if line else ""
    return UserError(
        f"« {name} » est incomplet ou abîmé{where} : ce n’est pas du XML correct. Rien n’est pris en "
        "compte ; "
        "téléchargez de nouveau le fichier ou demandez un nouvel export."
    )
