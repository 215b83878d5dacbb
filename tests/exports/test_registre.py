"""The register of processing as a document: titles are titles, each field is read."""

import io

import pypdf

from app.exports.registre import write_register
from tests.support.structure_pdf import elements, marks

ROW = [("Nom", "Annuaire <des> personnes"), ("Finalité", "Tenir & mettre à jour. " * 60), ("Durée", "")]


def test_a_screen_reader_hears_titles_and_fields_over_every_page():
    output = io.BytesIO()
    write_register(output, [ROW] * 9)
    found = pypdf.PdfReader(output, strict=True)
    roles = [element["/S"] for element in elements(found)]
    assert len(found.pages) > 1
    assert roles[:2] == ["/H1", "/P"]
    assert roles.count("/H2") == 9
    assert all(marks(page) for page in found.pages)
    assert "Annuaire <des> personnes" in found.pages[0].extract_text()
    assert found.metadata.title == "Registre des traitements"
