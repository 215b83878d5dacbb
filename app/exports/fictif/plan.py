"""The plan of the académie: its schools, their divisions and timetable groups, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.errors import UserError
from app.exports.fictif import lexique
from app.exports.fictif.matieres import Matiere
from app.exports.fictif.nomenclature import ORDRE_TYPES, TYPES, Niveau, TypeEtablissement

DEPARTEMENTS = (("037", "Indre-et-Loire"), ("018", "Cher"), ("036", "Indre"), ("041", "Loir-et-Cher"))
PAR_BASSIN = 6
MAX_ETABLISSEMENTS = 1080
DIVISION_CIBLE = 27


@dataclass(slots=True, eq=False)
class Division:
    """A class and the number of its pupils."""

    code: str
    libelle: str
    rang: int
    effectif: int
    niveau: Niveau


@dataclass(slots=True, eq=False)
class Groupe:
    """A timetable group: its subject and the divisions it draws from."""

    code: str
    libelle: str
    matiere: Matiere
    divisions: list[Division]


@dataclass(slots=True, eq=False)
class Commune:
    """A town that does not exist."""

    nom: str
    code_postal: str
    insee: str
    departement: str


@dataclass(slots=True, eq=False)
class Etablissement:
    """A school of the plan; ``rang`` numbers it in the académie."""

    rang: int
    uai: str
    type: TypeEtablissement
    patron: str
    prive: bool
    commune: Commune
    voie: str
    telephone: str
    siret: str
    bassin: int
    effectif: int
    divisions: list[Division] = field(default_factory=list)
    groupes: list[Groupe] = field(default_factory=list)

    @property
    def nom(self) -> str:
        """Its full name."""
        return f"{self.type.nom} {self.patron}"

    @property
    def jointure(self) -> int:
        """Its key in AAF."""
        return 1000 + self.rang

    @property
    def courriel(self) -> str:
        """Its official address."""
        return f"ce.{self.uai.lower()}@{lexique.DOMAINE_ACADEMIQUE}"

    def of_level(self, niveau: Niveau) -> list[Division]:
        """Return the divisions of one level."""
        return [division for division in self.divisions if division.niveau is niveau]


@dataclass(slots=True, eq=False)
class Bassin:
    """Neighbouring schools among which families have their children."""

    rang: int
    etablissements: list[Etablissement]
    communes: list[Commune]
    premiere_place: int

    @property
    def places(self) -> int:
        """How many pupils the schools of the bassin hold together."""
        return sum(etablissement.effectif for etablissement in self.etablissements)


def group_code(niveau: Niveau, matiere: Matiere, division: Division, *, shared: bool) -> str:
    """Return the code of the group a pupil of ``division`` joins for a subject.

    Languages group divisions two by two; options and specialities take the whole level.
    """
    suffix = "" if shared else str(division.rang // 2 + 1)
    return f"{niveau.prefixe}{matiere.court}{suffix}"


class Plan:
    """The whole académie before anybody is in it. Small: a few kilobytes a school."""

    def __init__(self, graine: int, etablissements: int, eleves: int) -> None:
        if not 1 <= etablissements <= MAX_ETABLISSEMENTS:
            raise UserError(f"Le nombre d’établissements doit être compris entre 1 et {MAX_ETABLISSEMENTS}.")
        if eleves < etablissements:
            raise UserError("Il faut au moins un élève par établissement.")
        self.graine = graine
        self.eleves = eleves
        self.etablissements = [_school(graine, rang) for rang in range(etablissements)]
        self._share_pupils(eleves)
        self.bassins = list(self._group())
        towns = [school.commune for school in self.etablissements]
        self.ecoles = [_primary(graine, rang, towns) for rang in range(max(1, etablissements // 3))]

    def _share_pupils(self, eleves: int) -> None:
        weights = [
            e.type.poids * (0.75 + 0.5 * lexique.generator(self.graine, 2, e.rang).random())
            for e in self.etablissements
        ]
        spare = eleves - len(weights)
        for etablissement, share in zip(self.etablissements, _split(spare, weights), strict=True):
            etablissement.effectif = share + 1
            _open_divisions(etablissement)

    def _group(self) -> Iterator[Bassin]:
        place = 0
        for start in range(0, len(self.etablissements), PAR_BASSIN):
            schools = self.etablissements[start : start + PAR_BASSIN]
            towns = [school.commune for school in schools]
            bassin = Bassin(start // PAR_BASSIN, schools, towns, place)
            yield bassin
            place += bassin.places


def _split(total: int, weights: list[float]) -> list[int]:
    """Share ``total`` after ``weights`` in whole numbers whose sum is exact."""
    whole, shares, done, seen = sum(weights), [], 0, 0.0
    for weight in weights:
        seen += weight
        upto = round(total * seen / whole)
        shares.append(upto - done)
        done = upto
    return shares


def _commune(rang: int, departement: str) -> Commune:
    names = lexique.lines("communes")
    name = names[rang * 7 % len(names)]
    if rang >= len(names):
        name = f"{name}-{('le-Bas', 'le-Neuf', 'la-Forêt', 'la-Rivière')[rang // len(names) % 4]}"
    number = 900 + rang * 13 % 100
    return Commune(name, f"{departement[1:]}{number}", f"{departement[1:]}{number}", departement)


def _school(graine: int, rang: int) -> Etablissement:
    rng = lexique.generator(graine, 1, rang)
    kind = TYPES[ORDRE_TYPES[rang % len(ORDRE_TYPES)]]
    bassin = rang // PAR_BASSIN
    departement = DEPARTEMENTS[bassin % 4][0]
    order = rang // (4 * PAR_BASSIN) * PAR_BASSIN + rang % PAR_BASSIN
    peers = sum(ORDRE_TYPES[i % len(ORDRE_TYPES)] == kind.sigle for i in range(rang))
    names = lexique.lines(kind.liste)
    patron = names[peers % len(names)]
    town = _commune(rang, departement)
    prive = kind.sigle == "CLG" and rang % 12 == 9
    if prive:
        patron = f"privé Notre-Dame-de-{('la-Vallée', 'Bon-Secours', 'la-Salette')[peers % 3]}"
    elif peers >= len(names):
        patron = f"{patron} de {town.nom}"
    voies = lexique.lines("voies")
    return Etablissement(
        rang=rang,
        uai=lexique.uai(departement, 9000 + (12 + order * 11) % 1000),
        type=kind,
        patron=patron,
        prive=prive,
        commune=town,
        voie=f"{1 + int(rng.random() * 60)} {voies[int(rng.random() * len(voies))]}",
        telephone=lexique.landline(rng.random),
        siret=f"19{departement}{9000 + order:04d}00011"[:14],
        bassin=bassin,
        effectif=0,
    )


def _primary(graine: int, rang: int, towns: list[Commune]) -> Etablissement:
    """A primary school: in the open directory only, second-degree feeds do not name it."""
    town = towns[rang * 3 % len(towns)]
    rng = lexique.generator(graine, 9, rang)
    names, voies = lexique.lines("ecoles"), lexique.lines("voies")
    kind = TypeEtablissement(
        "ECOLE", "École", "ECOLE", "151", "ECOLE DE NIVEAU ELEMENTAIRE", "Ecole", "ecoles", (), 1.0
    )
    return Etablissement(
        rang=rang,
        uai=lexique.uai(town.departement, 9994 - rang % 90 * 11),
        type=kind,
        patron=f"primaire publique {names[rang % len(names)]}",
        prive=False,
        commune=town,
        voie=f"{1 + int(rng.random() * 30)} {voies[int(rng.random() * len(voies))]}",
        telephone=lexique.landline(rng.random),
        siret=f"21{town.departement}{rang:04d}00024"[:14],
        bassin=0,
        effectif=60 + int(rng.random() * 200),
    )


def _open_divisions(etablissement: Etablissement) -> None:
    levels = etablissement.type.niveaux
    for niveau, effectif in zip(
        levels, _split(etablissement.effectif, [niveau.poids for niveau in levels]), strict=True
    ):
        count = max(1, round(effectif / DIVISION_CIBLE))
        divisions = []
        for rang, size in enumerate(_split(effectif, [1.0] * count)):
            name = _division_name(rang, numeric=niveau.numerique)
            code = f"{niveau.prefixe}{name}"
            label = f"{niveau.edition} {name}"
            divisions.append(Division(code, label, rang, size, niveau))
        etablissement.divisions += divisions
        etablissement.groupes += _groups(niveau, divisions)


def _division_name(rang: int, *, numeric: bool) -> str:
    if numeric or rang >= 26:
        return f"{rang + 1:02d}" if rang >= 9 or not numeric else str(rang + 1)
    return chr(ord("A") + rang)


def _groups(niveau: Niveau, divisions: list[Division]) -> Iterator[Groupe]:
    for langues in niveau.langues:
        for matiere in dict.fromkeys(langues):
            for start in range(0, len(divisions), 2):
                pair = divisions[start : start + 2]
                code = group_code(niveau, matiere, pair[0], shared=False)
                yield Groupe(code, f"{niveau.edition} {matiere.libelle.capitalize()}", matiere, pair)
    for matiere, _share in niveau.options:
        code = group_code(niveau, matiere, divisions[0], shared=True)
        yield Groupe(code, f"{niveau.edition} {matiere.libelle.capitalize()}", matiere, divisions)
