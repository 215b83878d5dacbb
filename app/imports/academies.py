"""Which académie a département belongs to, since the regions of 2020."""

from __future__ import annotations

from app.imports.uai import departement_of

ACADEMIES: dict[str, str] = {
    "01": "Paris",
    "02": "Aix-Marseille",
    "03": "Besançon",
    "04": "Bordeaux",
    "06": "Clermont-Ferrand",
    "07": "Dijon",
    "08": "Grenoble",
    "09": "Lille",
    "10": "Lyon",
    "11": "Montpellier",
    "12": "Nancy-Metz",
    "13": "Poitiers",
    "14": "Rennes",
    "15": "Strasbourg",
    "16": "Toulouse",
    "17": "Nantes",
    "18": "Orléans-Tours",
    "19": "Reims",
    "20": "Amiens",
    "22": "Limoges",
    "23": "Nice",
    "24": "Créteil",
    "25": "Versailles",
    "27": "Corse",
    "28": "La Réunion",
    "31": "Martinique",
    "32": "Guadeloupe",
    "33": "Guyane",
    "40": "Nouvelle-Calédonie",
    "41": "Polynésie française",
    "42": "Wallis-et-Futuna",
    "43": "Mayotte",
    "44": "Saint-Pierre-et-Miquelon",
    "70": "Normandie",
}
"""Code → name. Caen (05) and Rouen (21) became Normandie (70) in 2020."""

_ANCIENNES = {"05": "70", "21": "70"}

_DEPARTEMENTS: dict[str, str] = {
    "01": "75",
    "02": "04 05 13 84",
    "03": "25 39 70 90",
    "04": "24 33 40 47 64",
    "06": "03 15 43 63",
    "07": "21 58 71 89",
    "08": "07 26 38 73 74",
    "09": "59 62",
    "10": "01 42 69",
    "11": "11 30 34 48 66",
    "12": "54 55 57 88",
    "13": "16 17 79 86",
    "14": "22 29 35 56",
    "15": "67 68",
    "16": "09 12 31 32 46 65 81 82",
    "17": "44 49 53 72 85",
    "18": "18 28 36 37 41 45",
    "19": "08 10 51 52",
    "20": "02 60 80",
    "22": "19 23 87",
    "23": "06 83",
    "24": "77 93 94",
    "25": "78 91 92 95",
    "27": "2A 2B 20",
    "28": "974",
    "31": "972",
    "32": "971 977 978",
    "33": "973",
    "40": "983 988",
    "41": "984 987",
    "42": "986",
    "43": "976 985",
    "44": "975",
    "70": "14 27 50 61 76",
}

DEPARTEMENTS: dict[str, str] = {
    departement: code for code, several in _DEPARTEMENTS.items() for departement in several.split()
}
"""Département → académie code. 985 was Mayotte's number in UAI before 2011, 983 New Caledonia's."""


def academie_of(uai: str) -> tuple[str, str] | None:
    """Return (code, name) of the académie of a UAI's département, or None when unknown."""
    code = DEPARTEMENTS.get(departement_of(uai))
    return (code, ACADEMIES[code]) if code else None


def academie_code(written: str) -> str | None:
    """Return the two-digit code of an académie as files write it («13», «013», «5»)."""
    digits = written.strip().lstrip("0").zfill(2)
    digits = _ANCIENNES.get(digits, digits)
    return digits if digits in ACADEMIES else None
