"""What people type of how to reach somebody, in the one form the base keeps: telephone, e-mail, login."""

from __future__ import annotations

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException

from app.errors import RuleViolationError
from app.operations.saisies import clean_text

OVERSEAS = {"262", "590", "594", "596"}
"""Country codes whose numbers are dialled like those of the mainland: ten digits from a zero."""
_LOGIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+")
_FRENCH = re.compile(r"[1-9][0-9]{8}")
_INTERNAL = re.compile(r"[0-9]{2,10}")


def clean_phone(value: str | None, *, field: str) -> str | None:
    """Return a number as feeds write it: ten digits for France and overseas, ``+32…`` elsewhere.

    :raises RuleViolationError: it is no telephone number.
    """
    text = clean_text(value, field=field, longest=40)
    if text is None:
        return None
    refusal = RuleViolationError(
        "Ce numéro de téléphone n’existe pas. Exemples : 06 39 98 14 07, +32 470 12 34 56.", field=field
    )
    if not text.isascii():
        raise refusal
    try:
        number = phonenumbers.parse(text.replace("(0)", ""), "FR")
    except NumberParseException as error:
        raise refusal from error
    national = str(number.national_number)
    code = str(number.country_code)
    if number.extension or not phonenumbers.is_possible_number(number):
        raise refusal
    if code == "33" or code in OVERSEAS:
        if not _FRENCH.fullmatch(national):
            raise refusal
        return f"0{national}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clean_internal(value: str | None, *, field: str) -> str | None:
    """Return an internal extension, its digits alone.

    :raises RuleViolationError: anything but two to ten digits.
    """
    text = clean_text(value, field=field, longest=40)
    if text is None:
        return None
    digits = re.sub(r"[ .-]", "", text)
    if not _INTERNAL.fullmatch(digits):
        raise RuleViolationError(
            "Un poste interne compte de deux à dix chiffres. Exemple : 2148.", field=field
        )
    return digits


def clean_address(value: str | None, *, field: str = "email") -> str | None:
    """Return an e-mail address, its domain in lower case and in the letters of the network.

    :raises RuleViolationError: no mail server could deliver to it.
    """
    text = clean_text(value, field=field, longest=255)
    if text is None:
        return None
    try:
        checked = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise RuleViolationError(
            "Cette adresse e-mail n’est pas valable. Exemple : prenom.nom@exemple.fr", field=field
        ) from error
    return checked.ascii_email or checked.normalized


def clean_login(value: str | None, *, field: str = "login") -> str | None:
    """Return a login in lower case, in the form feeds give them (I5).

    Letters of other alphabets look the same and are not: they are named, never replaced (D8).

    :raises RuleViolationError: with what is wrong.
    """
    text = clean_text(value, field=field, longest=64)
    if text is None:
        return None
    login = text.lower()
    strange = next(
        (char for char in login if not (char.isascii() and (char.isalnum() or char in ".-"))), None
    )
    if strange is not None:
        raise RuleViolationError(
            f"Le signe « {strange} » n’est pas possible dans un identifiant. Écrivez prenom.nom : des lettres"
            " sans accent, des chiffres, des points et des tirets.",
            field=field,
        )
    if login.startswith("admin."):
        raise RuleViolationError(
            "Un identifiant ne commence pas par « admin. » : la console le refuserait. Écrivez prenom.nom.",
            field=field,
        )
    if not _LOGIN.fullmatch(login):
        raise RuleViolationError(
            "Un identifiant s’écrit prenom.nom, sans point ni tiret au bord. Exemple : anne-sophie.legoff2.",
            field=field,
        )
    return login
