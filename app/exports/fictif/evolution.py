"""From one export to the next: who moves, changes class or telephone, leaves, comes or comes back.

Each later export draws, for each family, whether something happens to it; so the n-th export is
the same whether or not the ones before it were generated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from app.exports.fictif import lexique
from app.exports.fictif.eleves import enrol
from app.exports.fictif.familles import FAMILLES_PAR_PLACE, Cas, Place, Tirage, address
from app.exports.fictif.personnels import hire, parent_staff, staff_of
from app.exports.fictif.personnes import Eleve, Famille, Personnel
from app.exports.fictif.plan import Bassin, Etablissement, Plan

CLASSE, ADRESSE, TELEPHONE, DEPART = 0.35, 0.55, 0.70, 0.95
"""Upper bounds of the draw for each kind of change; above, an e-mail address."""
RETOUR = 0.5
PART_ARRIVEES = 0.25
RANG_ARRIVEES = 10_000
"""Staff ranks from here on are people who came after the first export."""


class Evolution:
    """The académie ``rang`` exports later, ``taux`` (0–1) of its families touched each time."""

    def __init__(self, plan: Plan, annee: int, taux: float, rang: int, jour: date) -> None:
        self._plan, self._taux, self._rang, self._jour = plan, taux, rang, jour
        self._tirage = Tirage(plan, annee)
        self._rng = lexique.generator(plan.graine)

    def families(self, bassin: Bassin) -> Iterator[Famille]:
        """Yield the families of a bassin as this export knows them."""
        for famille in self._tirage.families(bassin):
            kept = self._evolve(bassin, famille)
            if kept is not None:
                yield kept
        yield from self._arrivals(bassin)

    def staff(self, school: Etablissement) -> Iterator[Personnel]:
        """Yield the staff of a school as this export knows them."""
        parents = {member.jointure for member in parent_staff(self._plan, school)}
        for member in staff_of(self._plan, school):
            kept = member
            for rang in range(1, self._rang + 1):
                if member.jointure not in parents and self._touched(7, member.jointure, rang):
                    kept = self._staff_change(kept, school, rang)
            yield kept

    def _touched(self, *parts: int) -> bool:
        self._rng.seed(lexique.seed_of(self._plan.graine, *parts))
        return self._rng.random() < self._taux

    def _evolve(self, bassin: Bassin, famille: Famille) -> Famille | None:
        gone = False
        for rang in range(1, self._rang + 1):
            if gone:
                self._rng.seed(lexique.seed_of(self._plan.graine, 8, famille.numero, rang))
                gone = self._rng.random() >= RETOUR
                continue
            if not self._touched(8, famille.numero, rang):
                continue
            rand = self._rng.random
            draw = rand()
            if draw < CLASSE:
                self._change_class(famille.eleves[int(rand() * len(famille.eleves))])
            elif draw < ADRESSE:
                self._move(bassin, famille)
            elif draw < TELEPHONE:
                famille.responsables[0].portable = lexique.mobile(rand)
            elif draw < DEPART:
                gone = True
            else:
                adult = famille.responsables[-1]
                adult.email = f"{lexique.slug(adult.prenom)}{int(rand() * 1000)}@{lexique.DOMAINES[0]}"
        return None if gone else famille

    def _change_class(self, eleve: Eleve) -> None:
        """Move a pupil to a neighbouring division, or change meals when there is only one."""
        old = eleve.scolarites[0]
        divisions = old.etablissement.of_level(old.division.niveau)
        if len(divisions) == 1:
            eleve.regime = 0 if eleve.regime == 2 else 2
            return
        new = divisions[(old.division.rang + 1) % len(divisions)]
        moved = enrol(self._rng.random, old.etablissement, new, old.entree.year)
        eleve.scolarites[0] = replace(moved, entree=self._jour)

    def _move(self, bassin: Bassin, famille: Famille) -> None:
        old = famille.responsables[0].adresse
        new = replace(address(self._rng.random, bassin, famille.numero, 0), cle=old.cle)
        for adult in famille.responsables:
            if adult.adresse is old:
                adult.adresse = new
        for eleve in famille.eleves:
            if eleve.adresse is old:
                eleve.adresse = new

    def _arrivals(self, bassin: Bassin) -> Iterator[Famille]:
        """New families, numbered after those of the first export; the latest ones came last."""
        each = max(1, round(bassin.places * self._taux * PART_ARRIVEES))
        each = min(each, bassin.places * (FAMILLES_PAR_PLACE - 1) // self._rang)
        first = bassin.premiere_place * FAMILLES_PAR_PLACE + bassin.places
        for index in range(each * self._rang):
            number = first + index
            self._rng.seed(lexique.seed_of(self._plan.graine, 10, number))
            school = bassin.etablissements[int(self._rng.random() * len(bassin.etablissements))]
            division = school.divisions[int(self._rng.random() * len(school.divisions))]
            place: Place = (school, division)
            famille = self._tirage.family(bassin, number, Cas.ENSEMBLE, [place])
            famille.eleves[0].scolarites[0].entree = self._jour
            yield famille

    def _staff_change(self, member: Personnel, school: Etablissement, rang: int) -> Personnel:
        """A teacher changes name of use; somebody in another post is replaced."""
        rand = self._rng.random
        if member.matiere is not None or member.postes[0][1] is None:
            return replace(member, nom_usage=lexique.surname(rand))
        if member.postes[0][1].fonction == "DIR":
            return member
        newcomer = hire(self._plan.graine, school, RANG_ARRIVEES + rang * 500 + member.jointure % 500)
        newcomer.postes.extend(member.postes)
        return newcomer
