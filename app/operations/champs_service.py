"""The fields a service is set by: what a schema may say, what was typed read after it.

A field says ``code``, ``libelle``, ``type``, ``obligatoire``, ``aide`` and, for a choice, ``choix`` (pairs
of a value and its label). Types: ``texte``, ``url``, ``hote``, ``port``, ``choix``, ``oui_non``,
``profils``, ``secret``. Further: ``essai`` (switching on asks for a try that succeeded), ``modele`` (the
address shown while nothing is typed), ``remplace`` (a text whose value takes the place of this mark in
the addresses: ``<id>``), ``role`` (``identifiant`` or ``mot_de_passe`` of a try).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import RuleViolationError
from app.models import PROFILS
from app.operations.saisies import clean_text, clean_url

TYPES = ("texte", "url", "hote", "port", "choix", "oui_non", "profils", "secret")
CONNEXION = ("url", "hote", "port", "choix")
"""What says where one connects: a secret goes nowhere else than where it was typed for."""
PROTOCOLES = ("ftp", "ftps", "ftpes")
OUBLIER = "-oublier"
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)
_MARK = re.compile(r"<[^<>]*>")
_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}")

Champ = Mapping[str, Any]
Schema = Sequence[Champ]


def check_schema(schema: Any) -> None:
    """Refuse a schema of settings no page could draw.

    :raises RuleViolationError: with what is wrong.
    """
    if not isinstance(schema, list):
        raise RuleViolationError("Les réglages s’écrivent comme une liste de champs.", field="reglages")
    seen: set[str] = set()
    for one in schema:
        code = one.get("code") if isinstance(one, dict) else None
        if not isinstance(code, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", code) or code in seen:
            raise RuleViolationError(
                "Chaque champ porte un « code » différent, en minuscules sans accent.", field="reglages"
            )
        seen.add(code)
        if not isinstance(one.get("libelle"), str) or not one["libelle"].strip():
            raise RuleViolationError(f"Le champ « {code} » n’a pas de « libelle ».", field="reglages")
        if one.get("type") not in TYPES:
            raise RuleViolationError(
                f"Le « type » du champ « {code} » est l’un de : {', '.join(TYPES)}.", field="reglages"
            )
        if one["type"] == "choix" and not choices(one):
            raise RuleViolationError(
                f"Le champ « {code} » donne ses « choix » : des couples valeur, libellé.", field="reglages"
            )
        _check_mark(one)


def _check_mark(one: Champ) -> None:
    mark = one.get("remplace")
    if mark is not None and (
        one["type"] != "texte" or not isinstance(mark, str) or not _MARK.fullmatch(mark)
    ):
        raise RuleViolationError(
            f"Le champ « {one['code']} » est un texte qui « remplace » une marque telle que <id>.",
            field="reglages",
        )


def choices(field: Champ) -> list[str]:
    """Return the values one may choose; none when the schema does not say them well."""
    said = field.get("choix")
    pairs = said if isinstance(said, list) else []
    sound = all(isinstance(p, list) and len(p) == 2 and all(isinstance(w, str) for w in p) for p in pairs)
    return [pair[0] for pair in pairs] if sound else []


def read(schema: Schema, saisie: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed, read: field → value, secrets too.

    :raises RuleViolationError: a value the schema refuses, on its field.
    """
    values = {field["code"]: read_one(field, saisie.get(field["code"])) for field in schema}
    marks = {field["remplace"]: field for field in schema if field.get("remplace")}
    for field in schema:
        if field["type"] == "url" and values[field["code"]]:
            _check_address(field["code"], values, marks)
    return values


def read_one(field: Champ, typed: Any) -> Any:
    """Return what was typed for one field, read.

    :raises RuleViolationError: a value the schema refuses, on its field.
    """
    code, kind = field["code"], field["type"]
    if kind == "oui_non":
        return bool(typed)
    if kind == "profils":
        wanted = typed or []
        if not isinstance(wanted, list) or not all(one in PROFILS for one in wanted):
            raise RuleViolationError("Choisissez parmi les profils.", field=code)
        return [profil for profil in PROFILS if profil in wanted]
    if not (typed is None or isinstance(typed, str | int)) or isinstance(typed, bool):
        raise RuleViolationError("Écrivez un texte.", field=code)
    text = typed if typed is None else str(typed)
    if kind == "url":
        return clean_url(text, field=code)
    cleaned = clean_text(text, field=code, longest=255)
    if cleaned is None:
        return None
    if kind == "hote" and not _HOST.fullmatch(cleaned):
        raise RuleViolationError(
            "Écrivez le nom du serveur seul. Exemple : fichiers.college-exemple.fr", field=code
        )
    if kind == "port":
        if not re.fullmatch(r"[0-9]{1,5}", cleaned) or not 1 <= int(cleaned) <= 65535:
            raise RuleViolationError("Un port est un nombre de 1 à 65535.", field=code)
        return int(cleaned)
    if kind == "choix" and cleaned not in choices(field):
        raise RuleViolationError("Choisissez dans la liste.", field=code)
    if field.get("remplace") and not _NUMBER.fullmatch(cleaned):
        raise RuleViolationError(
            "Écrivez ce numéro avec des lettres et des chiffres, sans espace.", field=code
        )
    return cleaned


def _check_address(code: str, values: Mapping[str, Any], marks: Mapping[str, Champ]) -> None:
    """Refuse an address with a mark nothing replaces."""
    for mark in _MARK.findall(values[code]):
        field = marks.get(mark)
        if field is None:
            raise RuleViolationError(f"Remplacez « {mark} » dans cette adresse.", field=code)
        if not values[field["code"]]:
            raise RuleViolationError(
                f"Écrivez ce qui remplace « {mark} » dans l’adresse.", field=field["code"]
            )


def check_required(schema: Schema, values: Mapping[str, Any]) -> None:
    """Refuse an empty field the schema wants filled.

    :raises RuleViolationError: on the field.
    """
    for field in schema:
        if field.get("obligatoire") and values.get(field["code"]) in (None, "", []):
            raise RuleViolationError(f"Remplissez « {field['libelle']} ».", field=field["code"])


def secret_codes(schema: Schema) -> list[str]:
    """Return the fields that are secrets."""
    return [field["code"] for field in schema if field["type"] == "secret"]


def keep_secrets(
    schema: Schema,
    saisie: Mapping[str, Any],
    typed: Mapping[str, str | None],
    kept: Mapping[str, str],
    *,
    moved: bool,
) -> dict[str, str]:
    """Return the secrets that hold from now on: those typed, those kept, none of those to forget.

    ``moved``: where one connects is no longer what they were typed for. Nobody may read a secret: nor may
    anybody have it sent elsewhere.

    :raises RuleViolationError: one would be sent to another address.
    """
    held = {}
    for code, text in typed.items():
        if saisie.get(f"{code}{OUBLIER}"):
            continue
        if text is None and code in kept and moved:
            raise RuleViolationError(
                "L’adresse a changé : écrivez de nouveau ce mot de passe, ou oubliez-le.", field=code
            )
        value = text or kept.get(code)
        if value:
            held[code] = value
    return held


def moved(schema: Schema, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether one would connect elsewhere, or otherwise, than before."""
    places = [field["code"] for field in schema if field["type"] in CONNEXION or field.get("remplace")]
    return any(before.get(code) != after.get(code) for code in places)


def final_url(schema: Schema, values: Mapping[str, Any], code: str) -> str:
    """Return an address with every mark replaced by the value of its field."""
    address = str(values.get(code) or "")
    for field in schema:
        if field.get("remplace") and values.get(field["code"]):
            address = address.replace(field["remplace"], str(values[field["code"]]))
    return address


def asks_for_try(schema: Schema) -> bool:
    """Tell whether switching on asks for a try that succeeded (R7, R8)."""
    return any(field.get("essai") for field in schema)
