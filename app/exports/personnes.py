"""People as programs read them: one mapping each, ready for JSON or CSV (API and command line)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from app.queries import curseurs, fiches
from app.queries import gens as reads
from app.queries.curseurs import Page
from app.queries.gens import Criteres
from app.queries.lieux import Lieu
from app.queries.recherche import matching

SLICE = 500
COMMON = ("id", "nom", "nom_usage", "prenom", "date_naissance", "login", "email")
MORE = ("civilite", "telephone_domicile", "telephone_portable", "telephone_travail", "source")
CSV_COLUMNS = (*COMMON, "etat", "cree_le")

Element = dict[str, Any]


def one_page(
    session: Session, criteres: Criteres, size: int, apres: str = "", avant: str = ""
) -> tuple[Page, list[Element]]:
    """Return one page of a list of people, and each of them."""
    page = curseurs.page(session, _statement(session, criteres), reads.tri_of(criteres), size, apres, avant)
    return page, list(_elements(session, page.rows))


def every(session: Session, criteres: Criteres) -> Iterator[Element]:
    """Yield every person of a list, read by slices."""
    tri, statement = reads.tri_of(criteres), _statement(session, criteres)
    after = ""
    while True:
        page = curseurs.page(session, statement, tri, SLICE, after)
        yield from _elements(session, page.rows)
        after = page.apres
        if not after:
            return


def csv_rows(elements: Iterator[Element]) -> Iterator[Sequence[Any]]:
    """Yield the header, then a line a person; places in one cell."""
    yield [*CSV_COLUMNS, "rattachements"]
    for element in elements:
        places = " ; ".join(
            " ".join(filter(None, (place["etablissement"], place["profil"], place["classe"])))
            for place in element["rattachements"]
        )
        yield [*("" if element[name] is None else element[name] for name in CSV_COLUMNS), places]


def complete(session: Session, pk: int) -> Element | None:
    """Return a person as their sheet tells them, None when they are not in the perimeter."""
    found = fiches.person(session, pk)
    if found is None:
        return None
    person, account = found
    facts = fiches.facts(session, pk, None)
    element = {name: _plain(getattr(person, name)) for name in (*COMMON, *MORE, "cree_le")}
    return element | {
        "etat": reads.etat(person.suspendu_le, account.id if account else None),
        "rattachements": [_place(place) for place in facts.lieux if place.fin is None],
        "identifiants": [
            {"type": fact.a, "portee": fact.b, "valeur": fact.c}
            for fact in sorted(facts.identifiant, key=lambda fact: (fact.a, fact.b, fact.c))
        ],
        "proches": [
            {
                "id": row.id,
                "nom": row.nom_usage or row.nom,
                "prenom": row.prenom,
                "lien": "responsable" if row.sens else "enfant",
                "code_parente": row.code_parente,
                "niveau": row.niveau,
            }
            for row in fiches.relatives(session, pk, None)
        ],
    }


def _statement(session: Session, criteres: Criteres) -> Select[Any]:
    return reads.perimeter_list(criteres, matching(session, criteres.q) if criteres.q else None)


def _elements(session: Session, rows: Sequence[Row[Any]]) -> Iterator[Element]:
    """Yield people, their places read for all at once."""
    places = reads.places(session, [row.id for row in rows])
    for row in rows:
        element = {name: _plain(getattr(row, name)) for name in (*COMMON, "cree_le")}
        element["etat"] = reads.etat_of(row)
        element["rattachements"] = [_place(place) for place in places.get(row.id, ())]
        yield element


def _place(place: Row[Any] | Lieu) -> Element:
    return {
        "etablissement": place.uai,
        "etablissement_nom": place.etablissement,
        "profil": place.profil,
        "classe": place.classe or None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value
