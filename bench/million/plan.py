"""The schools, their classes and the nomenclatures of the large base, before anybody is in it.

The first school is large: its correspondent is measured. One school in a hundred belongs to a second
académie, whose people all bear a family name that ends with ``AILLEURS``: a page of the first that
shows one has crossed the perimeter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.exports.fictif import lexique
from app.exports.fictif.matieres import MATIERES, Matiere
from app.exports.fictif.nomenclature import ORDRE_TYPES, POSTES, TYPES, Niveau, TypeEtablissement
from app.queries.noms import search_key

ECOLES = 3000
PAR_ELEVE = 2.328
"""People for one pupil: guardians, teachers and staff come along."""
ELEVES_PREMIERE = 2000
AILLEURS = "AILLEURS"
ACADEMIES = (("18", "Touraine-Berry"), ("23", "Sologne-Gâtinais"))
DEPARTEMENTS = ("037", "018", "036", "041")
JOUR = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
"""When the base was filled; the newest feed is of that day."""

Row = tuple[str, tuple[Any, ...]]
"""A table and one row of it, in the order of ``COLUMNS``."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "academie": ("id", "code", "nom"),
    "mef": ("id", "code", "libelle", "niveau", "filiere"),
    "matiere": ("id", "code", "libelle", "libelle_court"),
    "discipline": ("id", "code", "libelle"),
    "fonction": ("id", "code", "libelle"),
    "etablissement": (
        "id", "uai", "nom", "nom_recherche", "recherche", "type", "code_nature", "secteur", "etat",
        "virtuel", "adresse", "code_postal", "commune", "telephone", "email", "academie_id",
        "source", "modifie_le",
    ),
    "division": ("id", "etablissement_id", "code", "libelle", "source", "active"),
    "division_mef": ("division_id", "mef_id"),
    "groupe_enseignement": ("id", "etablissement_id", "code", "libelle", "source", "active"),
    "groupe_division": ("groupe_id", "division_id"),
    "alimentation": (
        "id", "source", "mode", "cle_portee", "academie_id", "date_export", "etat", "fichiers",
        "comptes", "demandee_par", "cree_le", "appliquee_le",
    ),
    "alimentation_etablissement": (
        "id", "alimentation_id", "etablissement_id", "uai", "nom", "comptes", "entier",
        "depart_bloque", "departs_acceptes", "applique_le",
    ),
    "ecart": (
        "id", "alimentation_id", "etablissement_id", "uai", "nature", "objet", "ordre", "cle", "libelle",
        "fichier", "ligne", "code", "message", "partage", "applique_le",
    ),
}  # fmt: skip
"""What the loader writes of each table, parents before children."""


def instant(value: datetime) -> str:
    """Return an instant as both engines read it in bulk."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@dataclass(slots=True, eq=False)
class Classe:
    """A class, its timetable group, and how many pupils it must hold."""

    id: int
    code: str
    niveau: Niveau
    effectif: int


@dataclass(slots=True, eq=False)
class Ecole:
    """A school and its classes."""

    id: int
    uai: str
    nom: str
    type: TypeEtablissement
    academie: int
    commune: str
    code_postal: str
    classes: list[Classe] = field(default_factory=list)

    @property
    def ailleurs(self) -> bool:
        """Tell whether it is of the second académie."""
        return self.academie == 2


@dataclass
class Plan:
    """Everything a base of so many people needs before its people."""

    personnes: int
    niveaux: dict[str, Niveau]
    ecoles: list[Ecole] = field(default_factory=list)

    def __post_init__(self) -> None:
        disciplines = dict([m.discipline for m in MATIERES])
        disciplines |= {poste.discipline: poste.discipline_libelle for poste in POSTES}
        self.disciplines = dict(sorted(disciplines.items()))
        self.fonctions = {"ENS": "ENSEIGNEMENT"} | {poste.fonction: poste.libelle for poste in POSTES}
        self.mef_ids = {code: rank for rank, code in enumerate(self.niveaux, 1)}
        self.matiere_ids: dict[Matiere, int] = {matiere: rank for rank, matiere in enumerate(MATIERES, 1)}
        self.discipline_ids = {code: rank for rank, code in enumerate(self.disciplines, 1)}
        self.fonction_ids = {code: rank for rank, code in enumerate(self.fonctions, 1)}


def draw(personnes: int) -> Plan:
    """Draw the schools; the same number of people always gives the same plan."""
    count = max(6, min(ECOLES, personnes * ECOLES // 1_000_000))
    plan = Plan(personnes, {niveau.mef: niveau for kind in TYPES.values() for niveau in kind.niveaux})
    pupils = int(personnes / PAR_ELEVE)
    first = min(ELEVES_PREMIERE, pupils // 4)
    rand = lexique.generator(7, 1).random
    weights = [0.25 + rand() + rand() * rand() for _ in range(count - 1)]
    share = (pupils - first) / sum(weights)
    number = 0
    for rank in range(count):
        school = _school(rank)
        number = _open_classes(school, number, first if rank == 0 else round(weights[rank - 1] * share))
        plan.ecoles.append(school)
    return plan


def _school(rank: int) -> Ecole:
    rand = lexique.generator(7, 2, rank).random
    kind = TYPES["LPO" if rank == 0 else ORDRE_TYPES[rank % len(ORDRE_TYPES)]]
    names, towns = lexique.lines(kind.liste), lexique.lines("communes")
    town = towns[int(rand() * len(towns))]
    away = rank % 100 == 1
    departement = "045" if away else DEPARTEMENTS[rank % 4]
    return Ecole(
        id=rank + 1,
        uai=lexique.uai(departement, 1000 + rank),
        nom=f"{kind.nom} {names[rank % len(names)]} de {town}",
        type=kind,
        academie=2 if away else 1,
        commune=town,
        code_postal=f"{departement[1:]}{100 + int(rand() * 900)}",
    )


def _open_classes(school: Ecole, number: int, pupils: int) -> int:
    levels = school.type.niveaux
    for niveau, size in zip(levels, _split(pupils, len(levels)), strict=True):
        for rank, places in enumerate(_split(size, max(1, round(size / 27))), 1):
            number += 1
            school.classes.append(Classe(number, f"{niveau.prefixe}{rank:02d}", niveau, places))
    return number


def _split(total: int, parts: int) -> list[int]:
    return [total * (rank + 1) // parts - total * rank // parts for rank in range(parts)]


def rows(plan: Plan) -> Iterator[Row]:
    """Yield everything that is not about somebody."""
    for rank, (code, nom) in enumerate(ACADEMIES, 1):
        yield "academie", (rank, code, nom)
    for niveau in plan.niveaux.values():
        yield (
            "mef",
            (
                plan.mef_ids[niveau.mef],
                niveau.mef,
                niveau.libelle,
                niveau.formation,
                niveau.filiere,
            ),
        )
    for matiere, number in plan.matiere_ids.items():
        yield "matiere", (number, matiere.code, matiere.libelle, matiere.court)
    for code, number in plan.discipline_ids.items():
        yield "discipline", (number, code, plan.disciplines[code])
    for code, number in plan.fonction_ids.items():
        yield "fonction", (number, code, plan.fonctions[code])
    for school in plan.ecoles:
        yield from _school_rows(plan, school)
    yield from _feeds(plan)


def _school_rows(plan: Plan, school: Ecole) -> Iterator[Row]:
    rand = lexique.generator(7, 3, school.id).random
    streets = lexique.lines("voies")
    street = f"{1 + int(rand() * 60)} {streets[int(rand() * len(streets))]}"
    yield (
        "etablissement",
        (
            school.id,
            school.uai,
            school.nom,
            search_key(school.nom),
            search_key(f"{school.nom} {school.commune} {school.uai}"),
            school.type.type,
            school.type.code,
            "prive" if school.id % 12 == 9 else "public",
            "ferme" if school.id % 500 == 499 else "ouvert",
            False,
            street,
            school.code_postal,
            school.commune,
            lexique.landline(rand),
            f"ce.{school.uai.lower()}@{lexique.DOMAINE_ACADEMIQUE}",
            school.academie,
            "aaf",
            instant(JOUR),
        ),
    )
    for classe in school.classes:
        label = f"{classe.niveau.edition} {classe.code}"
        yield "division", (classe.id, school.id, classe.code, label, "aaf", True)
        yield "division_mef", (classe.id, plan.mef_ids[classe.niveau.mef])
        yield "groupe_enseignement", (classe.id, school.id, f"{classe.code}AGL1", "Anglais LV1", "aaf", True)
        yield "groupe_division", (classe.id, classe.id)


def _feeds(plan: Plan) -> Iterator[Row]:
    """Yield one feed a night for each académie, and one three weeks old: one school in ten is late."""
    old = JOUR - timedelta(days=21)
    number = anomaly = 0
    for feed, academie, when in ((1, 1, old), (2, 1, JOUR), (3, 2, JOUR)):
        code = ACADEMIES[academie - 1][0]
        schools = [s for s in plan.ecoles if s.academie == academie and s.id % 300 != 0]
        if feed == 2:
            schools = [s for s in schools if s.id % 10 != 7]
        stamp = instant(when)
        yield "alimentation", (
            feed, "aaf", "complet", f"aaf:{code}", academie, stamp, "appliquee", "[]",
            _counts(sum(_anomalies(s) for s in schools)), "Système", stamp, stamp,
        )  # fmt: skip
        for school in schools:
            number += 1
            yield "alimentation_etablissement", (
                number, feed, school.id, school.uai, school.nom, _counts(_anomalies(school)), True,
                False, False, stamp,
            )  # fmt: skip
            for rank in range(_anomalies(school)):
                anomaly += 1
                yield "ecart", (
                    anomaly, feed, school.id, school.uai, "anomalie", "eleve", rank, f"{feed}-{anomaly}",
                    "Élève sans classe", "ENT_Eleve.xml", rank + 1, "sans_classe",
                    "Cet élève n’a pas de classe dans le fichier.", False, stamp,
                )  # fmt: skip


def _anomalies(school: Ecole) -> int:
    return school.id % 5 if school.id % 3 == 0 else 0


def _counts(anomalies: int) -> str:
    counts = {"crees": 0, "modifies": 1, "inchanges": 300, "departs": 0, "retours": 0, "anomalies": anomalies}
    return json.dumps({"eleve": counts})
