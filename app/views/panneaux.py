"""The settings of a service as a page draws them: one panel for it, one for each of its components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from app.errors import ConflictError, UserError
from app.exports.identifiants_services import LISTES
from app.extensions import db
from app.models import EssaiService, ReglageService
from app.operations import champs_service, reglages
from app.operations.champs_service import Schema
from app.operations.preuves import FIELD
from app.queries.acces import profils_with_access
from app.queries.droits import PROFIL_LABELS, ServiceIci
from app.queries.reglages import ComposantIci, Reglages, settings_of
from app.views.actors import deployment
from app.views.rendering import NBSP, number

LONGEST = 2000
ESSAYABLES = ("url", "hote")


@dataclass
class ChampVu:
    """One field: its schema, what is in it, what is wrong, what somebody else saved meanwhile."""

    schema: Mapping[str, Any]
    id: str
    valeur: Any
    enregistre: bool = False
    """Whether a secret is kept."""
    erreur: str = ""
    garde: str = ""

    @property
    def code(self) -> str:
        """Return its name in the form."""
        return str(self.schema["code"])

    @property
    def marque(self) -> str:
        """Return the mark its value replaces in addresses."""
        return str(self.schema.get("remplace") or "")


@dataclass
class Panneau:
    """The settings of a service, or of one of its components."""

    cle: str
    titre: str
    champs: list[ChampVu] = field(default_factory=list)
    version: int | None = None
    depuis: datetime | None = None
    par: str = ""
    essai: EssaiService | None = None
    essayable: bool = False
    exige: bool = False
    prouve: bool = False
    finale: str = ""
    erreur: str = ""
    passer_outre: str = ""
    composant: ComposantIci | None = None

    @property
    def code(self) -> str:
        """Return the code of the component, empty for the service itself."""
        return self.composant.composant.code if self.composant else ""

    @property
    def fautes(self) -> list[ChampVu]:
        """Return the fields to correct."""
        return [one for one in self.champs if one.erreur]


@dataclass
class Saisie:
    """What was typed in one panel and refused, or is being tried."""

    code: str
    valeurs: dict[str, Any]
    refus: UserError | None = None


@dataclass
class Panneaux:
    """Everything a school may set of a service."""

    service: Panneau | None
    composants: list[Panneau]
    listes: list[str] = field(default_factory=list)
    """Lists of identifiers the school may hand over."""
    profils: list[str] = field(default_factory=list)
    """Whose identifiers they hold."""

    def __bool__(self) -> bool:
        return self.service is not None or bool(self.composants) or bool(self.listes)

    @property
    def logiciels(self) -> bool:
        """Tell whether components are software, one of each place at most."""
        return any(one.composant and one.composant.composant.place for one in self.composants)


def typed_in(schema: Schema, sent: MultiDict[str, str]) -> dict[str, Any]:
    """Return what came back of the form of a panel."""
    found: dict[str, Any] = {}
    for one in schema:
        code = one["code"]
        match one["type"]:
            case "profils":
                found[code] = sent.getlist(code)
            case "oui_non":
                found[code] = code in sent
            case "secret":
                found[code] = sent.get(code, "")[:LONGEST]
                found[f"{code}{champs_service.OUBLIER}"] = f"{code}{champs_service.OUBLIER}" in sent
            case _:
                found[code] = sent.get(code, "")[:LONGEST]
    return found


def panneaux(etablissement_id: int, service: ServiceIci, saisie: Saisie | None = None) -> Panneaux:
    """Read the panels of a service of the school of the page; what was typed in one is kept."""
    found = settings_of(db.session(), etablissement_id, service.id, service.reglages)
    own = _panel(service.code, service.nom, service.reglages, found, None, saisie)
    parts = [
        _panel(
            f"{service.code}-{one.composant.code}",
            one.composant.nom,
            one.composant.reglages,
            found,
            one,
            saisie,
        )
        for one in found.composants
    ]
    return Panneaux(
        own if service.reglages else None,
        parts,
        lists_of(service, found.composants),
        profils_with_access(service),
    )


def lists_of(service: ServiceIci, composants: Sequence[ComposantIci]) -> list[str]:
    """Return the lists of identifiers a service and the components open to the school ask for."""
    asked = [service.export, *(one.composant.export for one in composants if one.ouvert)]
    return [name for name in asked if name in LISTES]


def _panel(
    key: str,
    title: str,
    schema: Schema,
    found: Reglages,
    composant: ComposantIci | None,
    saisie: Saisie | None,
) -> Panneau:
    own = composant.composant.id if composant else None
    row, tries = found.rows.get(own), found.essais.get(own, [])
    values: Mapping[str, Any] = row.valeurs if row else {}
    made = Panneau(
        key,
        title,
        version=row.version if row else None,
        depuis=row.modifie_le if row else None,
        par=row.par if row else "",
        essai=tries[0] if tries else None,
        essayable=any(one["type"] in ESSAYABLES for one in schema),
        exige=champs_service.asks_for_try(schema),
        prouve=bool(row) and found.proven(own, values),
        composant=composant,
    )
    mine = saisie if saisie is not None and saisie.code == made.code else None
    kept = reglages.secrets_of(row, deployment()) if row else {}
    shown = mine.valeurs if mine else values if row else {one["code"]: one.get("modele") for one in schema}
    made.champs = [
        ChampVu(one, f"{key}-{one['code']}", shown.get(one["code"]), enregistre=one["code"] in kept)
        for one in schema
    ]
    addresses = [one["code"] for one in schema if one["type"] == "url"]
    made.finale = champs_service.final_url(schema, values, addresses[0]) if addresses else ""
    if mine is not None and mine.refus is not None:
        _refuse(made, mine.refus, row)
    return made


def _refuse(made: Panneau, refusal: UserError, row: ReglageService | None) -> None:
    """Put a refusal on its field, on the box to tick or at the top; a conflict shows both values."""
    if refusal.field == FIELD:
        made.passer_outre = refusal.message
        return
    at_fault = next((one for one in made.champs if one.code == refusal.field), None)
    if at_fault is not None:
        at_fault.erreur = refusal.message
        return
    made.erreur = refusal.message
    if isinstance(refusal, ConflictError) and row is not None:
        for one in made.champs:
            now = row.valeurs.get(one.code)
            if one.schema["type"] != "secret" and told(one.schema, now) != told(one.schema, one.valeur):
                one.garde = told(one.schema, now)


def told(schema: Mapping[str, Any], value: Any) -> str:
    """Say a value as a person reads it."""
    if schema["type"] == "oui_non":
        return "oui" if value else "non"
    if value in (None, "", []):
        return "(vide)"
    if schema["type"] == "profils":
        return ", ".join(PROFIL_LABELS[one] for one in PROFIL_LABELS if one in value)
    if schema["type"] == "choix":
        return str(dict(schema["choix"]).get(value, value))
    return str(value).strip()


def seconds(milliseconds: int | None) -> str:
    """Say how long a try took: «0,3 s»."""
    tenths = max(0.1, round((milliseconds or 0) / 1000, 1))
    return f"{number(tenths)}{NBSP}s"


WORDS = {"secondes": seconds, "dire": told, "listes": LISTES, "libelles": PROFIL_LABELS}
"""What the template of the panels says things with."""


def untried(etablissement_id: int, service: ServiceIci) -> bool:
    """Tell whether a service is set to an address no try reached, though it asks for one (R7, R8)."""
    if not champs_service.asks_for_try(service.reglages):
        return False
    found = settings_of(db.session(), etablissement_id, service.id, service.reglages)
    row = found.rows.get(None)
    return row is not None and not found.proven(None, row.valeurs)
