"""PDF written as it is drawn: each finished page goes to the disk and is forgotten (X3).

reportlab keeps every page until ``save``; ten thousand of them would be held at once. Here a page and
its drawing are formatted and written when the page is closed, so memory does not depend on their number.
Text is set in DejaVu Sans, embedded as the subset a document uses; a letter it lacks is written plainer.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

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


class _Document(pdfdoc.PDFDocument):
    """reportlab's document, writing each page when it is added."""

    def __init__(self, output: BinaryIO, **options: Any) -> None:
        super().__init__(**options)
        self._output = output
        self._offset = 0
        self._write(pdfdoc.PDFFile(self._pdfVersion).format(self))

    def _write(self, data: bytes) -> int:
        self._output.write(data)
        at, self._offset = self._offset, self._offset + len(data)
        return at

    def _write_object(self, name: str) -> None:
        content = pdfdoc.PDFIndirectObject(name, self.idToObject[name]).format(self)
        self.idToOffset[name] = self._write(content)
        self.idToObject[name] = None

    def addPage(self, page: Any) -> None:  # noqa: N802
        """Write the page and its drawing; only references stay."""
        name, first = self.thisPageName(), self.objectcounter
        super().addPage(page)
        self.Pages.pages[-1] = pdfdoc.PDFObjectReference(name)
        self._write_object(name)
        for number in range(first + 1, self.objectcounter + 1):
            inner = self.numberToId[number]
            if isinstance(self.idToObject[inner], pdfdoc.PDFStream):
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
        root, info = self.Reference(self.Catalog), self.Reference(self.info)
        number = 0
        while (number := number + 1) in self.numberToId:  # formatting one may add others
            name = self.numberToId[number]
            if name not in self.idToOffset:
                self._write_object(name)
        table = pdfdoc.PDFCrossReferenceTable()
        table.addsection(0, [self.numberToId[rank] for rank in range(1, number)])
        start = self._write(table.format(self))
        trailer = pdfdoc.PDFTrailer(startxref=start, Size=number, Root=root, Info=info, ID=self.ID())
        self._write(trailer.format(self))


class StreamedCanvas(Canvas):
    """A canvas of A4 pages in French whose pages leave for ``output`` one by one."""

    def __init__(self, output: BinaryIO, *, title: str) -> None:
        load_fonts()
        super().__init__(None, pagesize=A4, pageCompression=1, initialFontName=REGULAR, lang="fr-FR")
        self._doc = _Document(output, compression=1, lang="fr-FR")
        self.setTitle(title)
        self.setAuthor("Préau")
        self.setCreator("Préau")
        self.setViewerPreference("DisplayDocTitle", "true")
