"""10 000 cards of first connection as a PDF: time, memory, and the ratio to bare reportlab."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pypdf
import segno
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from app.exports.cartes import Carte, Entete, draw
from app.exports.pdf import BOLD, REGULAR, load_fonts
from bench.commun import ROOT, Rapport, chrono, memoire_max_mio

CARTES = 10_000
ENTETE = Entete("Lycée Éléonore-d’Aquitaine", "https://console.exemple.fr/connexion/premiere/")


def cards(count: int) -> Iterator[Carte]:
    for number in range(count):
        yield Carte(
            f"LEFÈVRE-DUBOIS Élise {number}", f"3e {number // 30}", f"elise.lefevredubois{number}",
            "abcd-efgh", (), ("12 rue des Tilleuls", "37000 TOURS"),
        )  # fmt: skip


def ours(path: Path, par_page: int, count: int = CARTES) -> int:
    with path.open("wb") as output:
        return draw(output, cards(count), ENTETE, par_page=par_page)


def bare(path: Path, par_page: int) -> int:
    """Draw the same words on as many pages with reportlab as it comes: no fitting, a square a page."""
    load_fonts()
    canvas = Canvas(str(path), pagesize=A4, pageCompression=1)
    canvas.beginForm("qr")
    for y, row in enumerate(segno.make(ENTETE.adresse, error="m", micro=False).matrix):
        for x, dark in enumerate(row):
            if dark:
                canvas.rect(x, y, 1, 1, stroke=0, fill=1)
    canvas.endForm()
    pages = 0
    for rank, card in enumerate(cards(CARTES)):
        y = 800 - rank % par_page * 90
        for font, size, text in (
            (REGULAR, 7, ENTETE.etablissement), (BOLD, 12, card.nom), (REGULAR, 8, card.detail),
            (REGULAR, 7, "Identifiant"), (BOLD, 11, card.login), (REGULAR, 7, "Code d’activation"),
            (BOLD, 13, card.code), (REGULAR, 7, f"Première connexion : {ENTETE.affichee}"),
        ):  # fmt: skip
            canvas.setFont(font, size)
            canvas.drawString(40, y, text)
            y -= 10
        canvas.doForm("qr")
        if (rank + 1) % par_page == 0:
            canvas.showPage()
            pages += 1
    canvas.save()
    return pages


def peak(count: int) -> float:
    """Return the peak memory of a process that draws this many letters."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.cartes", str(count)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def main() -> int:
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as folder:
            ours(Path(folder) / "x.pdf", 1, int(sys.argv[1]))
        print(memoire_max_mio())
        return 0
    rapport = Rapport(f"{CARTES} cartes de première connexion")
    with tempfile.TemporaryDirectory() as folder:
        path, other = Path(folder) / "cartes.pdf", Path(folder) / "nu.pdf"
        for par_page in (8, 1):
            with chrono() as mine:
                pages = ours(path, par_page)
            with chrono() as theirs:
                assert bare(other, par_page) == pages
            found = pypdf.PdfReader(path)
            assert len(found.pages) == pages
            assert f"elise.lefevredubois{CARTES - 1}" in found.pages[-1].extract_text()
            rapport.ajouter(f"{par_page} par page ({pages} pages)", mine.secondes, "s", seuil=60)
            rapport.ajouter(
                f"{par_page} par page, par rapport à reportlab nu", mine.secondes / theirs.secondes, "fois"
            )
    few, many = peak(500), peak(CARTES)
    rapport.ajouter("mémoire de 10 000 lettres par rapport à 500", many / few, "fois", seuil=1.3)
    return rapport.imprimer()


if __name__ == "__main__":
    raise SystemExit(main())
