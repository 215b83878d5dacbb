"""People of SIECLE files converted to our records."""

from __future__ import annotations

from lxml import etree

from app.imports.aaf_people import parente_code
from app.imports.findings import Record, put_date, put_phone, put_text, text_of
from app.imports.text import civilite, parse_date, truth

REGIMES = {
    "0": "EXTERNE LIBRE",
    "1": "EXTERNE SURVEILLÉ",
    "10": "EXTERNE SURVEILLÉ",
    "2": "DEMI-PENSIONNAIRE",
    "3": "INTERNE DANS L’ÉTABLISSEMENT",
    "4": "INTERNE EXTERNÉ",
    "5": "INTERNE HÉBERGÉ",
    "6": "DEMI-PENSIONNAIRE HORS ÉTABLISSEMENT",
    "21": "DEMI-PENSIONNAIRE 1 JOUR",
    "22": "DEMI-PENSIONNAIRE 2 JOURS",
    "23": "DEMI-PENSIONNAIRE 3 JOURS",
    "24": "DEMI-PENSIONNAIRE 4 JOURS",
    "25": "DEMI-PENSIONNAIRE 5 JOURS",
    "26": "DEMI-PENSIONNAIRE 6 JOURS",
}


def enrolled(row: etree._Element, divisions: list[str]) -> bool:
    """Say whether a pupil is here: a MEF, a division and no date of leaving."""
    return bool(divisions and text_of(row, "CODE_MEF") and not text_of(row, "DATE_SORTIE"))


def pupil_of(row: etree._Element, cle: str, uai: str, academie: str) -> Record:
    """Convert an ELEVE; its class, groups, options and address stand elsewhere in the file."""
    record = _identity(row)
    identifiants = [["eleve_id", academie, cle]]
    if ine := text_of(row, "ID_NATIONAL", "INE_RNIE", "INE_BEA").upper():
        identifiants.append(["ine", "", ine[:64]])
    if private := text_of(row, "ID_PRV_ELE"):
        identifiants.append(["id_prv", uai, private[:64]])
    record["identifiants"] = identifiants
    others = [text_of(row, name) for name in ("PRENOM2", "PRENOM3")]
    record["autres_prenoms"] = ", ".join(name for name in others if name)[:200] or None
    record["date_naissance"] = parse_date(text_of(row, "DATE_NAISS"))
    if sexe := {"1": "M", "2": "F"}.get(text_of(row, "CODE_SEXE")):
        record["sexe"] = sexe
    regime = text_of(row, "CODE_REGIME")
    place: Record = {"uai": uai, "mef": text_of(row, "CODE_MEF")[:11]}
    if regime:
        place["regime"] = REGIMES.get(regime, f"Régime {regime}")[:60]
    put_date(place, "debut", row, "DATE_ENTREE")
    record["scolarites"] = [place]
    return record


def relative_of(row: etree._Element, cle: str, uai: str, academie: str) -> Record:
    """Convert a PERSONNE."""
    record = _identity(row)
    record["identifiants"] = [["personne_id", academie, cle]]
    if private := text_of(row, "ID_PRV_PER"):
        record["identifiants"].append(["id_prv", uai, private[:64]])
    record["civilite"] = civilite(text_of(row, "LC_CIVILITE", "LL_CIVILITE"))
    return record


def _identity(row: etree._Element) -> Record:
    family, usage = text_of(row, "NOM_DE_FAMILLE", "NOM"), text_of(row, "NOM_USAGE")
    record: Record = {
        "nom": (family or usage)[:100],
        "nom_usage": usage[:100] if usage and family and usage != family else None,
        "prenom": text_of(row, "PRENOM")[:100],
    }
    put_text(record, "email", 255, row, "MEL", "EMAIL")
    put_phone(record, "telephone_domicile", row, "TEL_PERSONNEL")
    put_phone(record, "telephone_portable", row, "TEL_PORTABLE")
    put_phone(record, "telephone_travail", row, "TEL_PROFESSIONNEL")
    return record


def link_of(row: etree._Element) -> Record:
    """Convert a RESPONSABLE_ELEVE, in the words of before or after 2018."""
    level = text_of(row, "NIVEAU_RESPONSABILITE")
    if level:
        niveau = int(level) if level in {"1", "2", "3"} else 3
    else:  # until 2018: legal 1, legal 2, or 0 for a contact
        niveau = 1 if text_of(row, "RESP_LEGAL") in {"1", "2"} else 3
    return {
        "eleve_cle": text_of(row, "ELEVE_ID"),
        "responsable_cle": text_of(row, "PERSONNE_ID"),
        "code_parente": parente_code(text_of(row, "CODE_PARENTE")),
        "niveau": niveau,
        "financier": truth(text_of(row, "PAIE_FRAIS_SCOLAIRES", "RESP_FINANCIER")),
        "contact": truth(text_of(row, "A_CONTACTER_EN_PRIORITE", "PERS_CONTACT")),
        "paiement": truth(text_of(row, "PERCOIT_LES_AIDES", "PERS_PAIEMENT", "PERS_PAIMENT")),
    }
