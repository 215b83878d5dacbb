"""Effective rights explained: for a profile, for a person, and between two schools or two dates (R10, A7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.models import PROFILS
from app.queries.droits import (
    PROFIL_LABELS,
    Decision,
    Regle,
    RoleIci,
    ServiceIci,
    profils_of,
    services_of,
)

PHRASES = {
    Regle.INDISPONIBLE: "Service non proposé à l’établissement",
    Regle.INACTIF: "Service inactif dans l’établissement",
    Regle.FIXE: "Fixé par la plate-forme",
    Regle.ETABLISSEMENT: "Réglé par l’établissement",
    Regle.DEFAUT: "Valeur du catalogue",
    Regle.HORS_CATALOGUE: "Ce droit n’est pas au catalogue",
}


@dataclass(frozen=True, slots=True)
class DroitExplique:
    """A right, whether it is in effect, and by which rule and which profile."""

    service: ServiceIci
    role: RoleIci
    accorde: bool
    regle: Regle
    profils: tuple[str, ...]

    @property
    def regle_dite(self) -> str:
        """Say the rule alone: «Réglé par l’établissement», with why when the platform fixes it."""
        case = self.role.case(self.profils[0]) if self.profils else None
        if self.regle == Regle.FIXE and case is not None and not case.raison.startswith("Fixé"):
            return f"Fixé par la plate-forme : {case.raison}"
        return PHRASES[self.regle]

    @property
    def phrase(self) -> str:
        """Say the profile and the rule: «Enseignants : réglé par l’établissement»."""
        said = self.regle_dite
        if self.regle in {Regle.INACTIF, Regle.INDISPONIBLE} or not self.profils:
            return said
        names = ", ".join(PROFIL_LABELS[profil] for profil in self.profils)
        return f"{names} : {said[0].lower()}{said[1:]}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A right that is in effect on one side and not on the other."""

    service: str
    role: str
    profil: str
    avant: bool
    apres: bool


def rights_of_profiles(services: Sequence[ServiceIci], profils: Sequence[str]) -> Iterator[DroitExplique]:
    """Yield every right of people who hold these profiles; of several, the one that gives is told."""
    for service in services:
        for role in service.roles:
            told = [(profil, service.decision(role, profil)) for profil in profils]
            gives = [(profil, said) for profil, said in told if said.accorde]
            kept = gives or told or [("", Decision(False, Regle.HORS_CATALOGUE))]
            rule = kept[0][1].regle
            held = tuple(profil for profil, said in kept if said.regle == rule and profil)
            yield DroitExplique(service, role, bool(gives), rule, held)


def rights_of_person(
    session: Session, personne_id: int, etablissement_id: int, *, at: datetime | None = None
) -> list[DroitExplique]:
    """Return every right of somebody in a school, by which rule; empty when they have none at all."""
    profils = profils_of(session, personne_id, etablissement_id, at=at)
    if not profils:
        return []
    return list(rights_of_profiles(services_of(session, etablissement_id, at=at), profils))


def differences(before: Sequence[ServiceIci], after: Sequence[ServiceIci]) -> list[Difference]:
    """Return what changes from one state to another, in the order of the catalogue.

    A service that one side does not have gives nothing there.
    """
    left, right = _effective(before), _effective(after)
    names = {
        key: (service.nom, role.nom, key[2])
        for services in (before, after)
        for service in services
        for role in service.roles
        for key in [(service.code, role.code, profil) for profil in PROFILS]
    }
    return [
        Difference(*names[key], avant=left.get(key, False), apres=right.get(key, False))
        for key in names
        if left.get(key, False) != right.get(key, False)
    ]


def _effective(services: Sequence[ServiceIci]) -> dict[tuple[str, str, str], bool]:
    return {
        (service.code, role.code, profil): service.decision(role, profil).accorde
        for service in services
        for role in service.roles
        for profil in PROFILS
    }
