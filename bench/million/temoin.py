"""What pages must show, read straight from the tables: the witness shares no code with the console."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from bench.million.plan import AILLEURS

ACADEMIE = "SELECT id FROM etablissement WHERE academie_id = 1"
ECOLE = "1"
"""Schools of the two perimeters that are measured, as a subquery."""
PRESENTS = """
    SELECT p.id, COALESCE(p.nom_usage, p.nom), p.prenom, p.date_naissance, p.nom_recherche,
        p.login, p.email
    FROM personne p WHERE p.id IN (
        SELECT personne_id FROM rattachement
        WHERE fin IS NULL AND etablissement_id IN ({schools}) {profil}) {more}
    ORDER BY p.nom_recherche, p.id LIMIT {limit} OFFSET {offset}"""


@dataclass(frozen=True)
class Attendu:
    """Somebody a page must show."""

    id: int
    nom: str
    prenom: str
    naissance: str
    cle: str
    login: str
    email: str | None

    @property
    def affiche(self) -> str:
        """Return the name as pages write it."""
        return f"{self.nom.upper()} {self.prenom}"


class Temoin:
    """A connection of its own to the base that is measured."""

    def __init__(self, folder: Path, base: str) -> None:
        if base:
            url = make_url(base).set(drivername="postgresql").render_as_string(hide_password=False)
            self._link: Any = psycopg.connect(url, autocommit=True)
        else:
            self._link = sqlite3.connect(f"file:{folder / 'preau.db'}?mode=ro", uri=True)

    def close(self) -> None:
        """Give the connection back."""
        self._link.close()

    def lignes(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        rows: list[tuple[Any, ...]] = self._link.execute(sql).fetchall()
        return rows

    def valeur(self, sql: str) -> Any:
        """Return the one value of a statement."""
        return self.lignes(sql)[0][0]

    def presents(
        self, schools: str, offset: int, limit: int, profil: str = "", cle: str = ""
    ) -> list[Attendu]:
        """Return people present in these schools, in the order of lists, from ``offset`` on.

        ``cle``: only those whose key begins so.
        """
        only = f"AND profil = '{profil}'" if profil else ""
        more = f"AND p.nom_recherche >= '{cle}' AND p.nom_recherche < '{cle}~'" if cle else ""
        sql = PRESENTS.format(schools=schools, profil=only, more=more, limit=limit, offset=offset)
        return [Attendu(row[0], row[1], row[2], str(row[3] or ""), *row[4:]) for row in self.lignes(sql)]

    def dispersees(self, schools: str, profil: str, many: int, wanted: int) -> list[Attendu]:
        """Return about ``wanted`` of ``many`` people, from everywhere in the list."""
        only = f"AND profil = '{profil}'" if profil else ""
        more = f"AND p.id % {max(1, many // wanted)} = 0"
        sql = PRESENTS.format(schools=schools, profil=only, more=more, limit=2 * wanted, offset=0)
        return [Attendu(row[0], row[1], row[2], str(row[3] or ""), *row[4:]) for row in self.lignes(sql)]

    def nombre(self, schools: str, profil: str = "") -> int:
        """Count the people present in these schools."""
        only = f"AND profil = '{profil}'" if profil else ""
        return int(
            self.valeur(
                "SELECT COUNT(DISTINCT personne_id) FROM rattachement"
                f" WHERE fin IS NULL AND etablissement_id IN ({schools}) {only}"
            )
        )


def texte(page: str) -> str:
    """Return what a page says, tags and repeated blanks left out."""
    whole = re.sub(r"</?mark[^>]*>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", whole)).split())


def verifier(page: str, attendus: Sequence[str], *, ou: str) -> None:
    """Check that a page says all this in this order, and names nobody of the other académie.

    :raises AssertionError: with the first thing that is missing.
    """
    said = texte(page).casefold()
    assert AILLEURS.casefold() not in said, f"{ou} : une personne d’ailleurs est montrée"
    place = 0
    for word in attendus:
        found = said.find(" ".join(word.split()).casefold(), place)
        assert found >= 0, f"{ou} : « {word} » manque, ou n’est pas à sa place"
        place = found + 1
