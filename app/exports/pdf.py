"""PDF written as it is drawn: each finished page goes to the disk and is forgotten (X3).

reportlab keeps every page until ``save``; ten thousand of them would be held at once. Here a page and
its drawing are formatted and written when the page is closed, so memory does not depend on their number.
Text is set in DejaVu Sans, embedded as the subset a document uses; a letter it lacks is written plainer.
What is drawn is tagged: a screen reader hears titles, paragraphs and pictures in their order.
"""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from app.exports.pdf_structure import Structure

FONTS = Path(__file__).parent / "polices"
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
_loading = Lock()


def load_fonts() -> None:
    """Register the two faces, once for the process."""
    with _loading:
        for name in (REGULAR, BOLD):
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, FONTS / f"{name}.ttf"))


@lru_cache(maxsize=65536)
def printable(text: str) -> str:
    """Return a text with glyphs for all its letters: NFC, then base letters, then «?»."""
    known = pdfmetrics.getFont(REGULAR).face.charToGlyph
    found = []
    for char in unicodedata.normalize("NFC", text):
        if ord(char) in known and unicodedata.category(char) not in {"Cf", "Cc", "Cs"}:
            found.append(char)
        elif unicodedata.category(char)[0] != "C":
            base = unicodedata.normalize("NFKD", char)[:1]
            found.append(base if ord(base) in known else "?")
    return "".join(found)


def width(text: str, font: str, size: float) -> float:
    """Return how wide a text is drawn."""
    return float(pdfmetrics.stringWidth(text, font, size))


def fit(text: str, font: str, size: float, room: float, *, smallest: float) -> tuple[str, float]:
    """Return a text that fits and the size it fits at: smaller first, then cut with «…»."""
    text = printable(text)
    natural = width(text, font, size)
    if natural <= room:
        return text, size
    size = max(smallest, size * room / natural * 0.999)
    if width(text, font, size) <= room:
        return text, size
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle].rstrip() + "…", font, size) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" -,") + "…", size


class _Page(pdfdoc.PDFPage):
    """A page that says where its marks are in the structure."""

    __NoDefault__ = (*pdfdoc.PDFPage.__NoDefault__, "StructParents", "Tabs")


class _Document(pdfdoc.PDFDocument):
    """reportlab's document, writing each page when it is added."""

    def __init__(self, output: BinaryIO, **options: Any) -> None:
        super().__init__(**options)
        self._output = output
        self._offset = 0
        self._offsets = array("Q", [0])
        self._write(pdfdoc.PDFFile(self._pdfVersion).format(self))
        self.structure = Structure(self)

    def _write(self, data: bytes) -> int:
        self._output.write(data)
        at, self._offset = self._offset, self._offset + len(data)
        return at

    def _number(self, name: str) -> int:
        return int(self.idToObjectNumberAndVersion[name][0])

    def _written(self, number: int, at: int) -> None:
        missing = number + 1 - len(self._offsets)
        if missing > 0:
            self._offsets.extend([0] * missing)
        self._offsets[number] = at

    def _write_object(self, name: str) -> None:
        content = pdfdoc.PDFIndirectObject(name, self.idToObject[name]).format(self)
        self._written(self._number(name), self._write(content))
        self.idToObject[name] = None

    def reserve(self) -> int:
        """Return the number of an object written by ``write_reserved``."""
        self.objectcounter += 1
        return int(self.objectcounter)

    def write_reserved(self, number: int, body: str) -> None:
        """Write an object given as PDF, ASCII only."""
        self._written(number, self._write(f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")))

    def addPage(self, page: Any) -> None:  # noqa: N802
        """Write the page, its drawing and its elements; only references stay."""
        name, first = self.thisPageName(), self.objectcounter
        super().addPage(page)
        page.__class__ = _Page
        page.StructParents = self.structure.end_page(self._number(name))
        page.Tabs = pdfdoc.PDFName("S")
        self.Pages.pages[-1] = pdfdoc.PDFObjectReference(name)
        self._write_object(name)
        for number in range(first + 1, self.objectcounter + 1):
            inner = self.numberToId.get(number)
            if inner is not None and isinstance(self.idToObject[inner], pdfdoc.PDFStream):
                self._write_object(inner)

    def SaveToFile(self, _filename: Any, canvas: Any) -> None:  # noqa: N802
        """Write what pages refer to (fonts, forms), then the table of objects."""
        for font in self.delayedFonts:
            font.addObjects(self)
        self.info.invariant = self.invariant
        self.info.digest(self.signature)
        self.Outlines.prepare(self, canvas)
        if self.Outlines.ready < 0:
            self.Catalog.Outlines = None
        self.structure.end()
        self.Catalog.MarkInfo = pdfdoc.PDFDictionary({"Marked": pdfdoc.PDFtrue})
        self.Catalog.StructTreeRoot = f"{self.structure.root} 0 R"
        root, info = self.Reference(self.Catalog), self.Reference(self.info)
        number = 0
        while (number := number + 1) <= self.objectcounter:  # formatting one may add others
            name = self.numberToId.get(number)
            if name is not None and self.idToObject[name] is not None:
                self._write_object(name)
        self._offsets.extend([0] * (number - len(self._offsets)))
        start = self._write(b"xref\n0 %d\n" % number)
        for at in self._offsets:
            self._write(b"%010d 00000 n \n" % at if at else b"0000000000 65535 f \n")
        trailer = pdfdoc.PDFTrailer(startxref=start, Size=number, Root=root, Info=info, ID=self.ID())
        self._write(trailer.format(self))


class StreamedCanvas(Canvas):
    """A canvas of A4 pages in French whose pages leave for ``output`` one by one, tagged.

    What is drawn stands inside ``tagged`` (it is read) or ``artifact`` (it decorates); ``section`` groups.
    ``options`` are those Platypus gives its canvas, which this one settles itself.
    """

    def __init__(self, output: BinaryIO, *, title: str = "", **_options: Any) -> None:
        load_fonts()
        super().__init__(None, pagesize=A4, pageCompression=1, initialFontName=REGULAR, lang="fr-FR")
        self._doc = _Document(output, compression=1, lang="fr-FR")
        self.setTitle(title)
        self.setAuthor("Préau")
        self.setCreator("Préau")
        self.setViewerPreference("DisplayDocTitle", "true")

    @contextmanager
    def section(self, role: str = "Sect") -> Iterator[None]:
        """Group the elements drawn inside."""
        self._doc.structure.open(role)
        try:
            yield
        finally:
            self._doc.structure.close()

    @contextmanager
    def tagged(self, role: str = "P", *, alt: str = "") -> Iterator[None]:
        """Say what is drawn inside: «H1», «P», «Figure» with its alternative text."""
        structure = self._doc.structure
        element = structure.open(role, alt)
        self._code.append(f"/{role} <</MCID {structure.mark(element)}>> BDC")
        try:
            yield
        finally:
            self._code.append("EMC")
            structure.close()

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Say that what is drawn inside is not to be read."""
        self._code.append("/Artifact BMC")
        try:
            yield
        finally:
            self._code.append("EMC")


class TaggedParagraph(Paragraph):
    """Platypus's paragraph on a tagged canvas; its style's ``tag`` says what it is, «P» unless said."""

    def draw(self) -> None:
        """Draw what is on this page, as one element."""
        with self.canv.tagged(getattr(self.style, "tag", "P")):
            super().draw()
