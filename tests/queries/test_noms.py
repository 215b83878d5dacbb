"""Names: one key per name whatever its spelling, one login root per person."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.queries.noms import login_root, personne_key, search_key


class TestSearchKey:
    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("Éloïse", "eloise"),
            ("D’ŒILLET", "d oeillet"),
            ("d'Oeillet", "d oeillet"),
            ("Jean-Baptiste", "jean baptiste"),
            ("  de  La\u00a0Tour ", "de la tour"),
            ("Straße", "strasse"),
            ("Łukasz Øst", "lukasz ost"),
            ("e\u0301te\u0301", "ete"),
            ("", ""),
        ],
    )
    def test_one_key_per_name(self, text, key):
        assert search_key(text) == key

    @given(st.text(max_size=60))
    def test_a_key_is_its_own_key(self, text):
        key = search_key(text)
        assert search_key(key) == key
        assert re.fullmatch(r"([0-9a-z]+( [0-9a-z]+)*)?", key)

    def test_a_person_is_sorted_by_last_name(self):
        assert personne_key("Le Goff", "Anaïs") == "le goff anais"


class TestLoginRoot:
    @pytest.mark.parametrize(
        ("prenom", "nom", "root"),
        [
            ("Anaïs", "Le Goff", "anais.legoff"),
            ("Jean-Baptiste", "d’Œillet", "jeanbaptiste.doeillet"),
            ("", "Dupont", "dupont"),
            ("李", "王", "compte"),
            ("a" * 50, "b" * 50, "a" * 30 + "." + "b" * 30),
        ],
    )
    def test_root(self, prenom, nom, root):
        assert login_root(prenom, nom) == root

    @given(st.text(max_size=120), st.text(max_size=120))
    def test_always_a_safe_login(self, prenom, nom):
        root = login_root(prenom, nom)
        assert re.fullmatch(r"[0-9a-z]+(\.[0-9a-z]+)?", root)
        assert len(root) <= 61, "a homonym’s number must fit in the 64 of the column"
