"""Names: one key per name whatever its spelling, one login root per person."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.queries.noms import VARIANTS, login_root, name_variants, personne_key, search_key


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


class TestNameVariants:
    @pytest.mark.parametrize(
        ("nom", "nom_usage", "prenom", "typed"),
        [
            ("DE LA TOUR", None, "Marie", ["tour m", "la tour", "delatour", "latour marie"]),
            ("D’Œillet", None, "Paul", ["oeillet", "doeillet"]),
            ("MARTIN", "MARTIN-ROCHE", "Zoé", ["roche", "martinroche zoe", "martin zoe"]),
            ("DUPONT", "BERNARD", "Anne", ["dupont anne"]),
            ("DUPONT", None, "Jean-Éric", ["dupont jeaneric"]),
            ("LE GOFF-KERVELLA", None, "Anne", ["kervella", "goff kervella", "legoff"]),
        ],
    )
    def test_what_one_may_type(self, nom, nom_usage, prenom, typed):
        keys = name_variants(nom, nom_usage, prenom)
        for text in typed:
            assert any(key.startswith(text) for key in keys), (text, keys)

    def test_a_plain_name_has_none(self):
        assert name_variants("DUPONT", None, "Jean") == []
        assert name_variants("DUPONT", "Dupont", "Jean") == []

    @given(st.text(max_size=100), st.none() | st.text(max_size=100), st.text(max_size=100))
    def test_few_short_and_never_the_key_itself(self, nom, nom_usage, prenom):
        keys = name_variants(nom, nom_usage, prenom)
        assert len(keys) == len(set(keys)) <= VARIANTS
        assert all(re.fullmatch(r"[0-9a-z ]{1,220}", key) for key in keys)
        assert personne_key(nom_usage or nom, prenom) not in keys


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
