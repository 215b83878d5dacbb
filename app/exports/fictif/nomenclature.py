"""Levels, subjects and posts of the fictional schools, with codes shaped like the State's."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.exports.fictif.matieres import (
    ALLEMAND1,
    ALLEMAND2,
    ANGLAIS,
    ARTS,
    ATELIER_CUISINE,
    ATELIER_ELEC,
    ATELIER_SOIN,
    EPS,
    ESPAGNOL,
    FRANCAIS,
    GESTION,
    HGGSP,
    HISTOIRE,
    ITALIEN,
    LATIN,
    MATHS,
    MUSIQUE,
    NSI,
    PHILO,
    PHYSIQUE,
    SES,
    SVT,
    TECHNO,
    Matiere,
)

_COLLEGE = {FRANCAIS: 4, MATHS: 4, HISTOIRE: 3, EPS: 3, SVT: 2, PHYSIQUE: 2, TECHNO: 2, ARTS: 1, MUSIQUE: 1}
_LYCEE = {FRANCAIS: 4, MATHS: 4, HISTOIRE: 3, EPS: 2, PHYSIQUE: 3, SVT: 2}
_TERMINALE = {PHILO: 4, HISTOIRE: 3, EPS: 2, PHYSIQUE: 3, SVT: 2}
_STMG = {GESTION: 7, MATHS: 3, HISTOIRE: 2, EPS: 2, PHILO: 2}
_PRO = {FRANCAIS: 2, MATHS: 2, HISTOIRE: 1, EPS: 2, ARTS: 1}


@dataclass(frozen=True)
class Niveau:
    """A year of study: its MEF, the age pupils reach in the year it starts, its groups.

    ``langues`` are taught in groups, one of them per pupil and per tuple; ``options`` are
    optional, with the share of pupils who take them.
    """

    mef: str
    libelle: str
    edition: str
    age: int
    prefixe: str
    numerique: bool
    poids: float
    formation: str
    filiere: str
    matieres: dict[Matiere, int] = field(hash=False)
    langues: tuple[tuple[Matiere, ...], ...] = ()
    options: tuple[tuple[Matiere, float], ...] = ()
    specialites: int = 0


_LV1 = (ANGLAIS, ANGLAIS, ANGLAIS, ALLEMAND1)
_LV2 = (ESPAGNOL, ESPAGNOL, ALLEMAND2, ITALIEN)
_SPECIALITES = ((MATHS, 0.6), (PHYSIQUE, 0.45), (SVT, 0.4), (SES, 0.5), (HGGSP, 0.4), (NSI, 0.2))

COLLEGE = (
    Niveau("10010012110", "6EME", "6e", 11, "6", False, 1.0, "6EME", "CYCLE 3", _COLLEGE, (_LV1,)),
    Niveau(
        "10110001110",
        "5EME",
        "5e",
        12,
        "5",
        False,
        1.0,
        "5EME",
        "CYCLE 4",
        _COLLEGE,
        (_LV1, _LV2),
        ((LATIN, 0.15),),
    ),
    Niveau(
        "10210001110",
        "4EME",
        "4e",
        13,
        "4",
        False,
        0.97,
        "4EME",
        "CYCLE 4",
        _COLLEGE,
        (_LV1, _LV2),
        ((LATIN, 0.12),),
    ),
    Niveau(
        "10310019110",
        "3EME",
        "3e",
        14,
        "3",
        False,
        0.95,
        "3EME",
        "CYCLE 4",
        _COLLEGE,
        (_LV1, _LV2),
        ((LATIN, 0.1),),
    ),
)
LYCEE_GT = (
    Niveau(
        "20010019110",
        "2NDE GENERALE ET TECHNOLOGIQUE",
        "2de",
        15,
        "2",
        True,
        1.0,
        "2NDE",
        "GENERALE ET TECHNO",
        _LYCEE,
        (_LV1, _LV2),
        ((LATIN, 0.06), (SES, 0.9)),
    ),
    Niveau(
        "20110019110",
        "1ERE GENERALE",
        "1re générale",
        16,
        "1G",
        True,
        0.72,
        "1ERE",
        "GENERALE",
        _LYCEE,
        (_LV1, _LV2),
        _SPECIALITES,
        3,
    ),
    Niveau(
        "21130012110",
        "1ERE STMG",
        "1re STMG",
        16,
        "1SG",
        True,
        0.2,
        "1ERE",
        "TECHNOLOGIQUE",
        _STMG,
        (_LV1, _LV2),
    ),
    Niveau(
        "20211019110",
        "TERMINALE GENERALE",
        "Tle générale",
        17,
        "TG",
        True,
        0.7,
        "TERMINALE",
        "GENERALE",
        _TERMINALE,
        (_LV1, _LV2),
        _SPECIALITES,
        2,
    ),
    Niveau(
        "21230012110",
        "TERMINALE STMG",
        "Tle STMG",
        17,
        "TSG",
        True,
        0.18,
        "TERMINALE",
        "TECHNOLOGIQUE",
        _STMG,
        (_LV1, _LV2),
    ),
)
_ELEC = _PRO | {ATELIER_ELEC: 12}
_CUISINE = _PRO | {ATELIER_CUISINE: 12}
_SOIN = _PRO | {ATELIER_SOIN: 12}
LYCEE_PRO = (
    Niveau(
        "24725510211",
        "2NDPRO METIERS DES TRANSITIONS NUM. ET ENERG.",
        "2de pro MTNE",
        15,
        "2MT",
        True,
        0.8,
        "BAC PRO",
        "BAC PRO 3 ANS",
        _ELEC,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24725510222",
        "1ERPRO METIERS ELECTRICITE",
        "1re pro MELEC",
        16,
        "1ME",
        True,
        0.7,
        "BAC PRO",
        "BAC PRO 3 ANS",
        _ELEC,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24725510233",
        "TERPRO METIERS ELECTRICITE",
        "Tle pro MELEC",
        17,
        "TME",
        True,
        0.65,
        "BAC PRO",
        "BAC PRO 3 ANS",
        _ELEC,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24733010211",
        "2NDPRO ACCOMPAGNEMENT SOINS SERVICES",
        "2de pro ASSP",
        15,
        "2AS",
        True,
        0.7,
        "BAC PRO",
        "BAC PRO 3 ANS",
        _SOIN,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24733010222",
        "1ERPRO ACCOMPAGNEMENT SOINS SERVICES",
        "1re pro ASSP",
        16,
        "1AS",
        True,
        0.65,
        "BAC PRO",
        "BAC PRO 3 ANS",
        _SOIN,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24733010233",
        "TERPRO ACCOMPAGNEMENT SOINS SERVICES",
        "Tle pro ASSP",
        17,
        "TAS",
        True,
        0.6,
        "BAC PRO",
        "BAC PRO 3 ANS",
        _SOIN,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24122139021",
        "CAP 1 CUISINE",
        "1re année CAP cuisine",
        15,
        "1CU",
        True,
        0.4,
        "CAP",
        "CAP 2 ANS",
        _CUISINE,
        ((ANGLAIS,),),
    ),
    Niveau(
        "24122139022",
        "CAP 2 CUISINE",
        "2e année CAP cuisine",
        16,
        "2CU",
        True,
        0.35,
        "CAP",
        "CAP 2 ANS",
        _CUISINE,
        ((ANGLAIS,),),
    ),
)
NIVEAUX = COLLEGE + LYCEE_GT + LYCEE_PRO


@dataclass(frozen=True)
class TypeEtablissement:
    """A kind of school as the State names it."""

    sigle: str
    nom: str
    type: str
    code: str
    nature: str
    annuaire: str
    liste: str
    niveaux: tuple[Niveau, ...]
    poids: float


TYPES = {
    "CLG": TypeEtablissement(
        "CLG", "Collège", "COLLEGE", "340", "COLLEGE", "Collège", "colleges", COLLEGE, 1.0
    ),
    "LGT": TypeEtablissement(
        "LGT",
        "Lycée général et technologique",
        "LYCEE D'ENSEIGNEMENT GENERAL ET TECHNOLOGIQUE",
        "302",
        "LYCEE ENSEIGNT GENERAL ET TECHNOLOGIQUE",
        "Lycée",
        "lycees",
        LYCEE_GT,
        1.9,
    ),
    "LP": TypeEtablissement(
        "LP",
        "Lycée professionnel",
        "LYCEE PROFESSIONNEL",
        "320",
        "LYCEE PROFESSIONNEL",
        "Lycée",
        "lycees_pro",
        LYCEE_PRO,
        0.9,
    ),
    "LPO": TypeEtablissement(
        "LPO",
        "Lycée polyvalent",
        "LYCEE POLYVALENT",
        "306",
        "LYCEE POLYVALENT",
        "Lycée",
        "lycees",
        LYCEE_GT + LYCEE_PRO[:6],
        2.2,
    ),
}
ORDRE_TYPES = ("CLG", "CLG", "LGT", "CLG", "LP", "CLG", "CLG", "LPO", "CLG", "CLG", "LGT", "CLG")


@dataclass(frozen=True)
class Poste:
    """A post other than teaching: function, discipline of post, one per how many pupils."""

    fonction: str
    libelle: str
    discipline: str
    discipline_libelle: str
    minimum: int
    pour: int


POSTES = (
    Poste("DIR", "DIRECTION", "D0010", "CHEF D'ETABLISSEMENT", 1, 0),
    Poste("DIR", "DIRECTION", "D0011", "CHEF D'ETABLISSEMENT ADJOINT", 1, 0),
    Poste("ADF", "PERSONNELS ADMINISTRATIFS", "A0020", "GESTION MATERIELLE", 1, 0),
    Poste("ADF", "PERSONNELS ADMINISTRATIFS", "A0030", "SECRETARIAT", 1, 450),
    Poste("EDU", "EDUCATION", "E0030", "CONSEILLER PRINCIPAL D'EDUCATION", 1, 400),
    Poste("DOC", "DOCUMENTATION", "L0080", "DOCUMENTATION", 1, 0),
    Poste("AED", "ASSISTANT D'EDUCATION", "E0040", "SURVEILLANCE ET ENCADREMENT", 1, 130),
    Poste("MDS", "PERSONNELS MEDICO-SOCIAUX", "S0010", "INFIRMERIE", 1, 0),
    Poste("AES", "ACCOMPAGNEMENT DES ELEVES", "D0021", "ACCOMPAGNEMENT ELEVES SITUATION HANDICAP", 0, 200),
    Poste("OUV", "PERSONNELS OUVRIERS ET DE SERVICE", "O0010", "ENTRETIEN", 1, 160),
)
HEURES_SERVICE = 18
