"""Schools against a model: what differs, and who gains or loses by a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.models import PROFILS
from app.queries import cibles as aims
from app.queries.cibles import Cible
from app.queries.etats_services import Catalogue, Counts, Ecole, Key, ServiceCatalogue

FIXE = "Ce droit est fixé par la plate-forme."
INDISPONIBLE = "Ce service n’est pas proposé à cet établissement."
HORS_CATALOGUE = "Ceci n’est plus au catalogue."


@dataclass(frozen=True, slots=True)
class Mouvement:
    """Something to set in a school; ``apres`` is None to let the catalogue say again."""

    cible: Cible
    apres: Any

    @property
    def effet(self) -> Any:
        """Return what will hold."""
        return self.cible.defaut if self.apres is None else self.apres


@dataclass
class Modele:
    """The lines of a model read against the catalogue of now."""

    catalogue: Catalogue
    valeurs: dict[Key, Any] = field(default_factory=dict)
    cibles: list[Cible] = field(default_factory=list)
    fixes: list[Cible] = field(default_factory=list)
    inconnues: list[str] = field(default_factory=list)
    _base: dict[frozenset[int], frozenset[Key]] = field(default_factory=dict)
    _rank: dict[Key, int] = field(default_factory=dict)
    _offered: dict[int | None, frozenset[int]] = field(default_factory=dict)

    @property
    def services(self) -> list[ServiceCatalogue]:
        """Return the services it says something of, in the order of the catalogue."""
        held = {one.service.code for one in self.cibles}
        return [service for code, service in self.catalogue.items() if code in held]

    @property
    def wanted(self) -> set[Key]:
        """Return what must be read of a school: the lines, and every right of their services."""
        roles = {("droit", role.id, "") for one in self.services for role in one.roles.values()}
        return set(self.valeurs) | roles

    def offered(self, ecole: Ecole) -> frozenset[int]:
        """Return the services offered to a school, of those of the model."""
        place = ecole.collectivite_id
        if place not in self._offered:
            self._offered[place] = frozenset(one.id for one in self.services if one.offered(place))
        return self._offered[place]

    def unavailable(self, ecole: Ecole) -> list[ServiceCatalogue]:
        """Return the services of the model that are not offered to a school."""
        held = self.offered(ecole)
        return [one for one in self.services if one.id not in held]

    def gaps(self, ecole: Ecole) -> list[Cible]:
        """Return what a school has otherwise than the model, of what it may set."""
        offered = self.offered(ecole)
        found = set(self._silent_gaps(offered))
        for key, raw in ecole.own.items():
            rank = self._rank.get(key)
            if rank is not None and self.cibles[rank].service.id in offered:
                (found.discard if raw == self.valeurs[key] else found.add)(key)
        return [self.cibles[rank] for rank in sorted(self._rank[key] for key in found)]

    def _silent_gaps(self, offered: frozenset[int]) -> frozenset[Key]:
        """Return the gaps of a school that says nothing by itself."""
        if offered not in self._base:
            self._base[offered] = frozenset(
                one.key
                for one in self.cibles
                if one.service.id in offered and one.defaut != self.valeurs[one.key]
            )
        return self._base[offered]


def read(catalogue: Catalogue, lignes: Iterable[tuple[str, Any]]) -> Modele:
    """Read the lines of a model (key, value) against the catalogue."""
    known = aims.by_key(catalogue)
    modele, said = Modele(catalogue), dict(lignes)
    modele.inconnues = sorted(cle for cle in said if cle not in known)
    for cle, cible in known.items():
        if cle not in said:
            continue
        if cible.fixe:
            if said[cle] != cible.defaut:
                modele.fixes.append(cible)
            continue
        modele._rank[cible.key] = len(modele.cibles)
        modele.cibles.append(cible)
        modele.valeurs[cible.key] = said[cle]
    return modele


def of_model(session: Session, catalogue: Catalogue, lignes: Iterable[Any]) -> Modele:
    """Read the rows of a model against the catalogue."""
    return read(catalogue, [(one.cle, one.valeur) for one in lignes])


def now_of(ecole: Ecole, cible: Cible) -> Any:
    """Return what holds in a school."""
    raw = ecole.own.get(cible.key)
    return cible.defaut if raw is None or cible.fixe else raw


# -- who gains, who loses


@dataclass(slots=True)
class Effet:
    """How many people gain and lose a right in a school: in all, and by what is set."""

    gagnent: int = 0
    perdent: int = 0
    lignes: dict[Key, tuple[int, int]] = field(default_factory=dict)


def effect(ecole: Ecole, moves: Iterable[Mouvement], counts: Counts) -> Effet:
    """Work out who gains or loses by what one would set in a school."""
    by_service: dict[str, list[Mouvement]] = {}
    for move in moves:
        if move.cible.genre in {"etat", "droit"}:
            by_service.setdefault(move.cible.service.code, []).append(move)
    gained: set[str] = set()
    lost: set[str] = set()
    found = Effet()
    for own in by_service.values():
        before, after = _held(ecole, own, done=False), _held(ecole, own, done=True)
        gained |= {profil for profil in PROFILS if after[profil] - before[profil]}
        lost |= {profil for profil in PROFILS if before[profil] - after[profil]}
        for move in own:
            found.lignes[move.cible.key] = _line(move, before, after, counts)
    found.gagnent, found.perdent = _people(counts, gained), _people(counts, lost)
    return found


def _held(ecole: Ecole, moves: Sequence[Mouvement], *, done: bool) -> dict[str, set[int]]:
    """Return, by profile, the roles in effect in the service of these moves, before them or once done."""
    service = moves[0].cible.service
    after = {move.cible.key: move.effet for move in moves} if done else {}
    state: Key = ("etat", service.id)
    initial = service.nature == "initial"
    active = after[state] if state in after else ecole.own.get(state, initial)
    held: dict[str, set[int]] = {profil: set() for profil in PROFILS}
    if not active or not service.offered(ecole.collectivite_id):
        return held
    for role in service.roles.values():
        for profil, (defaut, fixe) in role.cells.items():
            key: Key = ("droit", role.id, profil)
            own = after[key] if key in after else ecole.own.get(key, defaut)
            if defaut if fixe else own:
                held[profil].add(role.id)
    return held


def _line(
    move: Mouvement, before: Mapping[str, set[int]], after: Mapping[str, set[int]], counts: Counts
) -> tuple[int, int]:
    cible = move.cible
    if cible.role is not None:
        role, profil = cible.role.id, cible.profil
        some = _people(counts, [profil])
        return (
            some if role in after[profil] - before[profil] else 0,
            some if role in before[profil] - after[profil] else 0,
        )
    come = [profil for profil in PROFILS if after[profil] and not before[profil]]
    gone = [profil for profil in PROFILS if before[profil] and not after[profil]]
    return _people(counts, come), _people(counts, gone)


def _people(counts: Counts, profils: Iterable[str]) -> int:
    wanted = set(profils)
    return sum(count for held, count in counts.items() if wanted.intersection(held)) if wanted else 0
