"""Who is in the schools of the plan: families, teachers, staff, and the accounts of some."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from app.exports.fictif import lexique
from app.exports.fictif.nomenclature import POSTES
from app.queries.noms import login_root, name_variants, personne_key
from bench.million.plan import ACADEMIES, AILLEURS, COLUMNS, JOUR, Classe, Ecole, Plan, Row, instant

COLUMNS |= {
    "personne": (
        "id", "nom", "nom_usage", "prenom", "autres_prenoms", "civilite", "sexe", "date_naissance",
        "nom_recherche", "login", "email", "telephone_portable", "adresse", "code_postal", "commune",
        "source", "code_generation", "cree_le", "modifie_le", "supprime_le", "version",
        "suspendu_le",
    ),
    "variante_nom": ("id", "personne_id", "cle"),
    "identifiant": ("id", "personne_id", "type", "portee", "valeur", "source"),
    "rattachement": (
        "id", "personne_id", "cle", "etablissement_id", "profil", "source", "debut", "fin", "motif_fin",
        "mef_id", "division_id", "regime",
    ),
    "eleve_groupe": ("rattachement_id", "groupe_id"),
    "responsabilite": (
        "id", "eleve_id", "responsable_id", "code_parente", "niveau", "financier", "contact",
        "paiement", "source",
    ),
    "fonction_exercee": ("id", "rattachement_id", "fonction_id", "discipline_id"),
    "service_enseigne": ("id", "personne_id", "etablissement_id", "matiere_id", "division_id", "source"),
    "professeur_principal": ("personne_id", "division_id"),
    "racine_login": ("racine", "dernier"),
    "ab_user": (
        "id", "first_name", "last_name", "username", "password", "active", "email", "created_on",
        "personne_id",
    ),
    "attribution": (
        "id", "compte_id", "role", "academie_id", "etablissement_id", "depuis", "accordee_par",
    ),
}  # fmt: skip
RENTREE = date(2026, 9, 1)
ENFANTS = ((0.62, 1), (0.91, 2), (0.985, 3), (1.0, 4))
PART_COMPTES = 0.3
ELEVES_PAR_ENSEIGNANT = 13
CORRESPONDANT, ACADEMIE = "mesure.correspondant", "mesure.academie"
"""Logins of the two accounts the bench signs in with."""


class Gens:
    """Draws everybody, school after school, and yields their rows; stops at the number wanted."""

    def __init__(self, plan: Plan, digest: str) -> None:
        self.plan, self.digest = plan, digest
        self.next = dict.fromkeys(COLUMNS, 0)
        self.keys = [""]
        """What each person is sorted by, by number."""
        self.roots: dict[str, int] = {}
        self.birthdays = [(date(1900, 1, 1) + timedelta(days=day)).isoformat()[4:] for day in range(365)]
        self.now, self.left = instant(JOUR), instant(JOUR - timedelta(days=9))
        self.waiting: list[tuple[str, list[int]]] = []
        """Families whose second child goes to the next school."""

    def rows(self) -> Iterator[Row]:
        """Yield the rows of everybody."""
        last = self.plan.ecoles[-1]
        for school in self.plan.ecoles:
            rand = lexique.generator(7, 4, school.id).random
            yield from self._staff(rand, school)
            yield from self._families(rand, school)
        rand = lexique.generator(7, 5).random
        while self.next["personne"] < self.plan.personnes:
            guest, made = self._person(rand, last, self._surname(rand, last), "F", adult=True)
            yield from made
            yield self._place(guest, last, "invite", source="manuel")[1]
        yield from self._assistant()
        for root, count in self.roots.items():
            yield "racine_login", (root, count)

    @property
    def full(self) -> bool:
        """Tell whether everybody has been drawn."""
        return self.next["personne"] >= self.plan.personnes

    def _id(self, table: str) -> int:
        self.next[table] += 1
        return self.next[table]

    def _surname(self, rand: lexique.Hasard, school: Ecole) -> str:
        nom = lexique.surname(rand)
        return f"{nom}-{AILLEURS}" if school.ailleurs else nom

    def _person(
        self,
        rand: lexique.Hasard,
        school: Ecole,
        nom: str,
        sexe: str,
        *,
        adult: bool,
        year: int = 0,
        usage: str | None = None,
        email: float = 0.0,
        gone: bool = False,
    ) -> tuple[int, list[Row]]:
        """Return the number of a new person, and their rows: identity, key of the directory, account."""
        number = self._id("personne")
        prenom = lexique.first_name(rand, sexe, adult=adult)
        root = login_root(prenom, usage or nom)
        self.roots[root] = count = self.roots.get(root, 0) + 1
        login = f"{root}{count}" if count > 1 else root
        self.keys.append(personne_key(usage or nom, prenom))
        birth = f"{year}{self.birthdays[int(rand() * 365)]}" if year else None
        others = None if adult or rand() < 0.4 else lexique.first_name(rand, sexe)
        rows: list[Row] = [
            ("personne", (
                number, nom, usage, prenom, others, ("Mme" if sexe == "F" else "M.") if adult else None, sexe,
                birth, self.keys[number], login,
                f"{login}@{lexique.DOMAINES[number % 4]}" if rand() < email else None,
                lexique.mobile(rand) if adult and rand() < 0.8 else None,
                "12 rue des Tilleuls", school.code_postal, school.commune,
                "aaf", 1, self.now, self.now, self.left if gone else None, 1,
                self.now if number % 667 == 0 and not gone else None,
            )),
            ("identifiant", (
                self._id("identifiant"), number, "jointure", ACADEMIES[school.academie - 1][0],
                str(100_000 + number), "aaf",
            )),
        ]  # fmt: skip
        rows += [
            ("variante_nom", (self._id("variante_nom"), number, key))
            for key in name_variants(nom, usage, prenom)
        ]
        if rand() < PART_COMPTES and not gone:
            rows.append(self._account(number, login, prenom, usage or nom))
        return number, rows

    def _account(self, person: int | None, login: str, prenom: str, nom: str) -> Row:
        number = self._id("ab_user")
        return "ab_user", (
            number, prenom[:64], nom[:64], login, self.digest, True, f"{login}@compte.example", self.now,
            person,
        )  # fmt: skip

    def _place(
        self, person: int, school: Ecole, profil: str, *, gone: bool = False, source: str = "aaf",
        classe: Classe | None = None, regime: str | None = None,
    ) -> tuple[int, Row]:  # fmt: skip
        number = self._id("rattachement")
        ended = (self.left, "depart") if gone else (None, None)
        studied = (self.plan.mef_ids[classe.niveau.mef], classe.id) if classe else (None, None)
        start = RENTREE.isoformat()
        where = (number, person, self.keys[person], school.id, profil)
        row = (*where, source, start, *ended, *studied, regime)
        return number, ("rattachement", row)

    def _staff(self, rand: lexique.Hasard, school: Ecole) -> Iterator[Row]:
        pupils = sum(classe.effectif for classe in school.classes)
        teachers = max(5, pupils // ELEVES_PAR_ENSEIGNANT)
        for rank in range(teachers):
            matiere = list(self.plan.matiere_ids)[rank % 10]
            person, place, made = self._hired(rand, school, "enseignant", first=rank == 0)
            yield from made
            ids = (self.plan.fonction_ids["ENS"], self.plan.discipline_ids[matiere.discipline[0]])
            yield "fonction_exercee", (self._id("fonction_exercee"), place, *ids)
            for classe in school.classes[rank :: max(1, teachers // 8)]:
                yield "service_enseigne", (
                    self._id("service_enseigne"), person, school.id, self.plan.matiere_ids[matiere],
                    classe.id, "aaf",
                )  # fmt: skip
            for classe in school.classes[rank::teachers]:
                yield "professeur_principal", (person, classe.id)
        for poste in POSTES[: 4 if pupils < 200 else None]:
            _person, place, made = self._hired(rand, school, "personnel")
            yield from made
            ids = (self.plan.fonction_ids[poste.fonction], self.plan.discipline_ids[poste.discipline])
            yield "fonction_exercee", (self._id("fonction_exercee"), place, *ids)

    def _hired(
        self, rand: lexique.Hasard, school: Ecole, profil: str, *, first: bool = False
    ) -> tuple[int, int, list[Row]]:
        sexe = "F" if rand() < 0.62 else "M"
        nom = self._surname(rand, school)
        usage = self._surname(rand, school) if sexe == "F" and rand() < 0.4 else None
        year = 1964 + int(rand() * 38)
        person, rows = self._person(rand, school, nom, sexe, adult=True, year=year, usage=usage, email=0.9)
        place, row = self._place(person, school, profil)
        rows.append(row)
        if first and school.id % 40:
            rows += self._correspondent(school, person, rows)
        return person, place, rows

    def _correspondent(self, school: Ecole, person: int, rows: list[Row]) -> list[Row]:
        """Make the first teacher its local administrator; that of the first school is measured."""
        identity = dict(zip(COLUMNS["personne"], rows[0][1], strict=True))
        made = [row for row in rows if row[0] == "ab_user"]
        if school.id == 1 or not made:
            rows[:] = [row for row in rows if row[0] != "ab_user"]
            login = CORRESPONDANT if school.id == 1 else identity["login"]
            made = [self._account(person, login, identity["prenom"], identity["nom"])]
            rows += made
        return [self._held(made[0][1][0], "correspondant", None, school.id)]

    def _held(self, account: int, role: str, academie: int | None, school: int | None) -> Row:
        number = self._id("attribution")
        return "attribution", (number, account, role, academie, school, self.now, "Mesure")

    def _assistant(self) -> Iterator[Row]:
        row = self._account(None, ACADEMIE, "Yasmina", "QUATREMÈRE")
        yield row
        yield self._held(row[1][0], "assistant_plateforme", 1, None)

    def _families(self, rand: lexique.Hasard, school: Ecole) -> Iterator[Row]:
        waiting, self.waiting = self.waiting, []
        size, nom, adults = 0, "", []
        for classe in school.classes:
            for _ in range(classe.effectif):
                if self.full:
                    return
                if size <= 0 and waiting and waiting[-1][0].endswith(AILLEURS) == school.ailleurs:
                    nom, adults = waiting.pop()
                    for adult in adults:
                        yield self._place(adult, school, "responsable")[1]
                    size = 1
                elif size <= 0:
                    draw = rand()
                    size = next(count for limit, count in ENFANTS if draw < limit)
                    nom = self._surname(rand, school)
                    adults, made = self._adults(rand, school, nom)
                    yield from made
                    if size > 1 and rand() < 0.3:
                        size -= 1
                        self.waiting.append((nom, adults))
                size -= 1
                yield from self._pupil(rand, school, classe, nom, adults)

    def _adults(self, rand: lexique.Hasard, school: Ecole, nom: str) -> tuple[list[int], list[Row]]:
        made: list[Row] = []
        adults = []
        alone = rand() < 0.2
        for sexe in "F" if alone else "FM":
            own = nom if sexe == "M" else self._surname(rand, school)
            usage = nom if sexe == "F" and rand() < 0.5 else None
            person, rows = self._person(rand, school, own, sexe, adult=True, usage=usage, email=0.75)
            adults.append(person)
            made += rows
            made.append(self._place(person, school, "responsable")[1])
        return adults, made

    def _pupil(
        self, rand: lexique.Hasard, school: Ecole, classe: Classe, nom: str, adults: list[int]
    ) -> Iterator[Row]:
        sexe = "F" if rand() < 0.49 else "M"
        gone = rand() < 0.01
        year = 2026 - classe.niveau.age - (rand() < 0.05)
        person, rows = self._person(rand, school, nom, sexe, adult=False, year=year, email=0.1, gone=gone)
        yield from rows
        ine = f"{person:09d}{'ABCDEFGHJK'[person % 10]}{'KJHGFEDCBA'[person % 7]}"
        yield "identifiant", (self._id("identifiant"), person, "ine", "", ine, "aaf")
        regime = "Demi-pensionnaire" if rand() < 0.68 else "Externe"
        place, row = self._place(person, school, "eleve", gone=gone, classe=classe, regime=regime)
        yield row
        yield "eleve_groupe", (place, classe.id)
        for rank, adult in enumerate(adults):
            yield "responsabilite", (
                self._id("responsabilite"), person, adult, "20" if rank else "10", 1, rank == 0, True,
                rank == 0, "aaf",
            )  # fmt: skip


def everybody(plan: Plan, digest: str) -> Iterator[Row]:
    """Yield the rows of everybody in the schools of the plan; accounts all have the same password."""
    return Gens(plan, digest).rows()
