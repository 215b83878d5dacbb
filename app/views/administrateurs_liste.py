"""The list of «Administrateurs»: what its address asks, its columns, cells, facets and chips (M1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, request
from markupsafe import Markup

from app.extensions import PARIS, db
from app.models import Etablissement
from app.operations import attributions
from app.queries import administrateurs as reads
from app.queries import curseurs
from app.queries.administrateurs import Criteres, etat_of
from app.security.roles import ROLE_LABELS, ROLE_PORTEES, SECOND_FACTEUR, Portee, Role
from app.views.arguments import address_of, choice_arg, id_arg, text_arg
from app.views.cursor_pages import Pager, cursor_args, pager, size_arg, url_here
from app.views.list_parts import Chip, Column, Facet, Row
from app.views.rendering import NOTHING, day, icon, instant, since

ROLES = {str(role): label for role, label in ROLE_LABELS.items() if ROLE_PORTEES[role] is not Portee.SOI}
EXIGEANTS = tuple(str(role) for role in SECOND_FACTEUR)
ETATS = {
    "actif": "En fonction",
    "bientot": "Prend fin bientôt",
    "expire": "Terminé",
    "suspendu": "Compte suspendu",
    "ferme": "Compte fermé",
}
TONES = {"bientot": "warn", "expire": "warn", "suspendu": "bad", "ferme": "bad"}
FACTEURS = {"pose": "Actif", "attendu": "À installer", "facultatif": "Pas installé"}
CONNEXIONS = {"jamais": "Jamais connecté", "longtemps": "Depuis plus de six mois"}
COLUMNS = {
    "nom": "Nom",
    "role": "Rôle",
    "portee": "Sur quoi",
    "connexion": "Dernière connexion",
    "facteur": "Second facteur",
    "echeance": "État",
    "depuis": "Autorisé par",
}
HEADER = (
    "Nom", "Prénom", "Identifiant", "Rôle", "Sur quoi", "UAI", "Commune", "Dernière connexion",
    "Second facteur", "État", "Dernier jour", "Autorisé par", "Autorisé le",
)  # fmt: skip
SLICE = 500
TOUTE = "Toute la plate-forme"
AILLEURS = "Hors de votre périmètre"


@dataclass(frozen=True)
class AdminPage:
    """Everything the template of the list shows."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    facets: Sequence[Facet]
    chips: Sequence[Chip]
    pager: Pager
    criteres: Criteres
    ecole: Etablissement | None


def criteres() -> Criteres:
    """Return what the address asks."""
    return Criteres(
        q=text_arg("q").strip(),
        role=choice_arg("role", ROLES),
        etablissement_id=id_arg("etablissement"),
        etat=choice_arg("etat", ETATS),
        facteur=choice_arg("facteur", FACTEURS),
        connexion=choice_arg("connexion", CONNEXIONS),
        tri=choice_arg("tri", reads.SORTS, "nom"),
        descendant=request.args.get("ordre") == "desc",
    )


def page(asked: Criteres) -> AdminPage:
    """Read one page of the list."""
    session, tri = db.session(), reads.tri_of(asked)
    statement = reads.listed(asked, EXIGEANTS)
    found = curseurs.page(session, statement, tri, size_arg(), *cursor_args())
    school = reads.school(session, asked.etablissement_id)
    facets = [
        Facet("role", "Rôle", asked.role, list(ROLES.items())),
        Facet("etat", "État", asked.etat, list(ETATS.items())),
        Facet("facteur", "Second facteur", asked.facteur, list(FACTEURS.items())),
        Facet("connexion", "Connexion", asked.connexion, list(CONNEXIONS.items())),
    ]
    url = address_of("Administrateurs.fiche")
    return AdminPage(
        columns=headers(asked),
        rows=[Row(row.id, full_name(row), url(row.compte_id), cells(row), row) for row in found.rows],
        facets=facets,
        chips=_chips(asked, facets, school),
        pager=pager(found, curseurs.count(session, statement, tri)),
        criteres=asked,
        ecole=school,
    )


def headers(asked: Criteres) -> list[Column]:
    """Return the columns, with where their header leads."""
    found = []
    for name, label in COLUMNS.items():
        current = asked.tri == name
        turned = "desc" if current and not asked.descendant else None
        url = url_here(tri=name, ordre=turned) if name in reads.SORTS else ""
        how = ("descending" if asked.descendant else "ascending") if current else ""
        found.append(Column(name, label, sort_url=url, sorted=how))
    return found


def full_name(row: Any) -> str:
    """Return «NOM Prénom»."""
    return f"{(row.nom or '').upper()} {row.prenom or ''}".strip() or row.username


def cells(row: Any) -> list[Any]:
    """Return what a line shows after the name."""
    where = over(row)
    return [
        ROLES.get(row.role, row.role),
        second(where, " · ".join(filter(None, (row.uai, row.commune)))) if row.uai else where,
        since(row.last_login)
        if row.last_login
        else Markup('<span class="pr-mute">{}</span>').format("Jamais"),
        factor_badge(row),
        state(row),
        second(row.accordee_par or "Non noté", day(row.depuis.astimezone(PARIS))),
    ]


def second(first: str, more: str) -> Markup:
    """Return two lines of one cell, the second quieter."""
    return Markup('{}<span class="pr-second">{}</span>').format(first, more)


def over(row: Any) -> str:
    """Return what a role is held over."""
    if ROLE_PORTEES[Role(row.role)] is Portee.PLATEFORME:
        return TOUTE
    return row.portee or AILLEURS


def factor(row: Any) -> str:
    """Return how the second factor of the holder of a role stands, in words."""
    if row.facteur_le is not None:
        return FACTEURS["pose"]
    if row.role not in EXIGEANTS:
        return FACTEURS["facultatif"]
    later = current_app.extensions["reglages"].second_factor_may_wait() and row.last_login is not None
    return "Remis à plus tard" if later else FACTEURS["attendu"]


def factor_badge(row: Any) -> Markup:
    """Return the same, a tone when a role asks for it and it is not there."""
    said = factor(row)
    if row.facteur_le is not None:
        return Markup('<span class="pr-state">{}{}</span>').format(icon("shield-lock"), said)
    if row.role not in EXIGEANTS:
        return Markup('<span class="pr-mute">{}</span>').format(said)
    return Markup('<span class="pr-badge" data-tone="warn">{}</span>').format(said)


def state(row: Any, *, inline: bool = False) -> Markup:
    """Return how a role stands, its last day under it, or after it."""
    how = etat_of(row)
    if how == "actif":
        said = Markup('<span class="pr-state">{}{}</span>').format(icon("check-lg"), ETATS[how])
    else:
        said = Markup('<span class="pr-badge" data-tone="{}">{}</span>').format(TONES[how], ETATS[how])
    if row.jusqua is None:
        return said
    verb = "depuis le" if how == "expire" else "jusqu’au"
    shown = day(row.jusqua.astimezone(PARIS)) if how == "expire" else last_day(row.jusqua)
    css = "pr-mute pr-small" if inline else "pr-second"
    return Markup('{} <span class="{}">{} {}</span>').format(said, css, verb, shown)


def last_day(until: datetime | None) -> str:
    """Return the last day a role is held, empty when it has no end."""
    found = attributions.last_day(until)
    return day(found) if found else ""


def _chips(asked: Criteres, facets: Sequence[Facet], school: Etablissement | None) -> list[Chip]:
    shown = [Chip(f"« {asked.q} »", url_here(q=None))] if asked.q else []
    for facet in facets:
        if facet.value:
            said = f"{facet.label} : {dict(facet.choices)[facet.value]}"
            shown.append(Chip(said, url_here(**{facet.name: None})))
    if asked.etablissement_id:
        named = school.nom if school else "aucun de votre périmètre"
        shown.append(Chip(f"Établissement : {named}", url_here(etablissement=None)))
    return shown


def file_rows(asked: Criteres, only: Sequence[int]) -> Iterator[Sequence[Any]]:
    """Yield what the list shows, every page of it, or the lines ticked."""
    tri = reads.tri_of(asked)
    statement = reads.listed(asked, EXIGEANTS)
    if only:
        statement = reads.among(statement, only)

    def lines() -> Iterator[Sequence[Any]]:
        yield HEADER
        after = ""
        while True:
            found = curseurs.page(db.session(), statement, tri, SLICE, after)
            for row in found.rows:
                yield _file_row(row)
            after = found.apres
            if not after:
                return

    return lines()


def _file_row(row: Any) -> Sequence[Any]:
    seen = instant(row.last_login) if row.last_login else ""
    return (
        row.nom, row.prenom, row.username, ROLES.get(row.role, row.role), over(row),
        row.uai or "", row.commune or "", seen, factor(row), ETATS[etat_of(row)], last_day(row.jusqua),
        row.accordee_par or NOTHING, day(row.depuis.astimezone(PARIS)),
    )  # fmt: skip
