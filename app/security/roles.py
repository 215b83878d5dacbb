"""The role matrix of SPEC A, declared once; built by inclusion.

``RIGHTS`` is what pages, menus and the generated tests all read. No role lives in the database, and
Flask-AppBuilder's own are never read (docs/decisions/003-droits-en-code-perimetre-en-base.md).
"""

from __future__ import annotations

from enum import StrEnum

from app.security.permissions import Resource as R  # noqa: N817
from app.security.permissions import Verb as V  # noqa: N817

Right = tuple[V, R]


class Role(StrEnum):
    """Roles of SPEC A."""

    ASSISTANT_N2 = "assistant_n2"
    ACCOMPAGNEMENT = "accompagnement"
    ASSISTANT_PLATEFORME = "assistant_plateforme"
    CORRESPONDANT_DEPLOIEMENT = "correspondant_deploiement"
    CORRESPONDANT = "correspondant"
    CHEF_ETABLISSEMENT = "chef_etablissement"
    COLLECTIVITE = "collectivite"
    ENSEIGNANT = "enseignant"
    PERSONNEL = "personnel"
    ELEVE = "eleve"
    RESPONSABLE = "responsable"
    INVITE = "invite"


class Portee(StrEnum):
    """What kind of perimeter a role is held over."""

    PLATEFORME = "plateforme"
    ACADEMIE = "academie"
    COLLECTIVITE = "collectivite"
    ETABLISSEMENT = "etablissement"
    SOI = "soi"


ROLE_LABELS: dict[Role, str] = {
    Role.ASSISTANT_N2: "Assistant de niveau 2",
    Role.ACCOMPAGNEMENT: "Personnel d’accompagnement académique",
    Role.ASSISTANT_PLATEFORME: "Assistant de plate-forme académique",
    Role.CORRESPONDANT_DEPLOIEMENT: "Correspondant déploiement",
    Role.CORRESPONDANT: "Administrateur local / Correspondant ENT",
    Role.CHEF_ETABLISSEMENT: "Chef d’établissement",
    Role.COLLECTIVITE: "Collectivité",
    Role.ENSEIGNANT: "Enseignant",
    Role.PERSONNEL: "Personnel",
    Role.ELEVE: "Élève",
    Role.RESPONSABLE: "Parent ou responsable",
    Role.INVITE: "Invité",
}

ROLE_PORTEES: dict[Role, Portee] = {
    Role.ASSISTANT_N2: Portee.PLATEFORME,
    Role.ACCOMPAGNEMENT: Portee.ACADEMIE,
    Role.ASSISTANT_PLATEFORME: Portee.ACADEMIE,
    Role.CORRESPONDANT_DEPLOIEMENT: Portee.ACADEMIE,
    Role.CORRESPONDANT: Portee.ETABLISSEMENT,
    Role.CHEF_ETABLISSEMENT: Portee.ETABLISSEMENT,
    Role.COLLECTIVITE: Portee.COLLECTIVITE,
    Role.ENSEIGNANT: Portee.SOI,
    Role.PERSONNEL: Portee.SOI,
    Role.ELEVE: Portee.SOI,
    Role.RESPONSABLE: Portee.SOI,
    Role.INVITE: Portee.SOI,
}


SECOND_FACTEUR = frozenset(
    {
        Role.ASSISTANT_N2,
        Role.ACCOMPAGNEMENT,
        Role.ASSISTANT_PLATEFORME,
        Role.CORRESPONDANT_DEPLOIEMENT,
    }
)
"""Roles that ask for a second factor (A5)."""

EDITEUR: frozenset[Right] = frozenset({(V.LIRE, R.REDACTION), (V.ECRIRE, R.REDACTION)})
"""What who writes the public page of a school may do there, whatever their role (U5, P4)."""


def _read(*resources: R) -> frozenset[Right]:
    return frozenset((verb, resource) for resource in resources for verb in (V.LIRE, V.MENU))


def _write(*resources: R) -> frozenset[Right]:
    return _read(*resources) | frozenset((V.ECRIRE, resource) for resource in resources)


_SOI = _read(R.MON_ESPACE)
_LECTEUR = _SOI | _read(R.ETABLISSEMENT, R.PERSONNE, R.RATTACHEMENT, R.DIVISION, R.NOMENCLATURE)
_CORRESPONDANT = _LECTEUR | _write(R.ALIMENTATION, R.INVITE, R.IDENTIFIANT) | _read(R.JOURNAL, R.TACHE)
_CORRESPONDANT |= _write(R.SUPPRESSION, R.DOUBLON, R.SERVICE, R.MODELE) | _read(R.DONNEES, R.REGISTRE)
_CORRESPONDANT |= _write(R.PAGE, R.REDACTION, R.RESERVATION)
_ACADEMIQUE = (
    _CORRESPONDANT
    | _read(R.ACADEMIE, R.COLLECTIVITE, R.COURRIEL, R.COMPTE, R.CATALOGUE)
    | _write(R.ETABLISSEMENT, R.CLE_API, R.PERSONNE, R.ADMINISTRATEUR)
)
_ACADEMIQUE |= _write(R.DONNEES)

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ASSISTANT_N2: frozenset((verb, resource) for verb in V for resource in R),
    Role.ACCOMPAGNEMENT: _ACADEMIQUE,
    Role.ASSISTANT_PLATEFORME: _ACADEMIQUE,
    Role.CORRESPONDANT_DEPLOIEMENT: _ACADEMIQUE,
    Role.CORRESPONDANT: _CORRESPONDANT | _write(R.ETABLISSEMENT, R.PERSONNE),
    Role.CHEF_ETABLISSEMENT: _LECTEUR
    | _read(R.ALIMENTATION, R.INVITE, R.IDENTIFIANT, R.JOURNAL, R.SERVICE, R.PAGE, R.REDACTION)
    | _read(R.RESERVATION),
    Role.COLLECTIVITE: _SOI | _read(R.ETABLISSEMENT),
    Role.ENSEIGNANT: _SOI,
    Role.PERSONNEL: _SOI,
    Role.ELEVE: _SOI,
    Role.RESPONSABLE: _SOI,
    Role.INVITE: _SOI,
}
