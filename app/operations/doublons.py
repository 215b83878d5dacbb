"""Finding people who may be one, telling them apart, asking for a merge (U15).

The search compares only who may be alike: people born the same day, adults of one mailbox, guardians
of one child, namesakes of one school whose birth date is missing, two writings of one INE. What
was told apart is never proposed again; a pair that no longer holds is taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any, NamedTuple

import orjson
from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import bulk_insert, instant, rows_of
from app.errors import ConflictError
from app.extensions import Base, now
from app.models import Compte, Doublon
from app.operations import courriels
from app.operations.alimentation.champs import iso
from app.operations.saisies import SYSTEME, Actor, clean_text, record
from app.queries.noms import search_key

NAISSANCE, COURRIEL, INE = "naissance", "courriel", "ine"
ENFANTS, ECOLE = "enfants", "etablissement"
MOTIFS = {
    NAISSANCE: "même date de naissance, noms proches",
    COURRIEL: "même e-mail",
    INE: "même INE",
    ENFANTS: "mêmes enfants",
    ECOLE: "même nom dans l’établissement",
}
PRENOM_PROCHE, NOM_PROCHE = 84, 80
"""Likeness of two names, of 100, from which they may be one written twice."""
SHORTEST_GIVEN = 4
"""Letters from which two first names that differ may be one: «Léa» and «Léo» are two."""
LOT = 5000
"""People compared in one transaction, or a little more: a day of birth is never cut in two."""
CHERCHER = "doublons.chercher"
"""Type of the task that searches the whole base."""


class Connue(NamedTuple):
    """What comparing needs of a person."""

    id: int
    nom: str
    usage: str
    prenom: str
    sexe: str
    ne: str | None


def connue(row: Sequence[Any]) -> Connue:
    """Return a person read as id, nom, nom_usage, prenom, sexe, birth date, with comparable names."""
    pk, nom, usage, prenom, sexe, ne = row[:6]
    return Connue(pk, search_key(nom), search_key(usage or nom), search_key(prenom), sexe or "", iso(ne))


def proches(one: Connue, other: Connue) -> bool:
    """Tell whether two names may be one: first names close, and one of the last names close.

    «Léa» and «Léo», born the same day with one name, are twins; so are two of different sex. Two
    birth dates that differ are those of two people.
    """
    if one.ne and other.ne and one.ne != other.ne:
        return False
    if one.sexe and other.sexe and one.sexe != other.sexe:
        return False
    return _given(one.prenom, other.prenom) and any(
        _near(mine, theirs) for mine in {one.nom, one.usage} for theirs in {other.nom, other.usage}
    )


def _given(one: str, other: str) -> bool:
    """Tell whether two first names may be one: «Jean» is «Jean-Éric», «Lea» is «Léa»."""
    short, long_ = sorted((one, other), key=len)
    if short.replace(" ", "") == long_.replace(" ", "") or short == long_.partition(" ")[0]:
        return bool(short)
    return len(short) >= SHORTEST_GIVEN and fuzz.ratio(one, other) >= PRENOM_PROCHE


def _near(one: str, other: str) -> bool:
    joined = fuzz.ratio(one.replace(" ", ""), other.replace(" ", ""))
    return bool(one and other) and max(joined, fuzz.token_sort_ratio(one, other)) >= NOM_PROCHE


Pairs = dict[tuple[int, int], set[str]]


def nes_le_meme_jour(session: Session, apres: str) -> tuple[Pairs, str, int]:
    """Compare the people born on the days that follow; return pairs, the last day, and how many people.

    An empty day means there is nobody left.
    """
    born = "CAST(:apres AS DATE)" if session.get_bind().dialect.name == "postgresql" else ":apres"
    rows = rows_of(
        session,
        "SELECT id, nom, nom_usage, prenom, sexe, date_naissance FROM personne"
        f" WHERE date_naissance > {born} AND anonymise_le IS NULL ORDER BY date_naissance LIMIT :lot",
        apres=apres,
        lot=LOT + 1,
    )
    if not rows:
        return {}, "", 0
    last = iso(rows[-1][5]) or ""
    if len(rows) > LOT and (iso(rows[0][5]) or "") != last:  # the last day may be cut: it waits
        rows = [row for row in rows if iso(row[5]) != last]
    days: dict[str, list[Connue]] = defaultdict(list)
    for row in rows:
        days[iso(row[5]) or ""].append(connue(row))
    found: Pairs = {}
    for people in days.values():
        _compare(people, NAISSANCE, found)
    return found, max(days), len(rows)


def autrement(session: Session) -> Pairs:
    """Return the pairs found otherwise than by birth date."""
    found: Pairs = {}
    person = "p.id, p.nom, p.nom_usage, p.prenom, p.sexe, p.date_naissance"
    kept = "p.anonymise_le IS NULL"
    for motif, sql in (
        (COURRIEL, f"SELECT {person}, p.email FROM personne p WHERE {kept} AND p.email IN"
         " (SELECT email FROM personne WHERE email IS NOT NULL GROUP BY email HAVING COUNT(*) > 1)"
         " ORDER BY p.email"),
        (ENFANTS, f"SELECT {person}, l.eleve_id FROM responsabilite l JOIN personne p"
         f" ON p.id = l.responsable_id WHERE {kept} AND p.date_naissance IS NULL ORDER BY l.eleve_id"),
        (ECOLE, f"SELECT {person}, g.etablissement_id || '/' || g.cle FROM (SELECT etablissement_id, cle"
         " FROM rattachement WHERE fin IS NULL AND profil <> 'eleve' GROUP BY etablissement_id, cle"
         " HAVING COUNT(DISTINCT personne_id) > 1) g JOIN rattachement r"
         " ON r.etablissement_id = g.etablissement_id AND r.cle = g.cle AND r.fin IS NULL"
         f" AND r.profil <> 'eleve' JOIN personne p ON p.id = r.personne_id WHERE {kept} ORDER BY 7"),
    ):  # fmt: skip
        for people in _groups(rows_of(session, sql)):
            _compare(people, motif, found)
    for people in _groups(_ines(session)):
        for one, other in combinations({person.id: person for person in people}.values(), 2):
            _note(found, one.id, other.id, INE)
    return found


def _ines(session: Session) -> list[Any]:
    """Return who carries an INE written otherwise elsewhere (case, spaces)."""
    key = "upper(replace(i.valeur, ' ', ''))"
    return list(
        rows_of(
            session,
            f"SELECT p.id, p.nom, p.nom_usage, p.prenom, p.sexe, p.date_naissance, {key} FROM identifiant i"
            " JOIN personne p ON p.id = i.personne_id WHERE i.type = 'ine' AND"
            f" {key} IN (SELECT upper(replace(valeur, ' ', '')) FROM identifiant WHERE type = 'ine'"
            " GROUP BY upper(replace(valeur, ' ', '')) HAVING COUNT(DISTINCT personne_id) > 1) ORDER BY 7",
        )
    )


def _groups(rows: Iterable[Sequence[Any]]) -> Iterator[list[Connue]]:
    """Yield the people of rows that end with one value, in turn."""
    last: Any = None
    people: list[Connue] = []
    for row in rows:
        if row[6] != last and people:
            yield people
            people = []
        last = row[6]
        people.append(connue(row))
    if people:
        yield people


def _compare(people: Sequence[Connue], motif: str, found: Pairs) -> None:
    for one, other in combinations(people, 2):
        if one.id != other.id and proches(one, other):
            _note(found, one.id, other.id, motif)


def _note(found: Pairs, one: int, other: int, motif: str) -> None:
    found.setdefault((min(one, other), max(one, other)), set()).add(motif)


def retenir(session: Session, pairs: Pairs) -> int:
    """Store the pairs nobody has seen yet, date those seen again; return how many are new.

    Who is responsible for the other is not the other.
    """
    if not pairs:
        return 0
    ids = sorted({pk for pair in pairs for pk in pair})
    told = {
        (row[1], row[2]): row[0]
        for row in rows_of(
            session,
            "SELECT id, personne_a_id, personne_b_id FROM doublon WHERE personne_a_id IN :ids",
            ids=ids,
        )
    }
    related = {
        (min(row), max(row))
        for row in map(
            tuple,
            rows_of(
                session,
                "SELECT eleve_id, responsable_id FROM responsabilite WHERE eleve_id IN :ids",
                ids=ids,
            ),
        )
    }
    stamp = instant(session, now())
    again = [told[pair] for pair in pairs if pair in told]
    rows_of(session, f"UPDATE doublon SET detecte_le = '{stamp}' WHERE id IN :ids", ids=again)
    new = [pair for pair in sorted(pairs) if pair not in told and pair not in related]
    bulk_insert(
        session,
        Base.metadata.tables["doublon"],
        ("personne_a_id", "personne_b_id", "motifs", "etat", "detecte_le", "traite_par"),
        [(*pair, orjson.dumps(sorted(pairs[pair])).decode(), "propose", stamp, "") for pair in new],
    )
    return len(new)


def oublier(session: Session, avant: datetime) -> None:
    """Take off the pairs proposed before a whole search that it did not find again."""
    stamp = instant(session, avant)
    rows_of(session, f"DELETE FROM doublon WHERE etat = 'propose' AND detecte_le < '{stamp}'")


def distinguer(session: Session, pair: Doublon, *, acteur: Actor = SYSTEME) -> None:
    """Say that two people are two: they are never proposed again."""
    if pair.etat == "distinct":
        raise ConflictError("Ces deux personnes sont déjà dites distinctes.")
    _answer(session, pair, "Les deux personnes ont été dites distinctes : elles ne sont pas réunies.")
    pair.etat, pair.traite_par, pair.traite_le = "distinct", acteur.nom[:160], now()
    session.flush()
    _record(session, pair, "doublon.distinguer", acteur, {})


def demander(session: Session, pair: Doublon, message: str, *, acteur: Actor = SYSTEME) -> None:
    """Ask who may merge these people to do it, and say why.

    :raises RuleViolationError: nothing was said.
    """
    if pair.etat != "propose":
        raise ConflictError("La fusion de ces deux fiches est déjà demandée, ou refusée.")
    why = clean_text(
        message, field="message", longest=500, required="Dites pourquoi ces deux fiches n’en font qu’une."
    )
    pair.etat, pair.message, pair.demande_le = "demande", why, now()
    pair.demandeur_id = acteur.compte_id
    session.flush()
    _record(session, pair, "doublon.demander", acteur, {"motif": why})


def repondre(session: Session, pair: Doublon) -> None:
    """Tell whoever asked for a merge that it was made."""
    _answer(session, pair, "Les deux fiches sont réunies.")


def _answer(session: Session, pair: Doublon, sentence: str) -> None:
    if pair.etat != "demande" or pair.demandeur_id is None:
        return
    read = select(Compte.email).where(Compte.id == pair.demandeur_id)
    address = session.scalars(read, execution_options={"hors_perimetre": True}).first()
    if address:
        courriels.queue(
            session,
            destinataire=address,
            objet="Votre demande de fusion de deux fiches",
            texte=f"Bonjour,\n\n{sentence}\n\nRetrouvez les fiches dans la console Préau.\n",
            cle=f"doublon-{pair.id}-{pair.etat}-{pair.demande_le:%Y%m%d%H%M%S}",
        )


def _record(session: Session, pair: Doublon, acte: str, acteur: Actor, said: dict[str, Any]) -> None:
    changes = {name: (None, value) for name, value in said.items()}
    for person, other in ((pair.personne_a, pair.personne_b), (pair.personne_b, pair.personne_a)):
        told = {**changes, "fiche": (None, str(other))}
        record(session, person, acte, acteur, changes=told)
