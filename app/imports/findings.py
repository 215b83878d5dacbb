"""Small records shared by the readers of school files: digests, eager fiches, anomalies."""

from __future__ import annotations

import json
from functools import partial
from hashlib import blake2b
from typing import Any

from lxml import etree

from app.imports.text import clean, parse_date, phone, unescape
from app.imports.uai import is_ine
from app.operations.alimentation.fiches import Anomalie, Fiche, Objet

Record = dict[str, Any]
Item = Fiche | Anomalie


def _given(record: Record) -> Record:
    return record


def fiche(objet: Objet, cle: str, record: Record, ligne: int | None, uai: str | None) -> Fiche:
    """Return the fiche of a record already converted; its digest is that of the record."""
    data = json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    empreinte = blake2b(data.encode(), digest_size=16).digest()
    return Fiche(objet, cle, empreinte, ligne or 0, partial(_given, record), uai)


def text_of(element: etree._Element, *names: str) -> str:
    """Return the clean text of the first filled child of these names, else «»."""
    for name in names:
        if found := clean(unescape(element.findtext(name) or "")):
            return found
    return ""


def put_text(record: Record, key: str, length: int, element: etree._Element, *names: str) -> None:
    """Copy a child's text into a record: absent says nothing, empty erases."""
    if any(element.find(name) is not None for name in names):
        record[key] = text_of(element, *names)[:length] or None


def put_label(record: Record, element: etree._Element) -> None:
    """Copy the label of a class or group; a file without it says nothing of it."""
    if element.find("LIBELLE_LONG") is not None:
        record["libelle"] = text_of(element, "LIBELLE_LONG")[:120]


def put_phone(record: Record, key: str, element: etree._Element, name: str) -> None:
    """Copy a phone number into a record."""
    if element.find(name) is not None:
        record[key] = phone(text_of(element, name)) or None


def put_date(record: Record, key: str, element: etree._Element, name: str) -> None:
    """Copy a date into a record, None when it is empty or does not exist."""
    if element.find(name) is not None:
        record[key] = parse_date(text_of(element, name))


def label(record: Record) -> str:
    """Return «NOM Prénom» of a record."""
    name = record.get("nom_usage") or record.get("nom") or ""
    return clean(f"{name.upper()} {record.get('prenom') or ''}")[:240]


def person_findings(record: Record, written_date: str) -> list[tuple[str, str]]:
    """Return what is wrong with a person's names, birth date and INE."""
    found = []
    if not record.get("nom"):
        found.append(("nom_absent", "Le nom est vide : complétez-le dans l’application d’origine."))
    if not record.get("prenom"):
        found.append(("prenom_absent", "Le prénom est vide : complétez-le dans l’application d’origine."))
    if written_date and not record.get("date_naissance"):
        found.append(
            (
                "date_invalide",
                f"La date de naissance « {written_date[:20]} » n’existe pas : corrigez-la dans "
                "l’application d’origine.",
            )
        )
    for kind, _scope, number in record.get("identifiants", []):
        if kind == "ine" and not is_ine(number):
            found.append(
                (
                    "ine_invalide",
                    f"L’INE « {number[:20]} » n’a pas la forme attendue (11 chiffres et lettres) : "
                    "vérifiez-le.",
                )
            )
    return found


def usable(findings: list[tuple[str, str]]) -> bool:
    """Say whether a person can be kept: a name and a first name are needed."""
    return not any(code in {"nom_absent", "prenom_absent"} for code, _sentence in findings)
