"""What the generator knows of the people it invents; plain records, short-lived."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from app.exports.fictif.matieres import Matiere
from app.exports.fictif.nomenclature import Poste
from app.exports.fictif.plan import Commune, Division, Etablissement


@dataclass(slots=True, eq=False)
class Adresse:
    """Where somebody lives; ``cle`` numbers it in SIECLE."""

    cle: int
    ligne: str
    complement: str
    commune: Commune


@dataclass(slots=True, eq=False)
class Responsable:
    """An adult of a family. ``jointure`` is the key in AAF, ``personne_id`` the one in SIECLE."""

    jointure: int
    personne_id: int
    sexe: str
    nom: str
    nom_usage: str
    prenom: str
    adresse: Adresse
    domicile: str | None
    portable: str | None
    travail: str | None
    email: str | None
    sms: bool
    diffusion: bool


@dataclass(slots=True, eq=False)
class Lien:
    """What one adult is to one pupil. ``niveau``: 1 legal, 2 in charge, 3 contact."""

    responsable: Responsable
    parente: str
    niveau: int
    financier: bool
    contact: bool
    paiement: bool


@dataclass(slots=True, eq=False)
class Scolarite:
    """A pupil's place in one school."""

    etablissement: Etablissement
    division: Division
    groupes: list[str]
    options: list[Matiere]
    entree: date


@dataclass(slots=True, eq=False)
class Eleve:
    """A pupil. ``eleve_id`` is the key SIECLE and AAF share."""

    jointure: int
    eleve_id: int
    ine: str | None
    sexe: str
    nom: str
    prenom: str
    autres_prenoms: list[str]
    naissance: date
    regime: int
    boursier: bool
    transport: bool
    doublement: bool
    adresse: Adresse
    scolarites: list[Scolarite]
    liens: list[Lien]
    email: str | None = None
    portable: str | None = None


@dataclass(slots=True, eq=False)
class Famille:
    """Siblings and their adults; ``non_cites`` are adults no pupil names any more."""

    numero: int
    eleves: list[Eleve]
    responsables: list[Responsable]
    non_cites: list[Responsable] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Service:
    """A subject taught to one division, or to one group of divisions."""

    etablissement: Etablissement
    matiere: Matiere
    division: str | None
    groupe: str | None


@dataclass(slots=True, eq=False)
class Personnel:
    """A member of staff; ``postes`` pairs a school with a post, or with None when teaching."""

    jointure: int
    epp: int
    sexe: str
    nom: str
    nom_usage: str
    prenom: str
    naissance: date
    email: str
    postes: list[tuple[Etablissement, Poste | None]]
    matiere: Matiere | None = None
    services: list[Service] = field(default_factory=list)
    principal_de: list[tuple[Etablissement, str]] = field(default_factory=list)
