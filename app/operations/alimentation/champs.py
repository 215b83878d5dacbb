"""A record read from a file, in the shape the base is compared with.

A person's record splits in two: the identity, which stands once, and one *part* per school (what
the person is there). Lists are sorted, so that two orders of one file give no difference.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from app.operations.alimentation.fiches import Objet

Record = dict[str, Any]
Part = dict[str, Any]

ORDRE = {objet.value: rang for rang, objet in enumerate(Objet)}
"""Kind of object → its rank within a school; the rank is the order of application."""

PERSONNES = ("eleve", "responsable", "personnel")

PROFILS_DE: dict[str, tuple[str, ...]] = {
    "eleve": ("eleve",),
    "responsable": ("responsable",),
    "personnel": ("enseignant", "personnel"),
}
"""Kind of object → the profiles of attachment it feeds."""

LARGEURS = {
    "nom": 100,
    "nom_usage": 100,
    "prenom": 100,
    "autres_prenoms": 200,
    "civilite": 4,
    "sexe": 1,
    "date_naissance": 10,
    "email": 255,
    "telephone_domicile": 20,
    "telephone_portable": 20,
    "telephone_travail": 20,
    "adresse": 255,
    "code_postal": 10,
    "commune": 80,
    "pays": 60,
}
"""Columns of a person that feeds fill, with their width."""

IDENTITE = tuple(LARGEURS)

LARGEURS_ETABLISSEMENT = {
    "nom": 160,
    "type": 60,
    "code_nature": 4,
    "secteur": 6,
    "etat": 6,
    "siren": 14,
    "adresse": 255,
    "code_postal": 10,
    "commune": 80,
    "telephone": 20,
    "email": 255,
    "site_web": 255,
    "ouvert_le": 10,
}
"""Columns of a school that feeds fill as they are (numbers and links apart)."""

FACETTES = ("division", "mef", "regime", "groupes", "options", "fonctions", "services", "principal")
"""What a part may say of a person in a school."""


def couper(record: Record, largeurs: dict[str, int]) -> list[str]:
    """Clip the texts of a record to the width of their column; return the keys that were clipped."""
    clipped: list[str] = []
    for key, width in largeurs.items():
        value = record.get(key)
        if value and isinstance(value, str) and len(value) > width:
            record[key] = value[:width]
            clipped.append(key)
    return clipped


def identite(record: Record) -> Record:
    """Return the identity columns the record states, ready for the base."""
    found = {key: record[key] or None for key in LARGEURS if key in record}
    if email := found.get("email"):
        found["email"] = email.lower()
    return found


def parts(objet: str, record: Record, uai: str | None, today: str) -> dict[str, Part] | None:
    """Return school → what the record says of the person there, or None when it says nothing.

    A schooling that ended before ``today`` is no part. A guardian has an empty part in the school
    of the file; the others come from the pupils that cite them.
    """
    if objet == "eleve":
        places = record.get("scolarites")
        if places is None or (places and not any(item.get("uai") for item in places)):
            return None  # a delta that names no school is not a departure
        return {
            item["uai"]: _schooling(item)
            for item in places
            if item.get("uai") and not (item.get("fin") and item["fin"] <= today)
        }
    if objet == "personnel":
        return _posts(record)
    return {uai: {}} if uai else {}


def ailleurs(record: Record, today: str) -> Part | None:
    """Return what a delta says of a pupil's schools without naming one, or None."""
    for item in record.get("scolarites") or ():
        if not item.get("uai") and not (item.get("fin") and item["fin"] <= today):
            return _schooling(item)
    return None


def quittees(record: Record, ouvertes: list[str], today: str) -> set[str]:
    """Return the schools a delta says a pupil has left, among those where they are.

    A day of leaving that has come; or every school not named, when the main school and the
    classes are both stated again.
    """
    left: set[str] = set()
    for item in record.get("scolarites") or ():
        if item.get("fin") and item["fin"] <= today:
            left |= {item["uai"]} if item.get("uai") else set(ouvertes)
    if record.get("scolarites_entieres"):
        named = {item.get("uai") for item in record["scolarites"]}
        left |= set(ouvertes) - named
    return left


def _schooling(item: Record) -> Part:
    part: Part = {key: item[key] or None for key in ("division", "mef", "regime", "debut") if key in item}
    for key in ("groupes", "options"):
        if key in item:
            part[key] = sorted({code for code in item[key] or () if code})
    if part.get("regime"):
        part["regime"] = part["regime"][:60]
    return part


def _posts(record: Record) -> dict[str, Part] | None:
    """Return what a member of staff does in each school."""
    keys = ("etablissements", "fonctions", "services", "principal_de")
    if not any(key in record for key in keys):
        return None
    schools = [uai for uai in record.get("etablissements") or () if uai]
    for key in keys[1:]:
        schools += [item["uai"] for item in record.get(key) or () if item.get("uai")]
    profil = record.get("profil")
    found: dict[str, Part] = {}
    for uai in dict.fromkeys(schools):
        part: Part = {"profil": profil} if profil else {}
        if "fonctions" in record:
            part["fonctions"] = _functions(record, uai)
        if "services" in record:
            part["services"] = sorted(
                {
                    (item.get("division") or "", item.get("groupe") or "", item.get("matiere") or "")
                    for item in record["services"] or ()
                    if item.get("uai") == uai and bool(item.get("division")) != bool(item.get("groupe"))
                }
            )
            part["services"] = [list(item) for item in part["services"]]
        if "principal_de" in record:
            part["principal"] = sorted(
                {item["division"] for item in record["principal_de"] or () if item.get("uai") == uai}
            )
        found[uai] = part
    return found


def _functions(record: Record, uai: str) -> list[list[str | None]]:
    """Return the functions held in a school; one without discipline takes the person's own.

    The discipline is None when the source says nothing of it, empty when it says there is none.
    """
    own = [item["code"] for item in record.get("disciplines") or () if item.get("code")]
    found: set[tuple[str, str | None]] = set()
    for item in record["fonctions"] or ():
        if item.get("uai") != uai or not item.get("code"):
            continue
        none = "" if "discipline_code" in item else None
        codes = [item["discipline_code"]] if item.get("discipline_code") else own or [none]
        found.update((item["code"][:12], code[:40] if code else code) for code in codes)
    return [list(item) for item in sorted(found, key=lambda item: (item[0], item[1] or ""))]


def liens(record: Record) -> dict[str, list[Any]] | None:
    """Return guardian's key → what the adult is to the pupil, or None when the source says nothing."""
    if "responsables" not in record:
        return None
    return {item["cle"]: attributs_lien(item) for item in record["responsables"] or () if item.get("cle")}


def attributs_lien(item: Record) -> list[Any]:
    """Return what an adult is to a pupil: kinship code, level, and what they are asked for."""
    niveau = item.get("niveau")
    return [
        str(item.get("code_parente") or "90")[:2],
        niveau if niveau in (1, 2, 3) else 3,
        bool(item.get("financier")),
        bool(item.get("contact")),
        bool(item.get("paiement")),
    ]


def identifiants(record: Record) -> list[tuple[str, str, str]]:
    """Return the (type, scope, value) identifiers of a record in the official matching order."""
    found = [
        (str(type_)[:16], str(portee or "")[:16], str(valeur)[:64])
        for type_, portee, valeur in record.get("identifiants") or ()
        if valeur
    ]
    return list(dict.fromkeys(found))


def libelle(objet: str, record: Record, cle: str) -> str:
    """Return the name a person reads for the object: «NOM Prénom – JJ/MM/AAAA» for people."""
    if objet in PERSONNES:
        name = f"{(record.get('nom_usage') or record.get('nom') or '').upper()} {record.get('prenom') or ''}"
        born = record.get("date_naissance")
        name = name.strip()
        return f"{name} – {born[8:10]}/{born[5:7]}/{born[:4]}" if born and len(born) >= 10 else name or cle
    if objet == "etablissement":
        return f"{record.get('nom') or record.get('uai') or cle}"[:240]
    code = str(record.get("code") or cle)
    title = record.get("libelle")
    return f"{code} – {title}"[:240] if title and title != code else code


def identifiant_lu(objet: str, record: Record, cle: str) -> str:
    """Return the identifier shown beside the name: the INE of a pupil, else the source's key."""
    if objet == "eleve":
        for type_, _portee, valeur in record.get("identifiants") or ():
            if type_ == "ine" and valeur:
                return str(valeur)[:80]
    if objet == "etablissement":
        return str(record.get("uai") or cle)[:80]
    return cle[:80]


def iso(value: Any) -> str | None:
    """Return a date as ISO text, whatever the driver gave."""
    return value.isoformat() if isinstance(value, date) else value
