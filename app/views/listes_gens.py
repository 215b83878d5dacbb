"""What a list of people shows: which columns for which profile, which filters, from which address."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import request, url_for
from markupsafe import Markup, escape
from sqlalchemy import Row

from app.extensions import db
from app.queries import fiches
from app.queries import gens as reads
from app.queries.gens import Criteres, Effectif
from app.queries.noms import search_key
from app.queries.personnes import PROFIL_LABELS
from app.views.arguments import CURSORS, choice_arg, here, id_arg, text_arg
from app.views.labels import MOTIFS_FIN
from app.views.rendering import day, icon, instant, number

SIZES = (25, 50, 100)
ETATS = {"actif": "Actif", "jamais": "Jamais activé", "suspendu": "Suspendu"}
TONS = {"suspendu": "bad", "jamais": "warn"}


@dataclass(frozen=True)
class Liste:
    """One list of a school: its profile, its words, its columns."""

    cle: str
    profil: str
    titre: str
    un: str
    plusieurs: str
    colonnes: tuple[str, ...]
    vide: str
    departs: bool = False
    nouveau: str = "Aucune alimentation n’en a encore apporté."


LISTES = {
    liste.cle: liste
    for liste in (
        Liste(
            "eleves", "eleve", "Élèves", "élève", "élèves",
            ("naissance", "classe", "niveau", "mef", "login", "compte"), "Aucun élève",
        ),
        Liste(
            "enseignants", "enseignant", "Enseignants", "enseignant", "enseignants",
            ("naissance", "disciplines", "classes", "email", "compte"), "Aucun enseignant",
        ),
        Liste(
            "personnels", "personnel", "Personnels", "personnel", "personnels",
            ("naissance", "disciplines", "email", "compte"), "Aucun personnel",
        ),
        Liste(
            "parents", "responsable", "Parents et responsables", "parent", "parents",
            ("enfants", "email", "login", "compte"), "Aucun parent",
        ),
        Liste(
            "invites", "invite", "Autres (invités)", "invité", "invités",
            ("naissance", "email", "login", "compte"), "Aucun invité",
            nouveau="Les invités sont les intervenants que l’annuaire ne connaît pas.",
        ),
        Liste(
            "suppressions", "", "Suppressions", "départ", "départs",
            ("naissance", "profil", "depart", "motif", "suite"), "Aucun départ", departs=True,
            nouveau="Les personnes que les alimentations ne nomment plus sont gardées ici.",
        ),
    )
}  # fmt: skip

LISTE_DU_PROFIL = {liste.profil: liste.cle for liste in LISTES.values() if liste.profil}

COLONNES = {
    "naissance": "Naissance",
    "classe": "Classe",
    "niveau": "Niveau",
    "mef": "MEF",
    "login": "Identifiant",
    "email": "E-mail",
    "compte": "Compte",
    "disciplines": "Fonction ou discipline",
    "classes": "Classes",
    "enfants": "Enfants",
    "profil": "Profil",
    "depart": "Parti le",
    "motif": "Pourquoi",
    "suite": "Et ensuite",
    "etablissement": "Établissement",
}
TRIS = {"naissance", "classe", "login", "email", "depart", "profil"}
TRIS_PERIMETRE = {"nom"}


@dataclass(frozen=True)
class Entete:
    """One column header: its label, where a click leads, how it is sorted now."""

    nom: str
    label: str
    url: str = ""
    sens: str = ""


@dataclass(frozen=True)
class Ligne:
    """One person of a list."""

    pk: int
    nom: str
    url: str
    cells: Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Facette:
    """One select of the filter form; each choice says how many people it keeps when that is known."""

    nom: str
    label: str
    choix: Sequence[tuple[str, str]]
    valeur: str = ""
    distante: str = ""


@dataclass(frozen=True)
class Puce:
    """A filter in force, and the list without it."""

    texte: str
    url: str


@dataclass
class Vue:
    """Everything the template of a list shows."""

    entetes: Sequence[Entete] = ()
    lignes: Sequence[Ligne] = ()
    facettes: list[Facette] = field(default_factory=list)
    puces: list[Puce] = field(default_factory=list)
    nombre: int = 0
    taille: int = SIZES[0]
    precedente: str = ""
    suivante: str = ""
    export: str = ""
    debut: str = ""
    ecole: str = ""
    """Name of the school filtered on, in the list of a whole perimeter."""
    tailles: Sequence[tuple[int, str]] = ()


# -- the address


def size_arg() -> int:
    """Return how many lines the address asks for."""
    asked = request.args.get("taille", "")
    return int(asked) if asked in {str(size) for size in SIZES} else SIZES[0]


def date_arg(name: str) -> date | None:
    """Return a date of the address, None when it is not one."""
    try:
        return date.fromisoformat(request.args.get(name, "")[:10])
    except ValueError:
        return None


def cursor_args() -> tuple[str, str]:
    """Return the cursors of the address; text no engine stores is no cursor."""
    apres, avant = (request.args.get(name, "")[:400] for name in CURSORS)
    return printable(apres), printable(avant)


def printable(text: str) -> str:
    """Return a text both engines store."""
    return "".join(char for char in text if char.isprintable())


def criteres_of(liste: Liste, etablissement_id: int) -> Criteres:
    """Return what the address asks of one list of a school."""
    default = ("depart", True) if liste.departs else ("nom", False)
    asked = choice_arg("tri", {"nom", *(TRIS & set(liste.colonnes))})
    pupils, staff = liste.profil == "eleve", liste.profil in {"enseignant", "personnel"}
    return Criteres(
        etablissement_id,
        liste.profil or choice_arg("profil", PROFIL_LABELS),
        liste.departs,
        q=text_arg("q").strip(),
        division_id=id_arg("classe") if pupils else None,
        niveau=text_arg("niveau")[:60] if pupils else "",
        discipline_id=id_arg("discipline") if staff else None,
        etat=choice_arg("etat", ETATS),
        sans_email=request.args.get("email") == "sans",
        depuis=date_arg("depuis"),
        tri=asked or default[0],
        descendant=request.args.get("ordre") == "desc" if asked else default[1],
    )


def criteres_perimetre(ecoles: tuple[int, ...]) -> Criteres:
    """Return what the address asks of the list over the whole perimeter."""
    return Criteres(
        id_arg("etablissement"),
        choice_arg("profil", PROFIL_LABELS),
        q=text_arg("q").strip(),
        etat=choice_arg("etat", ETATS),
        sans_email=request.args.get("email") == "sans",
        depuis=date_arg("depuis"),
        descendant=request.args.get("ordre") == "desc",
        ecoles=ecoles,
    )


def list_args() -> dict[str, Any]:
    """Return the arguments of the list that sheets carry along, so that «next» means next in it."""
    filters = ("q", "classe", "niveau", "discipline", "etat", "email", "depuis", "profil")
    kept = (*filters, "tri", "ordre", "taille")
    return {name: request.args[name] for name in kept if request.args.get(name)}


# -- headers, cells


def size_urls() -> list[tuple[int, str]]:
    """Return this list with each number of lines."""
    return [(size, url_here(taille=size)) for size in SIZES]


def headers(colonnes: Iterable[str], criteres: Criteres, sortable: set[str]) -> list[Entete]:
    """Return the headers of a list, the name first."""
    found = []
    for name in ("nom", *colonnes):
        current = criteres.tri == name
        turned = "desc" if current and not criteres.descendant else None
        url = url_here(tri=name, ordre=turned) if name in {"nom", *sortable} else ""
        sens = ("descending" if criteres.descendant else "ascending") if current else ""
        found.append(Entete(name, "Nom" if name == "nom" else COLONNES[name], url, sens))
    return found


def url_here(**changes: Any) -> str:
    """Return this list with other arguments, from its beginning."""
    return url_for(request.endpoint or "", **{**(request.view_args or {}), **here(**changes)})


def full_name(row: Any) -> str:
    """Return «NOM Prénom»."""
    return f"{(row.nom_usage or row.nom).upper()} {row.prenom}"


def etat_of(row: Any) -> str:
    """Return the state of somebody's account."""
    if row is not None and row.suspendu_le:
        return "suspendu"
    return "jamais" if row is None or row.compte_id is None else "actif"


def badge(etat: str) -> Markup:
    """Return the state of an account: grey when all is well, a tone and a word otherwise."""
    if etat == "actif":
        return Markup('<span class="pr-state">{}{}</span>').format(icon("check-lg"), ETATS[etat])
    return Markup('<span class="pr-badge" data-tone="{}">{}</span>').format(TONS[etat], ETATS[etat])


def extras(liste: Liste, rows: Sequence[Row[Any]], etablissement_id: int) -> dict[str, Mapping[int, Any]]:
    """Read what the columns of a profile show beyond the row, for a page of rows at once."""
    session, ids = db.session(), [row.id for row in rows]
    found: dict[str, Mapping[int, Any]] = {}
    if not rows:
        return found
    if "disciplines" in liste.colonnes:
        found["disciplines"] = fiches.posts(session, [row.place for row in rows])
    if "classes" in liste.colonnes:
        found["classes"] = fiches.taught(session, ids, etablissement_id)
    if "enfants" in liste.colonnes:
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
            return (
                "Compte gardé, rendu si la personne revient"
                if row.supprime_le
                else "Présente dans un autre établissement"
            )
        case _:
            return getattr(row, name) or "–"


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


# -- filters


def facettes(liste: Liste, criteres: Criteres, effectif: Effectif) -> list[Facette]:
    """Return the selects of a list of a school, each choice with how many people it keeps."""
    session = db.session()
    found: list[Facette] = []
    if liste.profil == "eleve":
        rows = reads.classes_of_list(session, criteres)
        found += [_classes(rows, criteres), _niveaux(rows, criteres)]
    elif liste.profil in {"enseignant", "personnel"}:
        rows = reads.disciplines_of_list(session, criteres)
        choices = [(str(row[0]), counted(row[1], row[2])) for row in rows]
        found.append(Facette("discipline", "Discipline", choices, str(criteres.discipline_id or "")))
    elif liste.departs:
        found.append(Facette("profil", "Profil", list(PROFIL_LABELS.items()), criteres.profil))
    if not liste.departs:
        counts = {etat: getattr(effectif, etat) for etat in ETATS}
        states = [(etat, counted(label, counts[etat])) for etat, label in ETATS.items()]
        found.append(Facette("etat", "Compte", states, criteres.etat))
        missing = [("sans", counted("Sans e-mail", effectif.sans_email))]
        found.append(Facette("email", "E-mail", missing, "sans" if criteres.sans_email else ""))
    return [facette for facette in found if facette.choix]


def counted(label: str, count: int) -> str:
    """Return a choice and how many people it keeps."""
    return f"{label} ({number(count)})"


def _classes(rows: Sequence[Row[Any]], criteres: Criteres) -> Facette:
    names: dict[int, str] = {}
    counts: dict[int, int] = {}
    for division_id, name, _level, count in rows:
        if division_id is not None:
            names[division_id] = name
            counts[division_id] = counts.get(division_id, 0) + count
    choices = [(str(key), counted(name, counts[key])) for key, name in names.items()]
    return Facette("classe", "Classe", choices, str(criteres.division_id or ""))


def _niveaux(rows: Sequence[Row[Any]], criteres: Criteres) -> Facette:
    counts: dict[str, int] = {}
    for _division, _name, level, count in rows:
        key = level or reads.SANS_NIVEAU
        counts[key] = counts.get(key, 0) + count
    choices = [
        (key, counted("Niveau non précisé" if key == reads.SANS_NIVEAU else key, count))
        for key, count in sorted(counts.items(), key=lambda item: (item[0] == reads.SANS_NIVEAU, item[0]))
    ]
    return Facette("niveau", "Niveau", choices if set(counts) != {reads.SANS_NIVEAU} else [], criteres.niveau)


def puces(criteres: Criteres, choices: Sequence[Facette]) -> list[Puce]:
    """Return the filters in force, each with the list without it."""
    found = []
    if criteres.q:
        found.append(Puce(f"« {criteres.q} »", url_here(q=None)))
    for facette in choices:
        if facette.valeur:
            words = dict(facette.choix).get(facette.valeur, "choix inconnu").rpartition(" (")[0]
            text = words or dict(facette.choix).get(facette.valeur, "choix inconnu")
            found.append(Puce(f"{facette.label} : {text}", url_here(**{facette.nom: None})))
    if criteres.depuis:
        found.append(Puce(f"Créés depuis le {day(criteres.depuis)}", url_here(depuis=None)))
    return found


# -- letters found


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the searchable form of a text and, for each of its letters, where it comes from."""
    letters: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        plain = search_key(char) or ("" if unicodedata.combining(char) else " ")
        letters.append(plain)
        origins += [index] * len(plain)
    return "".join(letters), origins


def marked(text: str, typed: str) -> Markup:
    """Return a name with the letters that were typed in ``mark``, at the beginning of words."""
    folded, origins = _folded(text)
    key = search_key(typed)
    spans: list[tuple[int, int]] = []
    for wanted in [key, *key.split(" ")] if key else ():
        start = (" " + folded).find(" " + wanted)
        if start >= 0:
            spans.append((start, start + len(wanted)))
            if wanted == key:
                break
    if not spans and key:
        spans = _joined(folded, key.replace(" ", ""))
    kept: set[int] = {
        origins[place] for start, end in spans for place in range(start, min(end, len(origins)))
    }
    return _wrap(text, kept)


def _joined(folded: str, wanted: str) -> list[tuple[int, int]]:
    """Find letters typed without the spaces and hyphens of the name («delatour»)."""
    places = [place for place, char in enumerate(folded) if char != " "]
    start = "".join(folded[place] for place in places).find(wanted)
    return [(place, place + 1) for place in places[start : start + len(wanted)]] if start >= 0 else []


def _wrap(text: str, kept: set[int]) -> Markup:
    out, open_ = Markup(), False
    for index, char in enumerate(text):
        inside = index in kept
        if inside != open_:
            out += Markup("<mark>") if inside else Markup("</mark>")
            open_ = inside
        out += escape(char)
    return out + Markup("</mark>") if open_ else out
