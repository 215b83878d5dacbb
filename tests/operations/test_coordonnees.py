"""Telephones, e-mails and logins as they are typed: one form in the base, and no look-alike."""

import pytest

from app.errors import RuleViolationError
from app.imports.text import phone
from app.operations.coordonnees import clean_address, clean_internal, clean_login, clean_phone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("06 39 98 14 07", "0639981407"),
        ("+33 (0)6.39.98.14.07", "0639981407"),
        ("0033639981407", "0639981407"),
        ("0262 20 12 34", "0262201234"),
        ("+262 692 12 34 56", "0692123456"),
        ("+32 470 12 34 56", "+32470123456"),
        ("  ", None),
    ],
)
def test_a_telephone_is_kept_as_feeds_write_it(typed, kept):
    assert clean_phone(typed, field="t") == kept
    assert kept is None or phone(kept) == kept


@pytest.mark.parametrize(
    "typed", ["12", "06 39 98 14", "bonjour", "06١٢٣٤٥٦٧٨", "0639981407 poste 3", "0639981407\0", "1" * 41]
)
def test_what_is_no_telephone_is_refused(typed):
    with pytest.raises(RuleViolationError) as refusal:
        clean_phone(typed, field="t")
    assert refusal.value.field == "t"


def test_internal_extensions():
    assert clean_internal(" 21 48 ", field="p") == "2148"
    with pytest.raises(RuleViolationError, match="poste interne"):
        clean_internal("2148bis", field="p")


def test_an_address_keeps_its_letters_and_its_domain_is_the_network_s():
    assert clean_address(" Anne.LeGoff@Exemple.FR ") == "Anne.LeGoff@exemple.fr"
    assert clean_address("a@exämple.fr") == "a@xn--exmple-cua.fr"
    assert clean_address("") is None


@pytest.mark.parametrize(
    "typed",
    ["a", "a@b", "a@exemple..fr", "a@[127.0.0.1]", "é@exemple.fr", "a@x.fr, b@x.fr", "a@x.fr\r\nBcc: b@x.fr",
     "\ud800@x.fr", "a" * 250 + "@exemple.fr"],
)  # fmt: skip
def test_what_no_server_delivers_is_refused(typed):
    with pytest.raises(RuleViolationError):
        clean_address(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Anne.LeGoff2", "anne.legoff2"), ("anne-sophie.le-goff", "anne-sophie.le-goff"), (" a.b ", "a.b")],
)
def test_a_login_is_lower_case(typed, kept):
    assert clean_login(typed) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("аnne.legoff", "« а »"),  # a Cyrillic letter
        ("anne.le\u202egoff", "invisible"),
        ("anne.legoﬀ", "« ﬀ »"),
        ("hélène.dupont", "« é »"),
        ("he\u0301le.dupont", "« é »"),
        ("anne legoff", "«   »"),
        ("anne@legoff.fr", "« @ »"),
        ("legoff", "prenom.nom"),
        (".anne.legoff", "au bord"),
        ("anne..legoff", "au bord"),
        ("admin.anne.legoff", "admin."),
        ("a.b\0", "invisible"),
        ("a." + "b" * 70, "64 au plus"),
    ],
)  # fmt: skip
def test_a_login_that_is_not_one_is_refused_with_what_is_wrong(typed, sentence):
    with pytest.raises(RuleViolationError, match=sentence.replace(".", r"\.")):
        clean_login(typed)
