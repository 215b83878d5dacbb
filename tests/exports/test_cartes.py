"""Cards of first connection: what each says, on how many pages, and that memory does not grow with them."""

import io
import tracemalloc

import pypdf
import pytest

from app.exports.cartes import Carte, Enfant, Entete, draw
from app.exports.pdf import BOLD, fit, load_fonts, printable, width
from tests.support.structure_pdf import elements, marks

ENTETE = Entete("Collège Œdipe-Éluard", "https://console.example/premiere-connexion")
LONG = Carte("D’ALBERT DE LA ROCHEFOUCAULD-MONTMORENCY Éléonore-Maximilienne", "6e B", "e" * 64, "abcd-efgh")
PARENT = Carte(
    "NGUYỄN Łukasz", "Parent ou responsable", "lukasz.nguyen", "kmnp-3456",
    tuple(Enfant(f"MARTIN Paul{n}", "6e A", f"aa{n}a-bbbb" if n else "") for n in range(6)),
    ("12 rue des Tilleuls", "37000 TOURS"), "Code postal 37000, commune TOURS",
)  # fmt: skip


def read(cartes, par_page):
    output = io.BytesIO()
    pages = draw(output, cartes, ENTETE, par_page=par_page)
    found = pypdf.PdfReader(output, strict=True)
    assert len(found.pages) == pages
    return found


@pytest.mark.parametrize(("par_page", "pages"), [(1, 9), (2, 5), (8, 2)])
def test_every_card_is_there_whole_and_the_fonts_are_in_the_file(par_page, pages):
    found = read([LONG, PARENT] * 4 + [LONG], par_page)
    texts = [page.extract_text() for page in found.pages]
    text = "\n".join(texts)
    assert len(texts) == pages
    assert text.count("e" * 64) == 5
    assert text.count("abcd-efgh") == 5
    assert text.count("lukasz.nguyen") == 4
    assert text.count("kmnp-3456") == 4
    assert "NGUYỄN Łukasz" in text
    assert "Collège Œdipe-Éluard" in text
    assert "37000" in text
    assert "console.example/premiere-connexion" in text
    assert "MARTIN Paul0 (6e A) : sans code" in text
    assert "aa1a-bbbb" in text
    fonts = {font for page in found.pages for font in page["/Resources"]["/Font"].values()}
    descriptors = [font.get_object()["/FontDescriptor"] for font in fonts]
    assert descriptors
    assert all("/FontFile2" in descriptor for descriptor in descriptors), "a font is not embedded"
    assert found.trailer["/Root"]["/Lang"] == "fr-FR"


def test_the_square_says_where_and_nothing_else():
    found = read([LONG, PARENT], 8)
    forms = found.pages[0]["/Resources"]["/XObject"]
    assert list(forms) == ["/FormXob.qr"], "one square, drawn once"
    assert "abcd" not in ENTETE.adresse
    assert ENTETE.affichee == "console.example/premiere-connexion"


def test_names_are_cut_cleanly_and_never_hide_a_letter():
    load_fonts()
    shown, size = fit("X" * 200, BOLD, 12, 100, smallest=8)
    assert shown.endswith("X…")
    assert size == 8
    assert width(shown, BOLD, size) <= 100
    assert fit("Anne", BOLD, 12, 100, smallest=8) == ("Anne", 12)
    assert printable("Zoe\u0301 \u202eliame \x00日本 ﬁn") == "Zoé liame ?? ﬁn"


@pytest.mark.parametrize("par_page", [1, 2, 8])
def test_a_screen_reader_hears_each_card_in_its_order(par_page):
    found = read([LONG, PARENT, LONG], par_page)
    heard = elements(found)
    cards = [element for element in heard if element["/S"] == "/Sect"]
    assert len(cards) == 3
    assert [element["/S"] for element in heard].count("/H1") == 3
    figures = [element for element in heard if element["/S"] == "/Figure"]
    assert {figure["/Alt"] for figure in figures} == {f"Code QR de l’adresse {ENTETE.affichee}"}
    marked = [mark for page in found.pages for mark in marks(page)]
    assert len(marked) == sum(len(element["/K"]) for element in heard if "/Pg" in element)


def test_an_empty_list_is_a_blank_page_not_a_broken_file():
    assert read([], 8).pages[0].extract_text().strip() == ""


def test_memory_does_not_grow_with_the_pages(tmp_path):
    def peak(count):
        tracemalloc.start()
        with (tmp_path / "cartes.pdf").open("wb") as output:
            draw(output, (LONG for _ in range(count)), ENTETE, par_page=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(5)
    few, many = peak(10), peak(60)
    per_page = (many - few) / 50
    assert per_page < 2_000, f"{per_page:.0f} bytes are kept for each page"
