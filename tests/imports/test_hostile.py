"""Hostile and unlucky files (ATTACKS X1, X3, X4): refused fast, in French, touching nothing else."""

# ruff: noqa: E501 - XML as exporters write it

from __future__ import annotations

import io
import stat
import time
import zipfile

import pytest

from app.errors import UserError
from app.imports import archives, open_sources
from app.operations.alimentation.fiches import Objet
from tests.imports.conftest import aaf, attr, eleve, etab

BODY = aaf(etab() + eleve())
ROOT = "<ficAlimMENESR>"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE ficAlimMENESR [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{i} "{("&a" + (str(i - 1) if i else "") + ";") * 10}">' for i in range(12))
    + "]><ficAlimMENESR>&a11;</ficAlimMENESR>"
)


def doctype(text: str) -> str:
    return BODY.replace('<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">', text)


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes | str], compress: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


class TestXml:
    """X1: pytest-socket forbids the network; every other open is watched."""

    @pytest.mark.parametrize(
        "text",
        [
            LAUGHS,
            doctype('<!DOCTYPE ficAlimMENESR [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace(
                "Zoé", "&x;"
            ),
            doctype('<!DOCTYPE ficAlimMENESR [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>'),
            doctype('<!DOCTYPE ficAlimMENESR SYSTEM "a.dtd" [<!ATTLIST attr name CDATA "x">]>'),
            BODY.replace(
                ROOT,
                f'{ROOT}<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
            ),
            doctype("<!-- a -->" * 20_000 + "<!DOCTYPE x" + " " * 30_000),
            LAUGHS.encode("utf-16"),
        ],
        ids=["laughs", "external", "parameter", "internal-subset", "xinclude", "endless-prologue", "utf-16"],
    )
    def test_refused_at_once(self, ecrire, lire, text):
        path = ecrire("x.xml", text)
        start = time.perf_counter()
        with pytest.raises(UserError, match=r"« x.xml »"):
            lire(path)
        assert time.perf_counter() - start < 1

    def test_external_dtd_is_never_opened(self, ecrire, lire, tmp_path, monkeypatch):
        (tmp_path / "ficAlimMENESR.dtd").write_text("<!ENTITY x 'lu'>")
        monkeypatch.chdir(tmp_path)
        body = BODY.replace("Zoé", "&x;")
        assert lire(ecrire("x.xml", body)).of(Objet.ELEVE)["2000"]["prenom"] == "&x;"

    def test_bare_doctype_and_public_are_harmless(self, ecrire, lire):
        for text in ("<!DOCTYPE ficAlimMENESR>", '<!DOCTYPE ficAlimMENESR PUBLIC "-//X//Y" "z.dtd">', ""):
            assert lire(ecrire("x.xml", doctype(text))).of(Objet.ELEVE)

    def test_endless_file_of_unknown_elements(self, ecrire, lire, monkeypatch):
        monkeypatch.setattr("app.imports.streams.MAX_SILENCE", 1 << 20)
        with pytest.raises(UserError, match="aucune donnée reconnue"):
            lire(ecrire("x.xml", BODY.replace("</ficAlimMENESR>", "<a/>" * 400_000 + "</ficAlimMENESR>")))

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "est vide"),
            ("   \n", "est vide"),
            ("<html><body>Erreur</body></html>", "n’est pas reconnu.*html"),
            ("n'importe quoi", "n’est pas reconnu"),
            ("\x00\x01\x02\x03", "n’est pas reconnu"),
            ("<!-- " + "x" * 300_000, "première balise est introuvable"),
        ],
    )
    def test_not_an_export(self, ecrire, lire, content, sentence):
        with pytest.raises(UserError, match=sentence):
            lire(ecrire("x.xml", content))

    def test_absent_path_and_empty_folder(self, lire, tmp_path):
        with pytest.raises(UserError, match="introuvable"):
            lire(tmp_path / "rien.xml")
        with pytest.raises(UserError, match="Aucun fichier à lire"):
            lire(tmp_path)


class TestText:
    """X4 and D8: encodings that lie, characters no name contains."""

    @pytest.mark.parametrize("declared", ["UTF-8", "ISO-8859-15", "ISO-8859-1", "windows-1252"])
    @pytest.mark.parametrize("real", ["utf-8", "iso8859-15", "cp1252"])
    def test_whatever_is_declared(self, ecrire, lire, declared, real):
        text = aaf(etab() + eleve(nom="LEFÈVRE ÇELIK"), encoding=declared)
        record = lire(ecrire("x.xml", text.encode(real))).of(Objet.ELEVE)["2000"]
        assert (record["nom"], record["prenom"]) == ("LEFÈVRE ÇELIK", "Zoé")

    def test_oe_survives_each_western_encoding(self, ecrire, lire):
        for real, declared in (
            ("iso8859-15", "ISO-8859-15"),
            ("cp1252", "windows-1252"),
            ("iso8859-15", "UTF-8"),
        ):
            text = aaf(etab() + eleve(nom="CŒUR"), encoding=declared)
            assert lire(ecrire("x.xml", text.encode(real))).of(Objet.ELEVE)["2000"]["nom"] == "CŒUR"

    def test_without_prologue_with_bom_and_utf16(self, ecrire, lire):
        bare = aaf(etab() + eleve(), prologue=False)
        utf16 = aaf(etab() + eleve(), encoding="UTF-16")
        for content in (bare.encode(), bare.encode("utf-8-sig"), utf16.encode("utf-16")):
            assert lire(ecrire("x.xml", content)).of(Objet.ELEVE)["2000"]["prenom"] == "Zoé"

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("Zo&#233;", "Zoé"),
            ("Zo&eacute;", "Zoé"),
            ("Zo&amp;eacute;", "Zoé"),
            ("Zo&amp;#233;", "Zoé"),
            ("D&apos;Arc", "D'Arc"),
            ("A &amp; B", "A & B"),
            ("&nexistepas;", "&nexistepas;"),
            ("<![CDATA[Zoé & Cie]]>", "Zoé & Cie"),
            ("Zo<!-- a -->é", "Zoé"),
            ("Zoe\u0301", "Zoé"),
            ("\u202eZoé\u200b\u2066", "Zoé"),
            ("Zo\x00é\x08", "Zoé"),
            ("  Zoé \n Anne ", "Zoé Anne"),
            ("Z" * 5000, "Z" * 100),
        ],
    )
    def test_values(self, ecrire, lire, written, read):
        body = eleve().replace("Zoé", written)
        assert lire(ecrire("x.xml", aaf(etab() + body))).of(Objet.ELEVE)["2000"]["prenom"] == read

    def test_entity_cut_by_a_block(self, ecrire, lire):
        for shift in range(8):
            head = aaf("", prologue=False)[:-20]
            padding = " " * ((1 << 16) - len(head.encode()) - 700 + shift)
            body = etab() + eleve(extra=attr("mail", "&eacute;" * 40))
            read = lire(ecrire("x.xml", aaf(f"{padding}{body}")))
            assert read.of(Objet.ELEVE)["2000"]["email"] == "é" * 40


class TestZip:
    """X3: streamed, counted as it comes, never extracted by name."""

    def test_zip_in_a_zip(self, ecrire, lire):
        inner = zip_of(("Eleve_0000.xml", BODY), ("ficAlimMENESR.dtd", "x"), ("dossier/", ""))
        path = ecrire("ENT2D.20250901.zip", zip_of(("a/inner.zip", inner), ("__MACOSX/._x", "x")))
        read = lire(path)
        assert set(read.of(Objet.ELEVE)) == {"2000"}

    def test_date_comes_from_the_archive_last(self, ecrire, lire):
        body = BODY.replace('<!-- dateGenerationExport="16/09/2025" -->', "")
        read = lire(ecrire("ENT2D.20250901.zip", zip_of(("Eleve_0000.xml", body))))
        assert read.entete.date_export.date().isoformat() == "2025-09-01"

    def test_delta_told_by_the_archive(self, ecrire, lire):
        assert lire(ecrire("ENT2D_Delta_20250901.zip", zip_of(("Eleve.xml", BODY)))).entete.mode == "delta"

    @pytest.mark.parametrize("name", ["../x.xml", "/etc/x.xml", "a/../../x.xml", "..\\x.xml", "C:/x.xml"])
    def test_paths_that_leave(self, ecrire, lire, name):
        with pytest.raises(UserError, match="sort de l’archive"):
            lire(ecrire("x.zip", zip_of((name, BODY))))

    def test_symlink(self, ecrire, lire):
        info = zipfile.ZipInfo("x.xml")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        with pytest.raises(UserError, match="sort de l’archive"):
            lire(ecrire("x.zip", zip_of((info, "/etc/passwd"))))

    @pytest.mark.parametrize("count", [1_001, 20_000])
    def test_too_many_entries(self, ecrire, lire, count):
        path = ecrire("x.zip", zip_of(*((f"{n}.xml", "") for n in range(count)), compress=False))
        start = time.perf_counter()
        with pytest.raises(UserError, match="plus de 1000 fichiers"):
            lire(path)
        assert time.perf_counter() - start < 1

    def test_bomb(self, ecrire, lire, monkeypatch):
        monkeypatch.setattr(archives, "FLOOR", 1 << 20)
        body = BODY.replace("</ficAlimMENESR>", eleve() * 10 + " " * 8_000_000 + "</ficAlimMENESR>")
        with pytest.raises(UserError, match="démesuré"):
            lire(ecrire("x.zip", zip_of(("x.xml", body))))

    def test_bomb_inside_an_inner_archive(self, ecrire, lire, monkeypatch):
        monkeypatch.setattr(archives, "FLOOR", 1 << 20)
        inner = zip_of(("x.xml", BODY + " " * 50_000_000))
        with pytest.raises(UserError, match="démesuré"):
            lire(ecrire("x.zip", zip_of(("inner.zip", inner))))

    def test_lying_sizes(self, ecrire, lire):
        data = bytearray(zip_of(("x.xml", BODY)))
        directory = data.rfind(b"PK\x01\x02")
        data[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
        with pytest.raises(UserError, match=r"illisible|incomplet|abîmé"):
            lire(ecrire("x.zip", bytes(data)))

    def test_three_levels(self, ecrire, lire):
        deep = zip_of(("b.zip", zip_of(("c.zip", zip_of(("x.xml", BODY))))))
        with pytest.raises(UserError, match="archive dans une archive"):
            lire(ecrire("x.zip", deep))

    @pytest.mark.parametrize("cut", [30, 200, 400])
    def test_truncated(self, ecrire, lire, cut):
        with pytest.raises(UserError, match="illisible"):
            lire(ecrire("x.zip", zip_of(("x.xml", BODY))[:-cut]))

    def test_corrupted_content(self, ecrire, lire):
        data = bytearray(zip_of(("x.xml", BODY)))
        data[60:90] = bytes(30)
        with pytest.raises(UserError, match=r"illisible|XML correct"):
            lire(ecrire("x.zip", bytes(data)))

    def test_password(self, ecrire, lire):
        data = bytearray(zip_of(("x.xml", BODY)))
        data[data.rfind(b"PK\x01\x02") + 8] |= 1
        with pytest.raises(UserError, match="mot de passe"):
            lire(ecrire("x.zip", bytes(data)))


def test_one_endless_line_is_no_known_file(tmp_path):
    path = tmp_path / "ElevesAvecAdresses.xml"
    path.write_bytes(b"0" * 300_000)
    with pytest.raises(UserError, match="n’est pas reconnu"), open_sources([path]):
        pass
