"""Judging the lines of a file of guests: what is wrong, who is known, what each would become (U13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.invites_saisie import CHAMPS, Constat, Lecture, lire
from app.queries.noms import personne_key

ALIKE_BORN_SAME_DAY = 80
SUITE = "Rien ne sera changé pour cette ligne."


@dataclass(slots=True)
class Jugee:
    """One line, judged."""

    numero: int
    cellules: list[str]
    lecture: Lecture
    etat: str = "valide"
    choix: str = "creer"
    personne_id: int | None = None
    cle: str = ""

    @property
    def remarque(self) -> bool:
        """Tell whether something is to be read before going on, though nothing stops it."""
        return self.etat == "valide" and bool(self.lecture.constats)

    def constats(self) -> list[dict[str, Any]]:
        """Return what is said of it as it is stored."""
        return [
            {"champ": one.champ, "texte": one.texte, "erreur": one.erreur, "suggestion": one.suggestion}
            for one in self.lecture.constats
        ]


@dataclass(slots=True)
class _Connu:
    id: int
    cle: str
    naissance: date | None
    present: bool


@dataclass(slots=True)
class Juge:
    """What judging needs to know of the school, read once, and of the lines already seen."""

    session: Session
    etablissement_id: int
    aujourdhui: date
    vus: dict[tuple[str, date], int] = field(default_factory=dict)
    _par_cle: dict[str, list[_Connu]] = field(default_factory=dict)
    _par_naissance: dict[date, dict[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_key: dict[str, list[_Connu]] = defaultdict(list)
        by_birth: dict[date, dict[int, str]] = defaultdict(dict)
        for row in rows_of(
            self.session,
            "SELECT p.id, p.nom_recherche, p.date_naissance,"
            " MAX(CASE WHEN r.fin IS NULL THEN 1 ELSE 0 END) FROM rattachement r"
            " JOIN personne p ON p.id = r.personne_id WHERE r.etablissement_id = :school"
            " GROUP BY p.id, p.nom_recherche, p.date_naissance",
            school=self.etablissement_id,
        ):
            known = _Connu(row[0], row[1], _day(row[2]), bool(row[3]))
            by_key[known.cle].append(known)
            if known.naissance is not None:
                by_birth[known.naissance][known.id] = known.cle
        self._par_cle, self._par_naissance = dict(by_key), dict(by_birth)

    def juger(self, rows: Iterable[tuple[int, list[str]]], colonnes: Sequence[str]) -> list[Jugee]:
        """Judge a lot of lines: (number, cells)."""
        lot = []
        for numero, cells in rows:
            raw = {name: cell for name, cell in zip(colonnes, cells, strict=False) if name}
            lot.append(Jugee(numero, cells, lire(raw, aujourdhui=self.aujourdhui)))
        good = [line for line in lot if self._whole(line)]
        elsewhere = self._guests_elsewhere({line.cle for line in good})
        for line in good:
            self._compare(line, elsewhere)
        return lot

    def _whole(self, line: Jugee) -> bool:
        """Tell whether a line may be compared with who is known; an error or a repetition may not."""
        values = line.lecture.valeurs
        born = values.get("date_naissance")
        if values.get("nom") and values.get("prenom"):
            line.cle = personne_key(str(values["nom"]), str(values["prenom"]))
        if line.cle and isinstance(born, date):
            first = self.vus.setdefault((line.cle, born), line.numero)
            if first != line.numero:
                said = f"Cette personne est déjà à la ligne {first}."
                line.lecture.constats.append(Constat("nom", said))
        if not line.lecture.juste:
            line.etat, line.choix = "erreur", ""
            return False
        return True

    def _guests_elsewhere(self, keys: set[str]) -> dict[tuple[str, date], list[int]]:
        """Return the guests of other schools who bear these names, by name and birth date."""
        found: dict[tuple[str, date], list[int]] = defaultdict(list)
        if not keys:
            return found
        for id_, key, raw in rows_of(
            self.session,
            "SELECT p.id, p.nom_recherche, p.date_naissance FROM personne p"
            " WHERE p.nom_recherche IN :keys AND p.date_naissance IS NOT NULL AND EXISTS"
            " (SELECT 1 FROM rattachement r WHERE r.personne_id = p.id AND r.profil = 'invite')",
            keys=sorted(keys),
        ):
            born = _day(raw)
            if born is not None:
                found[key, born].append(id_)
        return found

    def _compare(self, line: Jugee, elsewhere: dict[tuple[str, date], list[int]]) -> None:
        born = line.lecture.naissance
        here = self._par_cle.get(line.cle, [])
        same = [one for one in here if one.naissance == born]
        if any(one.present for one in same):
            line.etat, line.choix = "deja", ""
            line.personne_id = next(one.id for one in same if one.present)
            _say(line, "nom", f"Cette personne est déjà dans l’établissement. {SUITE}")
            return
        known = [one.id for one in same] or elsewhere.get((line.cle, born), [])
        if len(known) == 1:
            line.choix, line.personne_id = "rattacher", known[0]
            where = "a déjà été dans l’établissement" if same else "est invité d’un autre établissement"
            _say(line, "nom", f"Cette personne {where} : elle garde son compte.")
            return
        if here:
            said = ", ".join(
                f"né le {one.naissance:%d/%m/%Y}" if one.naissance else "date de naissance inconnue"
                for one in here[:3]
            )
            _say(line, "nom", f"Homonyme dans l’établissement ({said}).")
            return
        near = process.extractOne(
            line.cle, self._par_naissance.get(born, {}), scorer=fuzz.token_sort_ratio,
            score_cutoff=ALIKE_BORN_SAME_DAY,
        )  # fmt: skip
        if near is not None:
            said = "Une personne née le même jour porte presque ce nom dans l’établissement"
            _say(line, "nom", f"{said} : « {near[0]} ». Vérifiez l’orthographe.")


def _say(line: Jugee, champ: str, texte: str) -> None:
    line.lecture.constats.append(Constat(champ, texte, erreur=False))


def _day(value: Any) -> date | None:
    """Return a date as drivers give it: a text on SQLite."""
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value


def mended(cellules: Sequence[str], colonnes: Sequence[str], constats: Iterable[Any]) -> list[str]:
    """Return the cells with every suggestion taken."""
    meant = {one["champ"]: one["suggestion"] for one in constats if one.get("suggestion")}
    return [
        meant.get(name, cell) if name else cell
        for name, cell in zip((*colonnes, *[""] * len(cellules)), cellules, strict=False)
    ]


def fields_of(cellules: Sequence[str], colonnes: Sequence[str]) -> dict[str, str]:
    """Return the cells of a line by field."""
    found = {name: cell for name, cell in zip(colonnes, cellules, strict=False) if name}
    return {name: found[name] for name in CHAMPS if name in found}
