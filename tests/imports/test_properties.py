"""Parsers under any input, and memory that does not grow with the file."""

# ruff: noqa: E501 - XML as exporters write it

from __future__ import annotations

import resource
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports import open_sources
from app.imports.aaf_checks import guardian_findings
from app.imports.aaf_fields import fields, split_object, value, values
from app.imports.aaf_people import guardians
from app.imports.academies import ACADEMIES, DEPARTEMENTS, academie_code, academie_of
from app.imports.text import clean, parse_date, phone
from app.imports.uai import departement_of, is_ine, is_uai, uai_key_is_right, uai_letter
from tests.imports.conftest import aaf, attr, eleve, etab

NAMES = st.text(max_size=40)


class TestFields:
    @given(st.text(max_size=60), st.integers(1, 8))
    def test_always_as_many_as_asked(self, text, count):
        parts = fields(text, count)
        assert len(parts) == count
        assert all(part == part.strip() for part in parts)

    @given(st.lists(st.from_regex(r"[^$\s]{1,8}", fullmatch=True), min_size=1, max_size=6))
    def test_round_trip(self, parts):
        assert fields("$".join(parts), len(parts)) == parts

    @given(st.lists(st.text("0123457$ab ", max_size=20), max_size=6))
    def test_guardians_never_fail_and_never_keep_the_pupil(self, cited):
        raw = {"ENTElevePersRelEleve": "".join(f"<value>{text}</value>" for text in cited) or "<value/>"}
        found = guardians(raw) or []
        assert all(one["code_parente"] != "70" and one["niveau"] in {1, 2, 3} for one in found)
        assert len({one["cle"] for one in found}) == len(found)
        list(guardian_findings(cited))

    @pytest.mark.parametrize(
        ("inner", "expected"),
        [
            ("<value/>", []),
            ("<value>a</value>", ["a"]),
            ("<value/><value>b</value><value/>", ["b"]),
            ("<value>a</value><value>b &amp; c</value>", ["a", "b & c"]),
            ("<value> </value>", []),
        ],
    )
    def test_values(self, inner, expected):
        assert values({"x": inner}, "x") == expected
        assert value({"x": inner}, "x") == (expected[0] if expected else None)
        assert values({}, "x") is None

    def test_unusual_shapes_are_read_alike(self):
        text = '<addRequest><identifier><id>1</id></identifier><attributes><attr name="sn" x="1"><value>A</value></attr>'
        text += '<attr name="vide"/><attr name="mail"><value>B</value></attr></attributes></addRequest>'
        key, raw = split_object(text)
        assert key == "1"
        assert (value(raw, "sn"), value(raw, "mail")) == ("A", "B")


class TestText:
    @given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
    def test_every_real_date_is_read_in_both_writings(self, day):
        assert parse_date(day.strftime("%d/%m/%Y")) == day.isoformat()
        assert parse_date(day.isoformat()) == day.isoformat()

    @given(st.text(max_size=30) | st.from_regex(r"\d{1,2}/\d{1,2}/\d{4}", fullmatch=True))
    def test_no_text_breaks_the_date(self, text):
        found = parse_date(text)
        assert found is None or date.fromisoformat(found).isoformat() == found

    @given(st.text(st.characters(), max_size=60))
    def test_clean_is_stable_and_printable(self, text):
        once = clean(text)
        assert clean(once) == once
        assert once.isprintable()
        once.encode()

    def test_lone_surrogates_and_controls_go(self):
        assert clean("Zo\ud800é\x00\x1f\u202e\u00a0B") == "Zoé B"

    def test_phone(self):
        assert phone("+33 2.99-00 (00)") == "+332990000"

    @pytest.mark.parametrize(
        "written",
        [
            "+33 6 39 98 47 86",
            "06.39.98.47.86",
            "0033639984786",
            "+33 (0)6 39 98 47 86",
            "33639984786",
            "639984786",
        ],
    )
    def test_a_french_number_has_one_form(self, written):
        assert phone(written) == "0639984786"

    @pytest.mark.parametrize(
        ("written", "kept"),
        [("+262 262 12 34 56", "0262123456"), ("+590 690 12 34 56", "0690123456"), ("+32 2 123 45 67", "+3221234567"),
         ("3620", "3620"), ("06 12", "0612"), ("", "")],
    )  # fmt: skip
    def test_overseas_numbers_too_and_foreign_ones_stay(self, written, kept):
        assert phone(written) == kept


class TestNumbers:
    @given(st.integers(0, 9_999_999))
    def test_only_one_letter_is_right(self, number):
        digits = f"{number:07d}"
        right = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if uai_key_is_right(digits + letter)]
        assert right == [uai_letter(digits)]

    @pytest.mark.parametrize(
        ("uai", "departement", "academie"),
        [
            ("0350001L", "35", "14"),
            ("6200001A", "2A", "27"),
            ("7200001A", "2B", "27"),
            ("9740001A", "974", "28"),
            ("0750001A", "75", "01"),
            ("0140001A", "14", "70"),
        ],
    )
    def test_departement_and_academie(self, uai, departement, academie):
        assert departement_of(uai) == departement
        assert academie_of(uai) == (academie, ACADEMIES[academie])

    def test_every_metropolitan_departement_has_one(self):
        metropole = {f"{n:02d}" for n in range(1, 96)} - {"20"} | {"2A", "2B"}
        assert metropole <= DEPARTEMENTS.keys()
        assert {"971", "972", "973", "974", "976"} <= DEPARTEMENTS.keys()

    def test_shapes(self):
        assert not is_uai("035000L")
        assert all(map(is_ine, ("123456789AB", "0113014881M", "1234A56789B")))
        assert not is_ine("12345")
        assert [academie_code(text) for text in ("013", "5", "99", "")] == ["13", "70", None, None]


def resident() -> int:
    """Return the memory of this process, libxml2's included, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="la mémoire se lit dans /proc (Linux)")
class TestMemory:
    def test_twenty_thousand_pupils_are_read_in_the_memory_of_two_thousand(self, tmp_path):
        path = tmp_path / "x.xml"
        head, tail = aaf("@").split("@")
        ine = attr("ENTElevePersRelEleve", "3000$10$1$1$1$0") * 3
        with path.open("w") as file:
            file.write(head + etab())
            file.writelines(eleve(str(key), ine) for key in range(20_000))
            file.write(tail)
        early, late = 0, 0
        with open_sources([path]) as source:
            for count, item in enumerate(source.objets()):
                item.lire()
                if count == 2_000:
                    early = resident()
                elif count > 2_000 and count % 1_000 == 0:
                    late = max(late, resident())
        assert early
        assert late < early + (6 << 20)
