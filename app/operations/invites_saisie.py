"""Reading what was typed or filed of a guest: clean values, what is wrong, and what would mend it (U12, U13).

The form and each line of a file go through the same checks. Pure: no base, no session.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import phonenumbers
from rapidfuzz import fuzz, process

from app.errors import RuleViolationError
from app.operations.saisies import clean_text

CHAMPS: dict[str, str] = {
    "nom": "Nom",
    "prenom": "Prénom",
    "civilite": "Titre",
    "email": "Mail",
    "date_naissance": "Date de naissance",
    "adresse": "Adresse",
    "code_postal": "Code postal",
    "commune": "Commune",
    "telephone_domicile": "Téléphone domicile",
    "telephone_portable": "Téléphone portable",
    "telephone_travail": "Téléphone professionnel",
}
"""Fields of a guest, in the order of the source (U13)."""
OBLIGATOIRES = ("nom", "prenom", "email", "date_naissance")
LONGUEURS = {
    "nom": 100, "prenom": 100, "email": 255, "adresse": 255, "code_postal": 10, "commune": 80,
    "civilite": 20,
}  # fmt: skip
"""A title is longer as written (« Mademoiselle ») than as kept (« Mme »)."""
MANQUE = {
    "nom": "Le nom manque.",
    "prenom": "Le prénom manque.",
    "email": "L’adresse mail manque : les identifiants ne pourraient pas être envoyés.",
    "date_naissance": "La date de naissance manque.",
}
TITRES = {"m": "M.", "mr": "M.", "monsieur": "M."} | dict.fromkeys(
    ("mme", "madame", "mlle", "mademoiselle"), "Mme"
)
AGES = (10, 110)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
_DAY = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?")
_NAME = re.compile(r"[^\W\d_]", re.UNICODE)
DOMAINES = (
    "gmail.com", "hotmail.fr", "hotmail.com", "outlook.fr", "outlook.com", "orange.fr", "wanadoo.fr",
    "free.fr", "laposte.net", "sfr.fr", "yahoo.fr", "yahoo.com", "icloud.com", "live.fr", "bbox.fr",
    "protonmail.com",
)  # fmt: skip
"""Providers whose names people mistype."""
NEAR = 88


@dataclass(frozen=True, slots=True)
class Constat:
    """What is said of one field: an error that stops, or a remark; and what would mend it, if known."""

    champ: str
    texte: str
    erreur: bool = True
    suggestion: str = ""


@dataclass(slots=True)
class Lecture:
    """One guest read: values by field, and what is said of them."""

    valeurs: dict[str, str | date | None] = field(default_factory=dict)
    constats: list[Constat] = field(default_factory=list)

    @property
    def juste(self) -> bool:
        """Tell whether nothing stops it."""
        return not any(one.erreur for one in self.constats)

    @property
    def naissance(self) -> date:
        """Return the birth date of a guest that read well."""
        born = self.valeurs.get("date_naissance")
        if not isinstance(born, date):
            raise TypeError("no birth date was read")
        return born

    def nom(self) -> tuple[str, str]:
        """Return last and first name."""
        return str(self.valeurs["nom"]), str(self.valeurs["prenom"])

    def erreurs(self) -> dict[str, str]:
        """Return what stops each field."""
        return {one.champ: one.texte for one in self.constats if one.erreur}


def lire(brut: Mapping[str, str], *, aujourdhui: date) -> Lecture:
    """Read every field of a guest; nothing is guessed that was not written."""
    read = Lecture()
    for name in CHAMPS:
        written = brut.get(name) or ""
        try:
            text = clean_text(_unspaced(written), field=name, longest=LONGUEURS.get(name, 255)) or ""
        except RuleViolationError as error:
            read.constats.append(Constat(name, error.message))
            continue
        if not text:
            if name in OBLIGATOIRES:
                read.constats.append(Constat(name, MANQUE[name]))
            read.valeurs[name] = None
            continue
        value, said = _READERS.get(name, _as_is)(name, text, aujourdhui)
        read.valeurs[name] = value
        if said is not None:
            read.constats.append(said)
    return read


def lire_un(champ: str, value: str | None, *, aujourdhui: date) -> str | date | None:
    """Read one field of a guest.

    :raises RuleViolationError: on the field, with what is wrong.
    """
    text = clean_text(_unspaced(value or ""), field=champ, longest=LONGUEURS.get(champ, 255))
    if text is None:
        if champ in OBLIGATOIRES:
            raise RuleViolationError(MANQUE[champ], field=champ)
        return None
    found, said = _READERS.get(champ, _as_is)(champ, text, aujourdhui)
    if said is not None and said.erreur:
        raise RuleViolationError(said.texte, field=champ)
    return found


Read = tuple[str | date | None, Constat | None]


def _unspaced(text: str) -> str:
    """Return a text with plain single spaces: files are full of tabs and non-breaking ones."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _as_is(_name: str, text: str, _today: date) -> Read:
    return text, None


def _named(name: str, text: str, _today: date) -> Read:
    if not _NAME.search(text):
        return None, Constat(name, f"« {text[:40]} » n’est pas un {CHAMPS[name].lower()}.")
    return text, None


def _titled(name: str, text: str, _today: date) -> Read:
    found = TITRES.get(text.lower().rstrip("."))
    if found is None:
        said = f"Le titre « {text[:20]} » n’est ni M. ni Mme : il ne sera pas gardé."
        return None, Constat(name, said, erreur=False)
    return found, None


def _mailed(name: str, text: str, _today: date) -> Read:
    if not _EMAIL.fullmatch(text) or ".." in text or text.startswith(".") or ".@" in text:
        mended = _mend_email(text)
        return None, Constat(name, f"« {text[:60]} » n’est pas une adresse mail complète.", suggestion=mended)
    local, _, domain = text.rpartition("@")
    near = _near_domain(domain.lower())
    if near:
        said = f"« {domain} » ressemble à {near}. Vérifiez l’adresse."
        return text, Constat(name, said, erreur=False, suggestion=f"{local}@{near}")
    return text, None


def _mend_email(text: str) -> str:
    """Return the address that was meant, when one slip explains it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    tried = plain.removeprefix("mailto:").strip("<>()[]«»\"' ;,.").replace(" ", "")
    tried = (
        tried.replace(",", ".").replace(";", ".").replace("..", ".").replace("(at)", "@").replace("@@", "@")
    )
    if "@" not in tried:
        domain = next((one for one in DOMAINES if tried.lower().endswith(one)), "")
        local = tried[: len(tried) - len(domain)].rstrip(".@") if domain else ""
        tried = f"{local}@{domain}" if local else tried
    elif "." not in tried.rpartition("@")[2]:
        local, _, name = tried.rpartition("@")
        whole = [one for one in DOMAINES if one.partition(".")[0] == name.lower()]
        tried = f"{local}@{whole[0]}" if len(whole) == 1 else tried
    return tried if tried != text and _EMAIL.fullmatch(tried) else ""


@lru_cache(maxsize=4096)
def _near_domain(domain: str) -> str:
    """Return the provider a domain is one slip away from."""
    if domain in DOMAINES or domain.partition(".")[0] in {one.partition(".")[0] for one in DOMAINES}:
        return ""
    found = process.extractOne(domain, DOMAINES, scorer=fuzz.ratio, score_cutoff=NEAR)
    return str(found[0]) if found else ""


def _born(name: str, text: str, today: date) -> Read:
    example = "Écrivez-la ainsi : 25/09/1980."
    if found := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _DAY.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        if len(found[3]) == 2:
            century = 2000 if year <= today.year % 100 - AGES[0] else 1900
            mended = _safe_date(century + year, month, day)
            said = f"L’année de « {text} » n’a que deux chiffres."
            return None, Constat(name, said, suggestion=_written(mended))
    else:
        return None, Constat(name, f"« {text[:30]} » n’est pas une date. {example}")
    born = _safe_date(year, month, day)
    if born is None:
        mended = _safe_date(year, day, month)
        return None, Constat(name, f"Le {text} n’existe pas.", suggestion=_written(mended))
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if born > today:
        return None, Constat(name, f"Le {born:%d/%m/%Y} est à venir : ce n’est pas une date de naissance.")
    if not AGES[0] <= age <= AGES[1]:
        return None, Constat(
            name,
            f"Né le {born:%d/%m/%Y}, cet invité aurait {age} an{'s' if age > 1 else ''}. Vérifiez l’année.",
        )
    return born, None


def _safe_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _written(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _postal(name: str, text: str, _today: date) -> Read:
    digits = text.replace(" ", "")
    if digits.isascii() and digits.isdigit() and len(digits) == 4:
        return f"0{digits}", Constat(name, f"Le zéro du début manquait : lu 0{digits}.", erreur=False)
    if not re.fullmatch(r"[A-Za-z0-9 -]{3,10}", text):
        return None, Constat(name, f"« {text[:20]} » n’est pas un code postal.", erreur=True)
    return digits if digits.isdigit() else text, None


def _phoned(name: str, text: str, _today: date) -> Read:
    number = telephone(text)
    if number is None:
        said = f"« {text[:25]} » n’est pas un numéro de téléphone. Exemple : 02 47 00 00 00."
        return None, Constat(name, said)
    return number, None


@lru_cache(maxsize=8192)
def telephone(text: str) -> str | None:
    """Return a number as the base holds it: ten digits in France, with its country abroad; None if none.

    The zero a spreadsheet took away is given back.
    """
    tried = re.sub(r"[^\d+]", "", text)
    if len(tried) == 9 and tried[0] in "1234567":
        tried = f"0{tried}"
    try:
        parsed = phonenumbers.parse(tried, "FR")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed) or re.search(r"[A-Za-z]", text):
        return None
    if parsed.country_code == 33:
        return f"0{parsed.national_number}"
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[:20]


_READERS = {
    "nom": _named,
    "prenom": _named,
    "civilite": _titled,
    "email": _mailed,
    "date_naissance": _born,
    "code_postal": _postal,
    "telephone_domicile": _phoned,
    "telephone_portable": _phoned,
    "telephone_travail": _phoned,
}
