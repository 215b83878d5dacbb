"""What a line of a model aims at: its key read against the catalogue, and how it is said to people.

Keys are made of the catalogue's codes, so that a model outlives rows and goes from one platform to
another. A key the catalogue does not know (any more) aims at nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.models import PROFILS
from app.queries.droits import PROFIL_LABELS
from app.queries.etats_services import Catalogue, ComposantCatalogue, Key, RoleCatalogue, ServiceCatalogue

GENRES = {
    "etat": "Services actifs ou inactifs",
    "droit": "Droits des profils",
    "composant": "Logiciels et ressources",
    "reglage": "Réglages, sans les mots de passe",
}


@dataclass(frozen=True, slots=True)
class Cible:
    """One thing that can be set in a school. ``defaut`` is what holds when the school says nothing."""

    cle: str
    genre: str
    service: ServiceCatalogue
    key: Key
    libelle: str
    defaut: Any
    fixe: bool = False
    role: RoleCatalogue | None = None
    profil: str = ""
    composant: ComposantCatalogue | None = None
    champ: Mapping[str, Any] | None = None

    @property
    def group(self) -> Key:
        """Return which row of settings a setting is of."""
        return (self.service.id, self.composant.id if self.composant else None)

    @property
    def full(self) -> str:
        """Return its name with that of the service: «Forum : Parents, lecteur»."""
        return f"{self.service.nom}\u00a0: {self.libelle}"


def said(cible: Cible, value: Any) -> str:
    """Say a value as people read it."""
    if cible.genre == "droit":
        return "oui" if value else "non"
    if cible.genre in {"etat", "composant"}:
        return "actif" if value else "inactif"
    field = cible.champ or {}
    if value in (None, "", []):
        return "non renseigné"
    if field.get("type") == "oui_non":
        return "oui" if value else "non"
    if isinstance(value, list):
        return ", ".join(PROFIL_LABELS.get(str(one), str(one)) for one in value)
    return str(dict(field.get("choix", ())).get(value, value))


def targets(catalogue: Catalogue) -> Iterator[Cible]:
    """Yield everything a model may set, service by service."""
    for service in catalogue.values():
        if service.nature != "initial":
            yield _state(service)
        yield from _rights(service)
        yield from _settings(service, None)
        for part in service.composants.values():
            yield Cible(
                *(f"composant:{service.code}.{part.code}", "composant", service, ("composant", part.id)),
                libelle=part.nom,
                defaut=False,
                composant=part,
            )
            yield from _settings(service, part)


def by_key(catalogue: Catalogue) -> dict[str, Cible]:
    """Return everything a model may set, under the keys of its lines."""
    return {one.cle: one for one in targets(catalogue)}


def _state(service: ServiceCatalogue) -> Cible:
    return Cible(f"etat:{service.code}", "etat", service, ("etat", service.id), "service", defaut=False)


def _rights(service: ServiceCatalogue) -> Iterator[Cible]:
    for role in service.roles.values():
        for profil in PROFILS:
            if profil not in role.cells:
                continue
            defaut, fixe = role.cells[profil]
            yield Cible(
                f"droit:{service.code}.{role.code}:{profil}",
                "droit",
                service,
                ("droit", role.id, profil),
                f"{PROFIL_LABELS[profil]}, {role.nom.lower()}",
                defaut,
                fixe,
                role,
                profil,
            )


def _settings(service: ServiceCatalogue, part: ComposantCatalogue | None) -> Iterator[Cible]:
    where = f"{service.code}.{part.code}" if part else service.code
    for field in (part or service).reglages:
        if field["type"] != "secret":
            yield Cible(
                f"reglage:{where}:{field['code']}",
                "reglage",
                service,
                ("reglage", service.id, part.id if part else None, field["code"]),
                f"{part.nom}, {field['libelle']}" if part else str(field["libelle"]),
                defaut=None,
                composant=part,
                champ=field,
            )
