"""Pictures people send: recognised by content, bounded, made anew (ATTACKS T1, T3, X1)."""

from __future__ import annotations

import base64
import io
import re
import time
import zlib

import pytest
from PIL import Image as Pillow
from sqlalchemy import select

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Bloc, Etablissement, Image, Logo
from app.operations import images

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 10">{}</svg>'
ENTITY = b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def picture(format_: str, size=(40, 20), mode="RGB", **more) -> bytes:
    out = io.BytesIO()
    Pillow.new(mode, size, (200, 20, 20, 90)[: len(mode)]).save(out, format_, **more)
    return out.getvalue()


def drawing(inside: str) -> bytes:
    return SVG.format(inside).encode()


@pytest.fixture
def school(session):
    row = Etablissement(uai="0370001A", nom="Collège", nom_recherche="college")
    session.add(row)
    session.flush()
    return row.id


class TestMadeAnew:
    @pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF"])
    def test_the_four_formats_become_webp_of_the_same_size(self, format_):
        made = images.refaire(picture(format_))
        assert (made.type, made.largeur, made.hauteur) == ("image/webp", 40, 20)
        assert Pillow.open(io.BytesIO(made.contenu)).format == "WEBP"

    def test_what_a_photograph_says_of_where_it_was_taken_is_gone(self):
        exif = Pillow.Exif()
        exif[0x010E] = "chez les Dupont"
        exif[0x0112] = 6
        made = images.refaire(picture("JPEG", exif=exif))
        assert b"Dupont" not in made.contenu
        assert (made.largeur, made.hauteur) == (20, 40)

    def test_a_page_hidden_behind_a_picture_does_not_pass(self):
        made = images.refaire(picture("GIF") + b"<script>alert(1)</script>")
        assert b"script" not in made.contenu

    def test_a_big_picture_is_made_smaller(self):
        made = images.refaire(picture("PNG", (4000, 100)))
        assert (made.largeur, made.hauteur) == (1600, 40)

    def test_transparency_stays(self):
        made = images.refaire(picture("PNG", mode="RGBA"))
        assert Pillow.open(io.BytesIO(made.contenu)).mode == "RGBA"

    def test_a_drawing_keeps_what_draws_and_nothing_that_runs(self):
        made = images.refaire(
            drawing(
                '<rect width="5" height="5" fill="#123456" onclick="alert(1)"/><script>alert(1)</script>'
                '<a href="javascript:alert(1)"><circle r="1"/></a><foreignObject><p>x</p></foreignObject>'
                '<image href="https://mouchard.exemple/x.png"/>'
                "<style>@import url(https://mouchard.exemple/a.css);</style>"
            )
        )
        text = made.contenu.decode()
        assert (made.type, made.largeur, made.hauteur) == ("image/svg+xml", 30, 10)
        assert "#123456" in text
        for gone in ("script", "onclick", "foreignObject", "mouchard.exemple/x", "@import"):
            assert gone not in text, gone


class TestInsideADrawing:
    def drawn(self, sent, kind="jpeg", times=1):
        data = base64.b64encode(sent).decode()
        return images.refaire(
            drawing(f'<image width="9" height="9" href="data:image/{kind};base64,{data}"/>' * times)
        )

    def test_a_photograph_is_made_anew_too(self):
        exif = Pillow.Exif()
        exif[0x010E] = "chez les Dupont"
        text = self.drawn(picture("JPEG", exif=exif)).contenu.decode()
        kept = base64.b64decode(re.search(r'data:image/webp;base64,([^"]+)"', text)[1])
        assert Pillow.open(io.BytesIO(kept)).size == (40, 20)
        assert b"Dupont" not in kept

    @pytest.mark.parametrize("sent", [b"<html>", picture("BMP"), picture("PNG")[:60], b""])
    def test_what_is_no_picture_is_refused(self, sent):
        with pytest.raises(RuleViolationError):
            self.drawn(sent)

    def test_a_few_and_no_more(self):
        assert self.drawn(picture("PNG"), "png", 4).contenu.count(b"data:image/webp") == 4
        with pytest.raises(RuleViolationError, match="4 images"):
            self.drawn(picture("PNG"), "png", 5)

    def test_a_drawing_in_a_drawing_is_left_out(self):
        data = base64.b64encode(drawing("<rect/>")).decode()
        made = images.refaire(drawing(f'<image href="data:image/svg+xml;base64,{data}"/><rect/>'))
        assert b"data:" not in made.contenu


class TestRefused:
    @pytest.mark.parametrize(
        ("sent", "word"),
        [
            (b"", "Choisissez"),
            (b"bonjour", "PNG, JPEG"),
            (b"%PDF-1.7 <script>", "PNG, JPEG"),
            (b"<html><script>alert(1)</script></html>", "PNG, JPEG"),
            (picture("BMP"), "PNG, JPEG"),
            (picture("PNG")[:60], "abîmée"),
            (b"\x89PNG\r\n\x1a\n" + b"a" * 5 * 1024 * 1024, "4 Mio"),
            (b"<svg" + b" " * 600_000, "512 Kio"),
            (ENTITY + drawing("<text>&x;</text>"), "abîmée"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 1000, "abîmée"),
        ],
    )  # fmt: skip
    def test_by_a_sentence_on_its_field(self, sent, word):
        with pytest.raises(RuleViolationError) as refused:
            images.refaire(sent)
        assert word in refused.value.message
        assert refused.value.field == "fichier"

    def test_metadata_that_cannot_be_written_again_is_a_refusal_not_a_bug(self):
        exif = Pillow.Exif()
        exif[0x0112], exif[0x010E] = 6, "x" * 30
        sent = bytearray(picture("JPEG", exif=exif.tobytes()))
        sent[sent.index(b"Exif") + 17] = 0  # a text becomes a tag that wants a number
        with pytest.raises(RuleViolationError, match="abîmée"):
            images.refaire(bytes(sent))

    def test_a_picture_that_unpacks_to_a_gigabyte(self):
        header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
        bomb = picture("PNG")
        bomb = bomb[:12] + header + zlib.crc32(header).to_bytes(4, "big") + bomb[33:]
        began = time.monotonic()
        with pytest.raises(RuleViolationError, match="pixels"):
            images.refaire(bomb)
        assert time.monotonic() - began < 1

    @pytest.mark.parametrize("inside", ["<g>" * 100_000 + "</g>" * 100_000, "<g/>" * 60_000])
    def test_a_drawing_too_deep_or_too_full(self, inside):
        began = time.monotonic()
        with pytest.raises(RuleViolationError):
            images.refaire(drawing(inside)[:500_000])
        assert time.monotonic() - began < 2

    def test_billion_laughs(self):
        entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
            f'<!ENTITY {name} "{f"&{before};" * 10}">'
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        )
        with pytest.raises(RuleViolationError):
            images.refaire(f"<!DOCTYPE svg [{entities}]>".encode() + drawing("<text>&i;</text>"))


class TestKept:
    def test_the_same_picture_twice_is_one_row(self, session, school):
        first = images.ajouter(session, school, picture("PNG"))
        first.cree_le = now() - images.SPARED * 2
        again = images.ajouter(session, school, picture("PNG"))
        assert first.id == again.id
        assert images.drop_unused(session, school) == 0
        assert len(session.scalars(select(Image.id)).all()) == 1

    def test_full_it_drops_what_nothing_shows_then_refuses(self, session, school, monkeypatch):
        shown = images.ajouter(session, school, picture("PNG"))
        lost = images.ajouter(session, school, picture("PNG", (41, 20)))
        told = images.ajouter(session, school, picture("PNG", (42, 20)))
        for row in (shown, lost, told):
            row.cree_le = now() - images.SPARED * 2
        session.add(Logo(etablissement_id=school, page="accueil", image_id=shown.id, texte="Ville"))
        text = f"![Cour](/media/{told.empreinte})"
        session.add(Bloc(etablissement_id=school, titre="Cour", texte=text, rendu=""))
        session.flush()
        monkeypatch.setattr(images, "MOST_KEPT", shown.taille + lost.taille + told.taille)
        kept = images.ajouter(session, school, picture("PNG", (43, 20)))
        assert set(session.scalars(select(Image.id))) == {shown.id, told.id, kept.id}
        with pytest.raises(RuleViolationError, match="40 Mio"):
            images.ajouter(session, school, picture("PNG", (44, 20)))
