"""Activation codes: derived, readable, dead when renewed, nothing without the key (K4)."""

from __future__ import annotations

import pytest

from app.models import Personne
from app.operations import codes

KEY, OTHER = "k" * 40, "o" * 40


@pytest.fixture
def lea() -> Personne:
    return Personne(id=7, nom="MARTIN", prenom="Léa", nom_recherche="martin lea", code_generation=1)


class TestCode:
    def test_eight_signs_without_look_alikes(self, lea):
        code = codes.code_of(lea, KEY)
        assert len(code) == 8
        assert set(code) <= set("abcdefghjkmnprstvwxyz3456789")

    def test_another_key_gives_another_code(self, lea):
        assert codes.code_of(lea, KEY) != codes.code_of(lea, OTHER)

    def test_case_spaces_and_hyphens_do_not_count(self, lea):
        code = codes.code_of(lea, KEY).upper()
        assert codes.check_code(lea, f" {code[:4]}-{code[4:]} ", KEY)
        assert not codes.check_code(lea, "aaaaaaaa", KEY)
        assert not codes.check_code(lea, "é" * 8, KEY)

    def test_ten_thousand_people_have_ten_thousand_codes(self):
        people = (Personne(id=number, code_generation=1) for number in range(10_000))
        assert len({codes.code_of(someone, KEY) for someone in people}) == 10_000

    def test_renewing_kills_the_old_code(self, session, lea):
        old = codes.code_of(lea, KEY)
        session.add(lea)
        codes.renew(session, lea)
        assert not codes.check_code(lea, old, KEY)
        assert codes.check_code(lea, codes.code_of(lea, KEY), KEY)
