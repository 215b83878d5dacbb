"""Families: who lives together, who is whose child, and which places of the schools they take.

A bassin's places are dealt to its families once, in an order of the seed; each family is then
drawn from its own seed. The first families of a bassin are the planned oddities (``Cas``), so
that even a small académie has one of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import IntEnum

from app.exports.fictif import lexique
from app.exports.fictif.eleves import PREMIERE_JOINTURE, make_pupil
from app.exports.fictif.personnels import parent_staff, staff_of
from app.exports.fictif.personnes import Adresse, Eleve, Famille, Lien, Personnel, Responsable
from app.exports.fictif.plan import Bassin, Division, Etablissement, Plan

Place = tuple[Etablissement, Division]
ENFANTS = ((0.62, 1), (0.91, 2), (0.985, 3), (1.0, 4))
FAMILLES_PAR_PLACE = 2
"""Family numbers reserved per place, so that arrivals of later exports get theirs."""


class Cas(IntEnum):
    """How a family is made; the first families of a bassin show one case each."""

    ENSEMBLE = 0
    SEPARES = 1
    MONOPARENTAL = 2
    TUTEUR = 3
    AIDE_SOCIALE = 4
    RECOMPOSEE = 5
    JUMEAUX = 6
    SOSIE = 7
    HOMONYME = 8
    DEUX_ETABLISSEMENTS = 9
    SANS_INE = 10
    PARTICULE = 11
    PARENT_PERSONNEL = 12


_TIRAGE = (
    (0.60, Cas.ENSEMBLE),
    (0.80, Cas.SEPARES),
    (0.94, Cas.MONOPARENTAL),
    (0.950, Cas.TUTEUR),
    (0.955, Cas.AIDE_SOCIALE),
    (0.985, Cas.RECOMPOSEE),
    (0.986, Cas.HOMONYME),
    (0.988, Cas.DEUX_ETABLISSEMENTS),
    (0.992, Cas.SANS_INE),
    (1.0, Cas.PARTICULE),
)


def deal(plan: Plan, bassin: Bassin) -> Iterator[tuple[int, Cas | None, list[Place]]]:
    """Yield (family number, imposed case, places) until every place of the bassin is taken."""
    rng = lexique.generator(plan.graine, 3, bassin.rang)
    rand = rng.random
    pairs, singles = _pairs_and_singles(bassin)
    rng.shuffle(singles)
    number = bassin.premiere_place * FAMILLES_PAR_PLACE
    for first, second, case in pairs:
        if case is Cas.JUMEAUX:
            yield number, case, [first, second]
            number += 1
        else:
            yield number, Cas.ENSEMBLE, [first]
            yield number + 1, Cas.SOSIE, [second]
            number += 2
    imposed = [
        Cas.SEPARES, Cas.TUTEUR, Cas.AIDE_SOCIALE, Cas.RECOMPOSEE, Cas.HOMONYME, Cas.HOMONYME,
        Cas.DEUX_ETABLISSEMENTS, Cas.DEUX_ETABLISSEMENTS, Cas.SANS_INE, Cas.PARTICULE, Cas.MONOPARENTAL,
    ]  # fmt: skip
    staff_parents = sum(len(parent_staff(plan, school)) for school in bassin.etablissements)
    imposed += [Cas.PARENT_PERSONNEL] * staff_parents
    position, rank = 0, 0
    while position < len(singles):
        draw = rand()
        count = next(size for limit, size in ENFANTS if draw < limit)
        yield number, imposed[rank] if rank < len(imposed) else None, singles[position : position + count]
        position += count
        number += 1
        rank += 1


def _pairs_and_singles(bassin: Bassin) -> tuple[list[tuple[Place, Place, Cas]], list[Place]]:
    """Set apart neighbouring places for twins (one in 90) and look-alikes (one in 1 500)."""
    pairs: list[tuple[Place, Place, Cas]] = []
    singles: list[Place] = []
    index = 0
    for school in bassin.etablissements:
        for division in school.divisions:
            left = division.effectif
            while left:
                index += 1
                twins = index % 90 == 5
                if left >= 2 and (twins or index % 1500 == 12):
                    place = (school, division)
                    pairs.append((place, place, Cas.JUMEAUX if twins else Cas.SOSIE))
                    left -= 2
                    continue
                singles.append((school, division))
                left -= 1
    return pairs, singles


class Tirage:
    """Draws families one by one for an export of the académie."""

    def __init__(self, plan: Plan, annee: int) -> None:
        self.plan = plan
        self.annee = annee
        self._rng = lexique.generator(plan.graine)
        self._names = lexique.generator(plan.graine)

    def families(self, bassin: Bassin) -> Iterator[Famille]:
        """Yield the families of a bassin, in order."""
        staff = [person for school in bassin.etablissements for person in parent_staff(self.plan, school)]
        for number, case, places in deal(self.plan, bassin):
            famille = self.family(bassin, number, case, places)
            if case is Cas.PARENT_PERSONNEL:
                _become_staff(famille, staff.pop(0))
            yield famille

    def staff(self, school: Etablissement) -> Iterator[Personnel]:
        """Yield the staff of a school."""
        yield from staff_of(self.plan, school)

    def family(self, bassin: Bassin, number: int, case: Cas | None, places: list[Place]) -> Famille:
        """Draw one family; only its number and the seed decide what it is."""
        self._rng.seed(lexique.seed_of(self.plan.graine, 4, number))
        rand = self._rng.random
        draw = rand()
        if case is None:
            case = next(kind for limit, kind in _TIRAGE if draw < limit)
        twin_of = number - 1 if case is Cas.SOSIE else number
        self._names.seed(lexique.seed_of(self.plan.graine, 5, twin_of))
        names = self._names.random
        nom = lexique.surname(names)
        if case is Cas.PARTICULE:
            rare = lexique.lines("noms_particuliers")
            nom = rare[int(rand() * len(rare))].upper()
        elif case is Cas.HOMONYME:
            nom = "MARTIN"
        home = address(rand, bassin, number, 0)
        adults, links = _adults(rand, bassin, number, case, nom, home)
        month = 1 + int(names() * 12)
        children: list[Eleve] = []
        for rank, place in enumerate(places):
            child = make_pupil(
                rand, names, number, rank, place, nom, month, home, self.annee,
                homonyme=case is Cas.HOMONYME,
            )  # fmt: skip
            while any(child.prenom == other.prenom for other in children):
                child.prenom = lexique.first_name(names, child.sexe)
            _space_births(child, children, twins=case is Cas.JUMEAUX)
            child.liens = _links_of(links, rank, case)
            if case is Cas.SANS_INE and rank == 0:
                child.ine = None
            children.append(child)
        if case is Cas.DEUX_ETABLISSEMENTS:
            next(filter(lambda child: _enrol_elsewhere(child, bassin), children), None)
        famille = Famille(number, children, adults)
        if rand() < 0.17:
            famille.non_cites.append(_adult(rand, number, 3, "F", lexique.surname(rand), home))
        return famille


def address(rand: lexique.Hasard, bassin: Bassin, number: int, rank: int) -> Adresse:
    """Draw where a family lives, in a town of the bassin."""
    voies, towns = lexique.lines("voies"), bassin.communes
    line = f"{1 + int(rand() * 120)} {voies[int(rand() * len(voies))]}"
    extra = f"bâtiment {chr(65 + int(rand() * 5))}" if rand() < 0.08 else ""
    return Adresse(1_000_000 + number * 4 + rank, line, extra, towns[int(rand() * len(towns))])


def _adult(
    rand: lexique.Hasard, number: int, rank: int, sexe: str, nom: str, home: Adresse, usage: str = ""
) -> Responsable:
    prenom = lexique.first_name(rand, sexe, adult=True)
    usage = usage or nom
    email = None
    if rand() < 0.82:
        domain = lexique.DOMAINES[int(rand() * len(lexique.DOMAINES))]
        email = f"{lexique.slug(prenom)}.{lexique.slug(usage)}{number % 1000}@{domain}"
    return Responsable(
        jointure=PREMIERE_JOINTURE + number * 16 + 8 + rank,
        personne_id=5_000_000 + number * 4 + rank,
        sexe=sexe,
        nom=nom,
        nom_usage=usage,
        prenom=prenom,
        adresse=home,
        domicile=lexique.landline(rand) if rand() < 0.35 else None,
        portable=lexique.mobile(rand) if rand() < 0.93 else None,
        travail=lexique.landline(rand) if rand() < 0.25 else None,
        email=email,
        sms=rand() < 0.8,
        diffusion=rand() < 0.7,
    )


def _adults(
    rand: lexique.Hasard, bassin: Bassin, number: int, case: Cas, nom: str, home: Adresse
) -> tuple[list[Responsable], list[Lien]]:
    """Return the adults of a family and what each is to the children."""
    if case is Cas.TUTEUR:
        adult = _adult(rand, number, 0, "FM"[int(rand() * 2)], lexique.surname(rand), home)
        return [adult], [Lien(adult, "50", 1, True, True, True)]
    if case is Cas.AIDE_SOCIALE:
        referent = _adult(rand, number, 0, "F", lexique.surname(rand), home)
        carer = _adult(rand, number, 1, "M", lexique.surname(rand), home)
        return [referent, carer], [
            Lien(referent, "51", 1, True, False, True),
            Lien(carer, "42", 2, False, True, False),
        ]
    maiden = lexique.surname(rand)
    usage = nom if rand() < 0.5 and case is not Cas.SEPARES else maiden
    mother = _adult(rand, number, 0, "F", maiden, home, usage)
    if case is Cas.MONOPARENTAL and rand() < 0.85:
        links = [Lien(mother, "10", 1, True, True, True)]
        if rand() < 0.15:
            grand = _adult(rand, number, 2, "F", maiden, address(rand, bassin, number, 2))
            links.append(Lien(grand, "38", 3, False, True, False))
            return [mother, grand], links
        return [mother], links
    apart = case in (Cas.SEPARES, Cas.RECOMPOSEE)
    father_home = address(rand, bassin, number, 1) if apart else home
    father = _adult(rand, number, 1, "M", nom, father_home)
    if case is Cas.MONOPARENTAL:
        return [father], [Lien(father, "20", 1, True, True, True)]
    links = [
        Lien(mother, "10", 1, not apart or rand() < 0.7, True, True),
        Lien(father, "20", 1, apart and rand() < 0.5, rand() < 0.8, False),
    ]
    if case is Cas.RECOMPOSEE:
        partner = _adult(rand, number, 2, "M", lexique.surname(rand), home)
        links.append(Lien(partner, "39", 2, False, True, False))
        return [mother, father, partner], links
    return [mother, father], links


def _links_of(links: list[Lien], rank: int, case: Cas) -> list[Lien]:
    """In a blended family the second child is the partner's, not the first father's."""
    if case is not Cas.RECOMPOSEE or rank == 0:
        return links
    partner = links[2].responsable
    return [links[0], Lien(partner, "20", 1, False, True, False)]


def _space_births(child: Eleve, elder: list[Eleve], *, twins: bool) -> None:
    """Two siblings are twins, or born in different years: a second one of an age repeated a year."""
    if twins and elder:
        child.naissance = elder[0].naissance
        return
    years = {other.naissance.year for other in elder}
    while child.naissance.year in years:
        child.naissance = date(child.naissance.year - 1, child.naissance.month, min(child.naissance.day, 28))
        child.doublement = True


def _enrol_elsewhere(eleve: Eleve, bassin: Bassin) -> bool:
    """Give a pupil a second school of the bassin with the same level, when there is one."""
    first = eleve.scolarites[0]
    for school in bassin.etablissements:
        if school is first.etablissement:
            continue
        divisions = school.of_level(first.division.niveau)
        if divisions:
            second = type(first)(school, divisions[-1], [], [], first.entree)
            eleve.scolarites.append(second)
            return True
    return False


def _become_staff(famille: Famille, person: Personnel) -> None:
    """Make one parent the given member of staff: same person, same key in the directory."""
    father = person.sexe == "M"
    adult = famille.responsables[1 if father else 0]
    adult.jointure, adult.email = person.jointure, person.email
    adult.nom, adult.nom_usage, adult.prenom = person.nom, person.nom_usage, person.prenom
    if father:
        for eleve in famille.eleves:
            eleve.nom = person.nom
