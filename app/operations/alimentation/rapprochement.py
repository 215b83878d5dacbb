"""Whom a record is about: identifiers in the official order, then the name, never a silent merge.

Rules, for a record whose own key the base does not know yet:

* each identifier leads to at most one person; two identifiers leading to two people, or an
  identifier leading elsewhere than the record's known key, is ``identifiants_divergents``:
  nothing is applied and nobody of the two leaves;
* an INE counts only with the same birth date. It joins somebody who already carries another key
  of the same source only when the whole name agrees too (a pupil stated by two schools); twins
  given one INE by mistake stay two people (``ine_double``);
* in the files of one school, an identifier that leads to somebody who was never there counts only
  when the whole name and the birth date agree too: numbers can be guessed, and a preview must
  show nothing of the people of other schools (``identifiant_deja_pris``);
* an identifier that leads to somebody of another kind (a parent who is also staff) counts only
  when the name agrees; else it is left to its holder (``identifiant_deja_pris``);
* without identifier, a guardian is first sought among those of the same children, by whole name
  (and civility, and birth date when there is one); two records cannot become one person so;
* without identifier, a pupil is sought by name, first name and birth date within the school; a
  member of staff by e-mail and name, then by name and birth date among staff; a parent by e-mail
  and whole name. One single answer is a match, unless that person carries another key of the same
  source or another INE: then both stand (``homonyme``, ``homonyme_possible``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.alimentation.champs import PROFILS_DE, Record, iso
from app.queries.noms import search_key

Cle = tuple[str, str, str]
LONGUEUR_UAI = 8
HOMONYME_POSSIBLE = (
    "homonyme_possible",
    "Une personne de même nom est déjà connue de cette source sous une autre clé."
    " Elle n’est pas fusionnée : vérifiez s’il s’agit d’un doublon.",
)


@dataclass(slots=True)
class Candidat:
    """A record to match: its key, the person that key already means, and what it says."""

    cle: str
    identite: Record
    identifiants: list[Cle]
    uais: set[str]
    connu: int | None = None
    proches: set[int] = field(default_factory=set)
    """Guardians, known under other keys, of the children this one answers for."""


@dataclass(slots=True)
class Verdict:
    """Who it is (or nobody yet), what must be said of it, which identifiers are another's."""

    personne_id: int | None = None
    code: str | None = None
    message: str | None = None
    refuses: set[Cle] = field(default_factory=set)
    divergents: tuple[int, ...] = ()


@dataclass(slots=True)
class Profil:
    """What matching needs of a person of the base."""

    noms: set[str]
    prenom: str
    naissance: str | None
    email: str | None
    civilite: str | None = None
    profils: set[str] = field(default_factory=set)
    cles: set[str] = field(default_factory=set)
    ine: str | None = None
    ecoles: set[str] = field(default_factory=set)

    def same_name(self, identite: Record) -> bool:
        """Tell whether last name (either of them) and first name agree."""
        return self.prenom == search_key(identite.get("prenom") or "") and bool(self.noms & noms_de(identite))


def noms_de(identite: Record) -> set[str]:
    """Return the comparable last names of a record: family name and name in use."""
    return {search_key(name) for name in (identite.get("nom"), identite.get("nom_usage")) if name}


class Rapprochement:
    """Matches the records of one batch with a fixed number of statements."""

    def __init__(self, session: Session, objet: str, espace: str) -> None:
        self.session = session
        self.objet = objet
        self.espace = espace
        scope = espace.partition(":")[2]
        self.ecole = scope if len(scope) == LONGUEUR_UAI else None
        self.gens: dict[int, Profil] = {}

    def juger(self, candidats: Sequence[Candidat]) -> list[Verdict]:
        """Return one verdict per record, in order."""
        holders = self._holders(candidats)
        self._load(set(holders.values()))
        verdicts = [self._by_identifier(candidat, holders) for candidat in candidats]
        rest = [
            (candidat, verdict)
            for candidat, verdict in zip(candidats, verdicts, strict=True)
            if verdict.personne_id is None and not verdict.divergents
        ]
        if rest:
            self._by_name(rest)
            self._one_record_each(rest)
        return verdicts

    def _one_record_each(self, rest: list[tuple[Candidat, Verdict]]) -> None:
        """Two records of one source are not made one person on their names alone."""
        found = Counter(verdict.personne_id for _candidat, verdict in rest if verdict.personne_id)
        for _candidat, verdict in rest:
            if verdict.personne_id and found[verdict.personne_id] > 1:
                verdict.personne_id = None
                verdict.code, verdict.message = HOMONYME_POSSIBLE

    def _holders(self, candidats: Iterable[Candidat]) -> dict[Cle, int]:
        """Return identifier → person."""
        wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
        for candidat in candidats:
            for type_, portee, valeur in candidat.identifiants:
                wanted[type_, portee].append(valeur)
        asked: dict[str, object] = {}
        parts = []
        for rank, ((type_, portee), values) in enumerate(sorted(wanted.items())):
            asked |= {f"type{rank}": type_, f"portee{rank}": portee, f"valeurs{rank}": values}
            parts.append(
                "SELECT type, portee, valeur, personne_id FROM identifiant"
                f" WHERE type = :type{rank} AND portee = :portee{rank} AND valeur IN :valeurs{rank}"
            )
        if not parts:
            return {}
        return {
            (row[0], row[1], row[2]): row[3]
            for row in rows_of(self.session, " UNION ALL ".join(parts), **asked)
        }

    def _load(self, ids: set[int]) -> None:
        wanted = sorted(ids - self.gens.keys())
        if not wanted:
            return
        for pid, nom, usage, prenom, born, email, civilite in rows_of(
            self.session,
            "SELECT id, nom, nom_usage, prenom, date_naissance, email, civilite FROM personne"
            " WHERE id IN :ids",
            ids=wanted,
        ):
            noms = {search_key(name) for name in (nom, usage) if name}
            self.gens[pid] = Profil(noms, search_key(prenom), iso(born), email, civilite)
        for pid, profil, uai in rows_of(
            self.session,
            "SELECT DISTINCT r.personne_id, r.profil, e.uai FROM rattachement r"
            " JOIN etablissement e ON e.id = r.etablissement_id WHERE r.personne_id IN :ids",
            ids=wanted,
        ):
            self.gens[pid].profils.add(profil)
            self.gens[pid].ecoles.add(uai)
        for pid, cle in rows_of(
            self.session,
            "SELECT personne_id, cle FROM fiche_source"
            " WHERE personne_id IN :ids AND espace || '' = :espace AND objet || '' = :objet AND presente",
            ids=wanted,
            espace=self.espace,
            objet=self.objet,
        ):
            self.gens[pid].cles.add(cle)
        if self.objet == "eleve":
            for pid, ine in rows_of(
                self.session,
                "SELECT personne_id, valeur FROM identifiant"
                " WHERE personne_id IN :ids AND type || '' = 'ine'",
                ids=wanted,
            ):
                self.gens[pid].ine = ine

    def _by_identifier(self, candidat: Candidat, holders: dict[Cle, int]) -> Verdict:
        verdict = Verdict(personne_id=candidat.connu)
        found: dict[int, Cle] = {}
        for cle in candidat.identifiants:
            pid = holders.get(cle)
            if pid is None or pid == candidat.connu:
                continue
            refusal = self._refusal(candidat, cle, self.gens[pid])
            if refusal is None:
                found.setdefault(pid, cle)
            else:
                verdict.refuses.add(cle)
                verdict.code, verdict.message = refusal
        people = ([candidat.connu] if candidat.connu else []) + list(found)
        if len(people) > 1:
            verdict.divergents = tuple(people)
            verdict.personne_id = None
            verdict.code = "identifiants_divergents"
            listed = ", ".join(f"{cle[0].upper()} {cle[2]}" for cle in found.values())
            verdict.message = (
                f"Les identifiants de cette fiche ({listed}) désignent {len(people)} personnes différentes."
                " Rien n’est modifié : corrigez la source ou fusionnez les personnes."
            )
        elif people:
            verdict.personne_id = people[0]
        return verdict

    def _refusal(self, candidat: Candidat, cle: Cle, profil: Profil) -> tuple[str, str] | None:
        """Return why an identifier's holder is not this person, or None when it may be."""
        type_, _portee, valeur = cle
        named = profil.same_name(candidat.identite)
        born = candidat.identite.get("date_naissance")
        taken = (
            "identifiant_deja_pris",
            f"L’identifiant {type_} {valeur} est déjà celui d’une autre personne ; il ne lui est pas ajouté.",
        )
        if self._foreign(profil) and not (named and profil.naissance in (None, born)):
            return taken
        if type_ == "ine":
            elsewhere = bool(profil.cles - {candidat.cle})
            if (born and profil.naissance and born != profil.naissance) or (elsewhere and not named):
                return (
                    "ine_double",
                    f"L’INE {valeur} est déjà celui d’une autre personne ; il ne lui est pas ajouté.",
                )
            return None
        same_kind = not profil.profils or bool(profil.profils & set(PROFILS_DE[self.objet]))
        return None if same_kind or named else taken

    def _foreign(self, profil: Profil) -> bool:
        """Tell whether the files are those of one school, and this person only known in others."""
        return self.ecole is not None and bool(profil.ecoles) and self.ecole not in profil.ecoles

    def _by_name(self, rest: list[tuple[Candidat, Verdict]]) -> None:
        if self.objet == "eleve":
            pupils = self._pupils(rest)
            for candidat, verdict in rest:
                born = candidat.identite.get("date_naissance")
                near = {pid for uai in candidat.uais for pid in pupils.get((uai, born or ""), ())}
                self._decide(candidat, verdict, near)
            return
        self._load({pid for candidat, _verdict in rest for pid in candidat.proches})
        by_email = self._mailboxes(rest)
        staff = self._staff(rest) if self.objet == "personnel" else {}
        for candidat, verdict in rest:
            self._decide(candidat, verdict, candidat.proches & self.gens.keys(), alike_civility=True)
            if verdict.personne_id is not None or verdict.code == HOMONYME_POSSIBLE[0]:
                continue
            near = by_email.get(candidat.identite.get("email") or "", set())
            self._decide(candidat, verdict, near)
            if (
                verdict.personne_id is None
                and verdict.code is None
                and candidat.identite.get("date_naissance")
            ):
                self._decide(
                    candidat,
                    verdict,
                    {pid for nom in noms_de(candidat.identite) for pid in staff.get(nom, ())},
                    born_required=True,
                )

    def _decide(
        self,
        candidat: Candidat,
        verdict: Verdict,
        near: set[int],
        *,
        born_required: bool = False,
        alike_civility: bool = False,
    ) -> None:
        """Keep the one person of ``near`` with the whole name and no contrary birth date."""
        born = candidat.identite.get("date_naissance")
        alike = []
        for pid in sorted(near):
            profil = self.gens[pid]
            contrary = born and profil.naissance and born != profil.naissance
            if contrary or (born_required and profil.naissance != born):
                continue
            said = candidat.identite.get("civilite")
            if alike_civility and said and profil.civilite and said != profil.civilite:
                continue
            if profil.same_name(candidat.identite):
                alike.append(pid)
        if not alike:
            return
        ine = next((cle[2] for cle in candidat.identifiants if cle[0] == "ine"), None)
        profil = self.gens[alike[0]]
        if ine and profil.ine and ine != profil.ine:
            verdict.code = "homonyme"
            verdict.message = "Même nom et même date de naissance qu’une autre personne, d’INE différent."
        elif len(alike) > 1 or profil.cles - {candidat.cle}:
            verdict.code, verdict.message = HOMONYME_POSSIBLE
        else:
            verdict.personne_id = alike[0]

    def _pupils(self, rest: list[tuple[Candidat, Verdict]]) -> dict[tuple[str, str], set[int]]:
        """Return (school, birth date) → pupils who were ever there."""
        uais = sorted({uai for candidat, _verdict in rest for uai in candidat.uais})
        dates = sorted(
            {born for candidat, _verdict in rest if (born := candidat.identite.get("date_naissance"))}
        )
        found: dict[tuple[str, str], set[int]] = defaultdict(set)
        if uais and dates:
            for pid, uai, born in rows_of(
                self.session,
                "SELECT p.id, e.uai, p.date_naissance FROM etablissement e"
                " JOIN rattachement r ON r.etablissement_id = e.id AND r.profil = 'eleve'"
                " JOIN personne p ON p.id = r.personne_id"
                " WHERE e.uai IN :uais AND p.date_naissance IN DATES :dates",
                uais=uais,
                dates=dates,
            ):
                found[uai, iso(born) or ""].add(pid)
            self._load({pid for ids in found.values() for pid in ids})
        return found

    def _mailboxes(self, rest: list[tuple[Candidat, Verdict]]) -> dict[str, set[int]]:
        """Return e-mail → adults who have it."""
        emails = sorted({email for candidat, _v in rest if (email := candidat.identite.get("email"))})
        found: dict[str, set[int]] = defaultdict(set)
        if emails:
            for pid, email in rows_of(
                self.session,
                "SELECT p.id, p.email FROM personne p WHERE p.email IN :emails AND NOT EXISTS"
                " (SELECT 1 FROM rattachement r WHERE r.personne_id = p.id AND r.profil = 'eleve')",
                emails=emails,
            ):
                found[email].add(pid)
            self._load({pid for ids in found.values() for pid in ids})
        return found

    def _staff(self, rest: list[tuple[Candidat, Verdict]]) -> dict[str, set[int]]:
        """Return last name → staff born on the date of a record of that name."""
        dates = sorted(
            {born for candidat, _verdict in rest if (born := candidat.identite.get("date_naissance"))}
        )
        found: dict[str, set[int]] = defaultdict(set)
        if dates:
            ids = {
                row[0]
                for row in rows_of(
                    self.session,
                    "SELECT p.id FROM personne p WHERE p.date_naissance IN DATES :dates AND EXISTS"
                    " (SELECT 1 FROM rattachement r WHERE r.personne_id = p.id AND r.profil IN :profils)",
                    profils=list(PROFILS_DE["personnel"]),
                    dates=dates,
                )
            }
            self._load(ids)
            for pid in ids:
                for nom in self.gens[pid].noms:
                    found[nom].add(pid)
        return found
