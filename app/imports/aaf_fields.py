"""One object of an AAF file, from its XML to attribute names and values."""

from __future__ import annotations

import re
from html import unescape as xml_unescape

from app.imports.text import clean, unescape

Raw = dict[str, str]
"""Attribute name → its values as serialised, not converted yet."""

_ATTRIBUTE = re.compile(r' name="([^"]*)"[^<>/]*>(.*?)</(?:attr|modification)>', re.DOTALL)
_ID = re.compile(r"<id>([^<]*)</id>")
_OPENING = '<attributes><attr name="'
_BETWEEN = '</attr><attr name="'
_CLOSING = "</attr></attributes></addRequest>"

CATEGORY_ATTRIBUTES = ("categoriePersonne", "categorieStructure", "categorieMef", "categorieMatiere")
CATEGORIES = {
    "EtabEducNat": "EtabEducNat",
    "MefEducNat": "MefEducNat",
    "MatEducNat": "MatEducNat",
    "MatiereEducNat": "MatEducNat",
    "Eleve": "Eleve",
    "PersRelEleve": "PersRelEleve",
    "PersEducNat": "PersEducNat",
}

_PERSON = {
    "categoriePersonne",
    "ENTPersonJointure",
    "ENTPersonDateNaissance",
    "ENTPersonNomPatro",
    "ENTPersonNom",
    "ENTPersonPrenom",
    "ENTPersonCivilite",
    "ENTPersonMail",
    "ENTPersonAutresPrenoms",
    "ENTPersonStructRattach",
    "ENTPersonAdresse",
    "ENTPersonCodePostal",
    "ENTPersonVille",
    "ENTPersonPays",
    "ENTPersonAdresseDiffusion",
    "ENTPersonTelPerso",
    "ENTPersRelEleveTelPro",
    "ENTPersRelEleveTelMobile",
    "ENTPersonMobileSMS",
    "sn",
    "givenName",
    "personalTitle",
    "mail",
    "mobile",
    "homePhone",
    "telephoneNumber",
}

KNOWN: dict[str, frozenset[str]] = {
    "EtabEducNat": frozenset(
        [
            "categorieStructure",
            "ENTStructureJointure",
            "ENTStructureUAI",
            "ENTEtablissementUAI",
            "ENTStructureSIREN",
            "ENTStructureNomCourant",
            "ENTStructureTypeStruct",
            "ENTStructureCodeTypeStruct",
            "ENTEtablissementMinistereTutelle",
            "ENTEtablissementCodeMinistereTutelle",
            "ENTEtablissementContrat",
            "postOfficeBox",
            "street",
            "postalCode",
            "l",
            "telephoneNumber",
            "facsimileTelephoneNumber",
            "ENTStructureMailSI",
            "ENTEtablissementStructRattachFctl",
            "ENTEtablissementBassin",
            "ENTServAcAcademie",
            "ENTServAcCodeAcademie",
            "ENTStructureClasses",
            "ENTStructureGroupes",
            "ENTEcoleMinistereTutelle",
            "ENTEcoleCodeMinistereTutelle",
            "ENTStructureBoitePostale",
            "ENTStructureAdresse",
            "ENTStructureCodePostal",
            "ENTStructureVille",
            "ENTStructureTelephone",
            "ENTStructureFax",
            "ENTEcoleSecteur",
            "ENTEcoleCirconscription",
            "ENTEcoleCommune",
            "ENTEcoleRPI",
            "ENTStructureEmail",
        ]
    ),
    "MefEducNat": frozenset(
        [
            "categorieMef",
            "ENTMefJointure",
            "ENTLibelleMef",
            "ENTMEFRattach",
            "ENTMEFSTAT11",
            "ENTNivFormation",
            "ENTFiliere",
        ]
    ),
    "MatEducNat": frozenset(["categorieMatiere", "ENTMatJointure", "ENTLibelleMatiere", "ENTMatiereRattach"]),
    "Eleve": frozenset(_PERSON)
    | frozenset(
        [
            "ENTEleveINE",
            "ENTEleveStructRattachId",
            "ENTElevePersRelEleve",
            "ENTEleveClasses",
            "ENTEleveGroupes",
            "ENTEleveMEF",
            "ENTEleveLibelleMEF",
            "ENTEleveNivFormation",
            "ENTEleveFiliere",
            "ENTEleveEnseignements",
            "ENTEleveCodeEnseignements",
            "ENTEleveRegime",
            "ENTEleveBoursier",
            "ENTEleveTransport",
            "ENTEleveStatutEleve",
            "ENTEleveAdresseRel",
            "ENTEleveDateEntreeClasses",
            "ENTEleveDateSortieClasses",
            "ENTEleveDateEntreeStructRattach",
            "ENTEleveDateSortieStructRattach",
            "ENTEleveParents",
            "ENTElevePere",
            "ENTEleveMere",
            "ENTEleveAutoriteParentale",
            "ENTElevePersRelEleve1",
            "ENTElevePersRelEleve2",
            "ENTEleveQualitePersRelEleve1",
            "ENTEleveQualitePersRelEleve2",
            "ENTPersonClasses",
            "ENTPersonGroupes",
            "ENTEleveNiveau",
            "ENTEleveCycle",
            "ENTEleveTypeClasse",
            "ENTEleveRestaurantScolaire",
            "ENTEleveGarderieMatin",
            "ENTEleveGarderieSoir",
            "ENTEleveEtudesSurveillees",
        ]
    ),
    "PersRelEleve": frozenset(_PERSON) | {"ENTAuxPersRelEleveEleve"},
    "PersEducNat": frozenset(_PERSON)
    | frozenset(
        [
            "ENTAuxEnsCategoDiscipline",
            "ENTAuxEnsDisciplinesPoste",
            "ENTAuxEnsMEF",
            "ENTAuxEnsMatiereEnseignEtab",
            "ENTAuxEnsClasses",
            "ENTAuxEnsGroupes",
            "ENTAuxEnsClassesMatieres",
            "ENTAuxEnsGroupesMatieres",
            "ENTAuxEnsClassesPrincipal",
            "ENTEnsFonctionDir",
            "ENTPersonFonctions",
            "PersEducNatPresenceDevantEleves",
            "ENTPersonCategorieEnseignant",
            "ENTEnsSpecialites",
            "ENTPersonClasses",
            "ENTPersonGroupes",
        ]
    ),
}
"""Attributes of each category, of both degrees. Others are tolerated and counted."""
ALL_KNOWN = frozenset[str]().union(*KNOWN.values())


def split_object(text: str) -> tuple[str, Raw]:
    """Return the key and the attributes of a request serialised without blanks."""
    found = _ID.search(text)
    return (found.group(1).strip() if found else ""), _fast(text) or dict(_ATTRIBUTE.findall(text))


def _fast(text: str) -> Raw | None:
    """Cut the usual shape of an addRequest by plain splits; None when it is any other shape."""
    head, opening, body = text.partition(_OPENING)
    if not opening or not body.endswith(_CLOSING):
        return None
    pairs = [piece.split('">', 1) for piece in body[: -len(_CLOSING)].split(_BETWEEN)]
    try:
        raw: Raw = dict(pairs)
    except ValueError:
        return None
    if not raw.keys() <= ALL_KNOWN:
        return None
    raw.update(_ATTRIBUTE.findall(head))
    return raw


def category_of(raw: Raw) -> str:
    """Return the category an object states."""
    for attribute in CATEGORY_ATTRIBUTES:
        if attribute in raw:
            return raw[attribute][7:-8]
    return ""


def values(raw: Raw, *names: str) -> list[str] | None:
    """Return the non-empty values of the first attribute present; None when none is."""
    for name in names:
        inner = raw.get(name)
        if inner is not None:
            return _values(inner)
    return None


def value(raw: Raw, *names: str) -> str | None:
    """Return the first value of the first attribute present and filled; None otherwise."""
    for name in names:
        inner = raw.get(name)
        if inner is None or inner == "<value/>":
            continue
        text = inner[7:-8]
        if "<" in text or "&" in text or inner[:7] != "<value>":
            found = _values(inner)
            if found:
                return found[0]
        elif cleaned := clean(text):
            return cleaned
    return None


def states(raw: Raw, *names: str) -> bool:
    """Say whether the source speaks of any of these attributes, be it to empty them."""
    return not raw.keys().isdisjoint(names)


def _values(inner: str) -> list[str]:
    if inner == "<value/>":
        return []
    if not inner.startswith("<value>"):
        inner = inner.replace("<value/>", "<value></value>")
    pieces = inner[7:-8].split("</value><value>") if "<value/>" not in inner else _uneven(inner)
    if "&" in inner:
        pieces = [unescape(xml_unescape(piece)) for piece in pieces]
    return [cleaned for piece in pieces if (cleaned := clean(piece))]


def _uneven(inner: str) -> list[str]:
    return inner.replace("<value/>", "<value></value>")[7:-8].split("</value><value>")


def fields(text: str, count: int) -> list[str]:
    """Split a composed value on «$» into exactly ``count`` stripped fields, missing ones empty."""
    parts = [part.strip() for part in text.split("$", count - 1)] if count > 1 else [text.strip()]
    return parts + [""] * (count - len(parts))
