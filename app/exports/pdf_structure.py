"""The logical structure of a PDF: what a screen reader reads, in which order (ISO 32000-1, 14.7 and 14.8).

reportlab draws and knows no structure. Each thing drawn is marked in its page with a number, and an element
(«H1», «P», «Figure»…) refers to that mark; what only decorates is an artifact. Elements are written as
soon as their page is: only their numbers stay, so memory does not depend on how many there are.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Protocol


class Document(Protocol):
    """What the structure asks of the document it is written into."""

    def reserve(self) -> int:
        """Return the number of an object to be written later."""

    def write_reserved(self, number: int, body: str) -> None:
        """Write the object of that number."""


@dataclass(slots=True)
class Element:
    """One element; ``marks`` are its pieces on the page being drawn, ``children`` its elements' numbers."""

    number: int
    role: str
    parent: int
    alt: str = ""
    marks: list[int] = field(default_factory=list)
    children: array[int] = field(default_factory=lambda: array("L"))

    def body(self, page: int) -> str:
        """Return the object: a leaf of page ``page``, or a container of elements when it has children."""
        kids = " ".join([f"{child} 0 R" for child in self.children] + [str(mark) for mark in self.marks])
        alt = f" /Alt {text_string(self.alt)}" if self.alt else ""
        on_page = f" /Pg {page} 0 R" if self.marks else ""
        return f"<< /Type /StructElem /S /{self.role} /P {self.parent} 0 R{on_page}{alt} /K [{kids}] >>"


class Structure:
    """The tree of a document, from its root «Document» down."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.root = document.reserve()
        self._open = [Element(document.reserve(), "Document", self.root)]
        self._leaves: list[Element] = []
        self._marked: list[int] = []
        self._pages = array("L")

    def open(self, role: str, alt: str = "") -> Element:
        """Begin an element inside the one that is open."""
        parent = self._open[-1]
        element = Element(self._document.reserve(), role, parent.number, alt)
        parent.children.append(element.number)
        self._open.append(element)
        return element

    def close(self) -> None:
        """End the element begun last; with marks of this page it waits for the page's number."""
        element = self._open.pop()
        if element.marks:
            self._leaves.append(element)
        else:
            self._document.write_reserved(element.number, element.body(0))

    def mark(self, element: Element) -> int:
        """Return the number of the next piece drawn on this page, which belongs to ``element``."""
        self._marked.append(element.number)
        element.marks.append(len(self._marked) - 1)
        return element.marks[-1]

    def end_page(self, page: int) -> int:
        """Write the elements of the page of object number ``page``; return its key in the parent tree."""
        for leaf in self._leaves:
            self._document.write_reserved(leaf.number, leaf.body(page))
        owners = self._document.reserve()
        self._document.write_reserved(owners, "[" + " ".join(f"{n} 0 R" for n in self._marked) + "]")
        self._pages.append(owners)
        self._leaves, self._marked = [], []
        return len(self._pages) - 1

    def end(self) -> None:
        """Write the root and the tree that leads from a mark back to its element."""
        top = self._open.pop()
        self._document.write_reserved(top.number, top.body(0))
        tree = self._document.reserve()
        numbers = " ".join(f"{key} {owners} 0 R" for key, owners in enumerate(self._pages))
        self._document.write_reserved(tree, f"<< /Nums [{numbers}] >>")
        self._document.write_reserved(
            self.root,
            f"<< /Type /StructTreeRoot /K [{top.number} 0 R]"
            f" /ParentTree {tree} 0 R /ParentTreeNextKey {len(self._pages)} >>",
        )


def text_string(text: str) -> str:
    """Return a text as a PDF string, in UTF-16 (ISO 32000-1, 7.9.2.2)."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"
