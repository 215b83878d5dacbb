"""The register of processing as a document: one block for each, on A4 pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, SimpleDocTemplate, Spacer

from app.exports.pdf import BOLD, REGULAR, StreamedCanvas, TaggedParagraph, load_fonts
from app.extensions import now

TITLE = "Registre des traitements"


def write_register(output: BinaryIO, rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Write the document; the first field of each row is its title."""
    load_fonts()
    big = ParagraphStyle("titre", fontName=BOLD, fontSize=16, leading=20, tag="H1")
    head = ParagraphStyle("traitement", fontName=BOLD, fontSize=11, leading=15, spaceBefore=6 * mm, tag="H2")
    text = ParagraphStyle("champ", fontName=REGULAR, fontSize=9, leading=12.5, spaceBefore=1.5 * mm)
    story = [
        TaggedParagraph(TITLE, big),
        TaggedParagraph(f"Établi le {now():%d/%m/%Y}", text),
        Spacer(1, 2 * mm),
    ]
    for row in rows:
        block = [TaggedParagraph(escape(row[0][1]), head)]
        block += [
            TaggedParagraph(f'<font name="{BOLD}">{label}.</font> {escape(value)}', text)
            for label, value in row[1:]
            if value
        ]
        story.append(KeepTogether(block))
    margins = {"leftMargin": 20 * mm, "rightMargin": 20 * mm, "topMargin": 18 * mm, "bottomMargin": 18 * mm}
    document = SimpleDocTemplate(output, pagesize=A4, title=TITLE, author="Préau", lang="fr-FR", **margins)
    document.build(story, canvasmaker=StreamedCanvas)
