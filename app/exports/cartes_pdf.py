"""The drawing of the cards of first connection, 1, 2 or 8 on an A4 page, written as they are drawn (U14).

The QR code leads to the first-connection page and says nothing else: no login, no code (ATTACKS K5).
One card a page is a letter, its address where a window envelope shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from app.exports.cartes import Carte, Entete
from app.exports.pdf import BOLD, REGULAR, StreamedCanvas, fit, printable, width

INK, SECOND, LINE = (0.09, 0.12, 0.14), (0.36, 0.40, 0.43), (0.72, 0.76, 0.78)
QR = "qr"
QUIET = 2
WIDE, HIGH = A4
MORE_CHILDREN = "et {} autres enfants : voyez l’établissement"


def draw(output: BinaryIO, cartes: Iterable[Carte], entete: Entete, *, par_page: int) -> int:
    """Draw the cards into ``output`` and return how many pages they took."""
    canvas = StreamedCanvas(output, title=f"Première connexion – {entete.etablissement}")
    _prepare_qr(canvas, entete.adresse)
    place = {1: _letter, 2: _half, 8: _eighth}[par_page]
    pages = rank = 0
    for carte in cartes:
        if rank == 0 and par_page > 1:
            with canvas.artifact():
                _cut_lines(canvas, par_page)
        with canvas.section():
            place(canvas, carte, entete, rank)
        rank = (rank + 1) % par_page
        if rank == 0:
            canvas.showPage()
            pages += 1
    if rank or not pages:
        canvas.showPage()
        pages += 1
    canvas.save()
    return pages


def _prepare_qr(canvas: StreamedCanvas, address: str) -> None:
    """Draw the QR code once, one unit a side: pages only refer to it."""
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    side = 1 / (len(rows) + 2 * QUIET)
    canvas.beginForm(QR, 0, 0, 1, 1)
    for line, row in enumerate(rows):
        start = None
        for column, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                y = 1 - (line + 1 + QUIET) * side
                canvas.rect((start + QUIET) * side, y, (column - start) * side, side, stroke=0, fill=1)
                start = None
    canvas.endForm()


def _cut_lines(canvas: StreamedCanvas, par_page: int) -> None:
    canvas.saveState()
    canvas.setStrokeColorRGB(*LINE)
    canvas.setLineWidth(0.4)
    canvas.setDash(2, 3)
    rows = 2 if par_page == 2 else 4
    for rank in range(1, rows):
        canvas.line(0, HIGH * rank / rows, WIDE, HIGH * rank / rows)
    if par_page > 2:
        canvas.line(WIDE / 2, 0, WIDE / 2, HIGH)
    canvas.restoreState()


class _Pen:
    """Writing down from a corner: each line moves the pen."""

    def __init__(self, canvas: StreamedCanvas, x: float, y: float, room: float) -> None:
        self.canvas, self.x, self.y, self.room = canvas, x, y, room

    def line(
        self,
        text: str,
        size: float,
        *,
        font: str = REGULAR,
        ink: Sequence[float] = INK,
        smallest: float = 6.0,
        after: float = 0.0,
        room: float | None = None,
        tag: str = "P",
    ) -> None:
        """Write one line as an element of its own, made to fit, ``after`` points above the next."""
        with self.canvas.tagged(tag):
            self._write(text, size, font, ink, smallest, after, room)

    def _write(
        self,
        text: str,
        size: float,
        font: str = REGULAR,
        ink: Sequence[float] = INK,
        smallest: float = 6.0,
        after: float = 0.0,
        room: float | None = None,
    ) -> None:
        shown, used = fit(text, font, size, room or self.room, smallest=min(size, smallest))
        self.y -= size
        self.canvas.setFillColorRGB(*ink)
        self.canvas.setFont(font, used)
        self.canvas.drawString(self.x, self.y, shown)
        self.y -= size * 0.28 + after

    def pair(self, label: str, value: str, size: float, *, after: float = 0.0) -> None:
        """Write what a value is, small, and the value under it, whole: one types it."""
        with self.canvas.tagged():
            self._write(f"{label} ", min(size * 0.62, 9.5), ink=SECOND)
            self._write(value, size, BOLD, smallest=4.5, after=after)

    def paragraph(self, text: str, size: float, *, ink: Sequence[float] = INK, after: float = 0.0) -> None:
        """Write a text over as many lines as it needs."""
        line = ""
        with self.canvas.tagged():
            for word in printable(text).split():
                longer = f"{line} {word}".strip()
                if line and width(longer, REGULAR, size) > self.room:
                    self._write(f"{line} ", size, ink=ink)
                    line = word
                else:
                    line = longer
            self._write(line, size, ink=ink, after=after)


def _draw_qr(canvas: StreamedCanvas, entete: Entete, x: float, y: float, side: float) -> None:
    with canvas.tagged("Figure", alt=f"Code QR de l’adresse {entete.affichee}"):
        canvas.saveState()
        canvas.setFillColorRGB(0, 0, 0)
        canvas.translate(x, y)
        canvas.scale(side, side)
        canvas.doForm(QR)
        canvas.restoreState()


def _children(pen: _Pen, carte: Carte, size: float, most: int, *, room: float | None = None) -> None:
    shown = carte.enfants if len(carte.enfants) <= most else carte.enfants[: most - 1]
    for child in shown:
        said = f"code {child.code}" if child.code else "sans code"
        who = f"{child.nom} ({child.classe})" if child.classe else child.nom
        tail = f" : {said}"
        kept = (room or pen.room) - width(printable(tail), REGULAR, size)
        name, used = fit(who, REGULAR, size, kept, smallest=size)
        pen.line(f"{name}{tail}", used, room=room)
    left = len(carte.enfants) - len(shown)
    if left > 0:
        pen.line(MORE_CHILDREN.format(left), size, ink=SECOND, room=room)


def _eighth(canvas: StreamedCanvas, carte: Carte, entete: Entete, rank: int) -> None:
    cell_w, cell_h, margin, qr = WIDE / 2, HIGH / 4, 7 * mm, 19 * mm
    x, top = (rank % 2) * cell_w, HIGH - (rank // 2) * cell_h
    pen = _Pen(canvas, x + margin, top - margin, cell_w - 2 * margin)
    pen.line(entete.etablissement, 7, ink=SECOND, after=4)
    pen.line(carte.nom, 12.5, font=BOLD, smallest=8, tag="H1")
    pen.line(carte.detail or " ", 8, ink=SECOND, after=4)
    pen.pair("Identifiant", carte.login, 11.5, after=2.5)
    pen.room = cell_w - 2 * margin - qr - 2 * mm
    pen.pair("Code d’activation", carte.code, 13, after=2.5)
    _draw_qr(canvas, entete, x + cell_w - margin - qr + 2, top - cell_h + margin + 12, qr)
    if carte.rappel or carte.enfants:
        pen.line(carte.rappel or " ", 7, ink=SECOND)
        _children(pen, carte, 7, 4)
    foot = _Pen(canvas, x + margin, top - cell_h + margin + 8, cell_w - 2 * margin)
    foot.line(f"Première connexion : {entete.affichee}", 7, ink=SECOND)


def _half(canvas: StreamedCanvas, carte: Carte, entete: Entete, rank: int) -> None:
    margin, qr = 16 * mm, 34 * mm
    top = HIGH - rank * HIGH / 2
    pen = _Pen(canvas, margin, top - margin, WIDE - 2 * margin)
    pen.line(entete.etablissement, 10, ink=SECOND, after=8)
    pen.line(carte.nom, 20, font=BOLD, smallest=12, after=1, tag="H1")
    pen.line(carte.detail or " ", 11, ink=SECOND, after=12)
    pen.room = WIDE - 2 * margin - qr - 8 * mm
    pen.pair("Identifiant", carte.login, 16, after=6)
    pen.pair("Code d’activation", carte.code, 20, after=8)
    if carte.rappel or carte.enfants:
        pen.line(carte.rappel or " ", 10, ink=SECOND, after=2)
        _children(pen, carte, 10, 6)
        pen.y -= 6
    _draw_qr(canvas, entete, WIDE - margin - qr, top - 78 * mm - qr / 2 + 4 * mm, qr)
    _steps(_Pen(canvas, margin, top - HIGH / 2 + margin + 40, WIDE - 2 * margin), entete, 9.5)


def _letter(canvas: StreamedCanvas, carte: Carte, entete: Entete, _rank: int) -> None:
    margin, qr = 20 * mm, 38 * mm
    head = _Pen(canvas, margin, HIGH - margin, 80 * mm)
    head.paragraph(entete.etablissement, 11, ink=SECOND)
    window = _Pen(canvas, 110 * mm, HIGH - 50 * mm, 80 * mm)
    for text in (carte.nom, *carte.adresse):
        window.paragraph(text, 10.5, after=1)
    pen = _Pen(canvas, margin, HIGH - 100 * mm, WIDE - 2 * margin)
    pen.line("Votre première connexion", 16, font=BOLD, after=8, tag="H1")
    pen.line(carte.nom, 12, font=BOLD, smallest=9)
    pen.line(carte.detail or " ", 10.5, ink=SECOND, after=14)
    pen.room = WIDE - 2 * margin - qr - 10 * mm
    _draw_qr(canvas, entete, WIDE - margin - qr, pen.y - qr + 6 * mm, qr)
    pen.pair("Identifiant", carte.login, 17, after=8)
    pen.pair("Code d’activation", carte.code, 22, after=14)
    pen.room = WIDE - 2 * margin
    if carte.rappel or carte.enfants:
        pen.line("Ce qui vous sera demandé", 10.5, font=BOLD, after=2, tag="H2")
        pen.line(carte.rappel or " ", 10.5, after=2)
        _children(pen, carte, 10.5, 8)
        pen.y -= 12
    _steps(pen, entete, 10.5)


def _steps(pen: _Pen, entete: Entete, size: float) -> None:
    pen.paragraph(
        f"Ouvrez {entete.affichee} ou visez le carré avec un téléphone, tapez votre identifiant et ce code,"
        " puis choisissez votre mot de passe.",
        size,
        after=2,
    )
    pen.paragraph(
        "Ce code est personnel et ne sert qu’une fois."
        " Personne d’autre que vous ne connaît votre mot de passe.",
        size,
        ink=SECOND,
    )
