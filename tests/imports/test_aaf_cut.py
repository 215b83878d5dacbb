"""Objects cut out of the text are those libxml2 gives, whatever the file looks like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from app.errors import UserError
from app.imports import aaf_cut
from app.imports.aaf_cut import REQUESTS, cut, requests
from app.imports.aaf_fields import split_object
from app.imports.archives import Entry
from app.imports.detection import detect
from app.imports.xml_stream import elements
from tests.imports.conftest import aaf, attr, eleve, etab, request

PUPIL = eleve("7", attr("ENTElevePersRelEleve", "8$10$1$1$1$1", "9$20$0$1$1$0") + attr("mail", "", "x@y.fr"))


def plain() -> str:
    return aaf("".join(eleve(str(rang), nom=f"LEFÈVRE {rang}") for rang in range(400)) + etab() + PUPIL)


ORDINARY: dict[str, Callable[[str], str | bytes]] = {
    "as exporters write it": lambda text: text,
    "indented": lambda text: text.replace("<attr", "\t  <attr").replace("<value>", "\n   <value>"),
    "on one line": lambda text: text.replace("\n<a", "<a").replace("\n</a", "</a"),
    "escaped signs": lambda text: text.replace("LEFÈVRE 3", "D&amp;D &lt;SARL&gt;"),
    "a value on two lines": lambda text: text.replace("LEFÈVRE 3", "LE\nFÈVRE"),
    "in Latin-9": lambda text: text.replace("UTF-8", "ISO-8859-15").encode("iso8859-15"),
    "without a declaration": lambda text: text.partition("?>\n")[2],
    "quoted otherwise": lambda text: text.replace('"sn"', "'sn'"),
    "a numbered sign": lambda text: text.replace("Zoé", "Zo&#233;"),
    "a comment in an object": lambda text: text.replace("<attributes>", "<attributes><!-- x -->", 3),
    "an empty attribute": lambda text: text.replace('"mail">', '"vide"></attr><attr name="mail">'),
    "a partial sending": lambda text: text.replace("addRequest", "modifyRequest").replace(
        "attributes>", "modifications>"
    ),
}
EXTRAORDINARY: dict[str, Callable[[str], str | bytes]] = {
    "a comment between objects": lambda text: text.replace(
        "</addRequest>", "</addRequest><!-- <addRequest> -->"
    ),
    "a section of raw text": lambda text: text.replace("Zoé", "<![CDATA[Zo</addRequest>é]]>", 5),
    "an instruction": lambda text: text.replace("</addRequest>", "</addRequest><?x y?>", 2),
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "another element": lambda text: text.replace("</addRequest>", "</addRequest><autre>1</autre>", 2),
    "an attribute on a request": lambda text: text.replace("<addRequest>", '<addRequest a="b">', 1),
    "text between objects": lambda text: text.replace("</addRequest>", "</addRequest>bonjour", 1),
    "a request in a request": lambda text: text.replace("<identifier>", "<addRequest/><identifier>", 1),
    "no object": lambda _text: aaf(""),
}


@pytest.fixture
def detected(ecrire):
    def make(content: str | bytes):
        path = ecrire("x_Eleve_0000.xml", content)
        return detect(Entry(path.name, lambda: Path(path).open("rb"), path.stat().st_size))

    return make


def given(file) -> list[tuple]:
    return [(line, tag, key, dict(raw)) for line, tag, key, raw, _text in requests(file)]


def expected(file) -> list[tuple]:
    found = []
    for element in elements(file, REQUESTS):
        text = etree.tostring(element, encoding="unicode", with_tail=False)
        found.append((element.sourceline, str(element.tag), *split_object(text)))
    return found


class TestRequests:
    @pytest.mark.parametrize("shape", [*ORDINARY, *EXTRAORDINARY])
    def test_gives_what_the_ordinary_reader_gives(self, detected, shape):
        file = detected((ORDINARY | EXTRAORDINARY)[shape](plain()))
        assert given(file) == expected(file)

    @pytest.mark.parametrize("shape", ORDINARY)
    def test_does_without_the_ordinary_reader(self, detected, monkeypatch, shape):
        monkeypatch.delattr(aaf_cut, "elements")
        assert len(given(detected(ORDINARY[shape](plain())))) > 400

    @pytest.mark.parametrize(
        "broken",
        [
            lambda text: text[:-40],
            lambda text: text.replace("</ficAlimMENESR>", ""),
            lambda text: text.replace("</value>", "", 5),
            lambda text: text.replace("Zoé", "Z & A", 1),
            lambda text: text + "<encore/>",
            lambda text: text.replace("Zoé", "Zo\ufffe", 1),
            lambda text: text.replace("</addRequest>", "</addRequest>]]>", 1).replace("]]>", "<", 1),
        ],
    )
    def test_what_is_ill_formed_is_refused_in_the_same_words(self, detected, broken):
        file = detected(broken(plain()))
        with pytest.raises(UserError) as here:
            given(file)
        with pytest.raises(UserError) as there:
            expected(file)
        assert here.value.message == there.value.message

    def test_an_endless_object_is_left_to_the_ordinary_reader(self, detected, monkeypatch):
        monkeypatch.setattr(aaf_cut, "LONGEST", 70_000)
        file = detected(aaf(PUPIL + eleve("8", nom="X" * 200_000) + eleve("9")))
        assert [item[2] for item in given(file)] == ["7", "8", "9"]

    def test_the_text_gives_the_attributes_back(self, detected):
        for _line, _tag, key, raw, text in requests(detected(aaf(PUPIL + request("Eleve", "8", attr("sn"))))):
            assert cut(text) == (key, raw)
            assert raw.text == text
