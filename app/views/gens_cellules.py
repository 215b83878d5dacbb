"""Columns and cells of the lists of people: what each says on the screen, and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import Row

from app.extensions import db
from app.queries import fiches
from app.queries.gens import Criteres, etat_of
from app.queries.personnes import PROFIL_LABELS
from app.views.cursor_pages import url_here
from app.views.departs import next_cell, what_next
from app.views.labels import MOTIFS_FIN, school_level
from app.views.list_parts import Column
from app.views.listes_gens import COLUMN_LABELS, ETATS, PeopleList
from app.views.rendering import day, icon, instant

TONES = {"suspendu": "bad", "jamais": "warn"}


def headers(names: Iterable[str], criteres: Criteres, sortable: set[str]) -> list[Column]:
    """Return the columns of a list, the name first."""
    found = []
    for name in ("nom", *names):
        current = criteres.tri == name
        turned = "desc" if current and not criteres.descendant else None
        url = url_here(tri=name, ordre=turned) if name in {"nom", *sortable} else ""
        how = ("descending" if criteres.descendant else "ascending") if current else ""
        found.append(Column(name, COLUMN_LABELS[name], sort_url=url, sorted=how))
    return found


def full_name(row: Any) -> str:
    """Return «NOM Prénom»."""
    return f"{(row.nom_usage or row.nom).upper()} {row.prenom}"


def badge(etat: str) -> Markup:
    """Return the state of an account: grey when all is well, a tone and a word otherwise."""
    return _badge(etat, icon("check-lg"))


@lru_cache(maxsize=16)
def _badge(etat: str, tick: Markup) -> Markup:
    """Return one of the few states, made once: a page shows the same one on each of its lines."""
    if etat == "actif":
        return Markup('<span class="pr-state">{}{}</span>').format(tick, ETATS[etat])
    return Markup('<span class="pr-badge" data-tone="{}">{}</span>').format(TONES[etat], ETATS[etat])


def extras(
    chosen: PeopleList, rows: Sequence[Row[Any]], etablissement_id: int
) -> dict[str, Mapping[int, Any]]:
    """Read what the columns of a profile show beyond the row, for a page of rows at once."""
    session, ids = db.session(), [row.id for row in rows]
    found: dict[str, Mapping[int, Any]] = {}
    if not rows:
        return found
    if "disciplines" in chosen.columns:
        found["disciplines"] = fiches.posts(session, [row.place for row in rows])
    if "classes" in chosen.columns:
        found["classes"] = fiches.taught(session, ids, etablissement_id)
    if "enfants" in chosen.columns:
        found["enfants"] = fiches.children_here(session, ids, etablissement_id)
    return found


def cell(name: str, row: Any, more: Mapping[str, Mapping[int, Any]], uai: str) -> Any:
    """Return what one cell of a school's list shows."""
    match name:
        case "naissance":
            return day(row.date_naissance)
        case "compte":
            return badge(etat_of(row))
        case "disciplines":
            return ", ".join(more.get(name, {}).get(row.place, ())) or "–"
        case "classes":
            return ", ".join(more.get(name, {}).get(row.id, ())) or "–"
        case "enfants":
            return children_cell(more.get(name, {}).get(row.id, ()), uai)
        case "profil":
            return PROFIL_LABELS[row.profil]
        case "depart":
            return instant(row.fin)
        case "motif":
            return MOTIFS_FIN.get(row.motif_fin or "", "–")
        case "suite":
            return next_cell(row, uai)
        case "niveau":
            return school_level(row.niveau) or "–"
        case "email":
            return email_cell(row.email)
        case _:
            return getattr(row, name) or "–"


def email_cell(email: str | None) -> str | Markup:
    """Return an e-mail that may go to the next line before its @, and nowhere else while it fits."""
    if not email:
        return "–"
    name, at, host = email.partition("@")
    return Markup("{}<wbr>{}{}").format(name, at, host)


def children_cell(children: Sequence[Any], uai: str) -> Any:
    """Return a guardian's children, each a link to their sheet."""
    if not children:
        return "–"
    links = [
        Markup('<a href="{}">{}</a>{}').format(
            url_for("Utilisateurs.fiche", uai=uai, liste="eleves", pk=child.id),
            full_name(child),
            Markup(' <span class="pr-mute">{}</span>').format(child.classe) if child.classe else "",
        )
        for child in children
    ]
    return Markup("<br>").join(links)


def plain_cell(name: str, row: Any, more: Any, uai: str) -> Any:
    """Return what one cell of a school's list says in a file."""
    if name == "compte":
        return ETATS[etat_of(row)]
    if name == "email":
        return row.email or ""
    if name == "suite":
        return what_next(row.supprime_le)
    if name == "enfants":
        return ", ".join(
            f"{full_name(child)} {child.classe or ''}".strip() for child in more.get(name, {}).get(row.id, ())
        )
    text = cell(name, row, more, uai)
    return "" if text == "–" else text
