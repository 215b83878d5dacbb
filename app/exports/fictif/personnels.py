"""The staff of a school: posts, teachers, what they teach and where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from app.exports.fictif import lexique
from app.exports.fictif.matieres import MUSIQUE, Matiere
from app.exports.fictif.nomenclature import HEURES_SERVICE, POSTES
from app.exports.fictif.personnes import Personnel, Service
from app.exports.fictif.plan import PAR_BASSIN, Etablissement, Plan

PAR_ETABLISSEMENT = 20_000
"""Staff numbers reserved per school."""
HEURES_GROUPE = 3
HOTES = {1: 0, 5: 3}
"""Rank in the bassin of a collège → the one whose music teacher also comes there."""
PARENT_SUR = 19
ANNEE_REFERENCE = 2026


def host_of(plan: Plan, school: Etablissement) -> Etablissement | None:
    """Return the school whose music teacher also teaches here, when there is one."""
    rank = HOTES.get(school.rang % PAR_BASSIN)
    if rank is None:
        return None
    host = plan.etablissements[school.rang - school.rang % PAR_BASSIN + rank]
    return host if host.type is school.type and school.type.sigle == "CLG" else None


def guest_of(plan: Plan, school: Etablissement) -> Etablissement | None:
    """Return the school this one sends its music teacher to, when there is one."""
    start = school.rang - school.rang % PAR_BASSIN
    for rank in HOTES:
        if start + rank < len(plan.etablissements):
            other = plan.etablissements[start + rank]
            if host_of(plan, other) is school:
                return other
    return None


@lru_cache(maxsize=16)
def staff_of(plan: Plan, school: Etablissement) -> tuple[Personnel, ...]:
    """Return the staff the school employs, the head first; their order never changes."""
    people = [hire(plan.graine, school, rank) for rank in range(_posts_count(school))]
    rank = 0
    for poste in POSTES:
        for _ in range(_count(poste.minimum, poste.pour, school.effectif)):
            people[rank].postes.append((school, poste))
            rank += 1
    people += _teachers(plan, school, rank)
    return tuple(people)


def parent_staff(plan: Plan, school: Etablissement) -> list[Personnel]:
    """Return the teachers who have children in a school of the bassin."""
    teachers = [person for person in staff_of(plan, school) if person.matiere]
    return teachers[7::PARENT_SUR]


def _count(minimum: int, pour: int, effectif: int) -> int:
    return max(minimum, effectif // pour) if pour else minimum


def _posts_count(school: Etablissement) -> int:
    return sum(_count(poste.minimum, poste.pour, school.effectif) for poste in POSTES)


def hire(graine: int, school: Etablissement, rank: int) -> Personnel:
    """Draw the ``rank``-th person a school ever employed, without post yet."""
    number = school.rang * PAR_ETABLISSEMENT + rank
    rand = lexique.generator(graine, 6, number).random
    sexe = "F" if rand() < 0.62 else "M"
    nom = lexique.surname(rand)
    usage = lexique.surname(rand) if sexe == "F" and rand() < 0.4 else nom
    prenom = lexique.first_name(rand, sexe, adult=True)
    local = f"{lexique.slug(prenom)}.{lexique.slug(usage)}{number % 97 or ''}"
    return Personnel(
        jointure=100_000 + number,
        epp=20_000 + number,
        sexe=sexe,
        nom=nom,
        nom_usage=usage,
        prenom=prenom,
        naissance=date(ANNEE_REFERENCE - 25 - int(rand() * 38), 1 + int(rand() * 12), 1 + int(rand() * 28)),
        email=f"{local}@{lexique.DOMAINE_ACADEMIQUE}",
        postes=[],
    )


def _teachers(plan: Plan, school: Etablissement, rank: int) -> Iterator[Personnel]:
    """Open as many teaching posts as the hours of each discipline need, and share them out."""
    teachers: list[Personnel] = []
    guest = guest_of(plan, school)
    hosted = host_of(plan, school) is not None
    loads = _loads(school)
    if guest is not None:
        for key, services in _loads(guest).items():
            if key == MUSIQUE.discipline[0]:
                loads[key] += services
    for discipline, services in loads.items():
        if hosted and discipline == MUSIQUE.discipline[0]:
            continue
        hours = sum(load for _service, load in services)
        count = max(1, -(-hours // HEURES_SERVICE))
        group = [hire(plan.graine, school, rank + len(teachers) + n) for n in range(count)]
        for index, (service, _load) in enumerate(services):
            person = group[index * count // len(services)]
            person.services.append(service)
            person.matiere = person.matiere or service.matiere
        for person in group:
            person.postes.append((school, None))
            for service in person.services:
                if service.etablissement is not school and len(person.postes) == 1:
                    person.postes.append((service.etablissement, None))
        teachers += [person for person in group if person.services]
    _name_main_teachers(school, teachers)
    yield from teachers


def _loads(school: Etablissement) -> dict[str, list[tuple[Service, int]]]:
    """Return the services to give in the school, with their weekly hours, by discipline."""
    loads: dict[str, list[tuple[Service, int]]] = {}

    def add(matiere: Matiere, hours: int, division: str | None, groupe: str | None) -> None:
        service = Service(school, matiere, division, groupe)
        loads.setdefault(matiere.discipline[0], []).append((service, hours))

    for division in school.divisions:
        for matiere, hours in division.niveau.matieres.items():
            add(matiere, hours, division.code, None)
    for groupe in school.groupes:
        add(groupe.matiere, HEURES_GROUPE, None, groupe.code)
    return loads


def _name_main_teachers(school: Etablissement, teachers: list[Personnel]) -> None:
    by_division: dict[str, list[Personnel]] = {}
    for person in teachers:
        for service in person.services:
            if service.division and service.etablissement is school:
                by_division.setdefault(service.division, []).append(person)
    for index, (division, candidates) in enumerate(by_division.items()):
        ranked = sorted(
            range(len(candidates)),
            key=lambda n: (len(candidates[n].principal_de), (n + index) % len(candidates)),
        )
        candidates[ranked[0]].principal_de.append((school, division))
