"""Differences of a feed in the words of a person: field labels, values, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.models import Alimentation, AlimentationEtablissement, Ecart
from app.queries.ecarts import CODE_RECONNU, NATURES, OBJETS
from app.views.labels import CHAMPS
from app.views.labels import SOURCES_ALIMENTATION as SOURCES
from app.views.rendering import NBSP, day, instant, number, of, plural

ETATS: dict[str, tuple[str, str]] = {
    "lecture": ("En cours de lecture", "info"),
    "apercu": ("À vérifier", "warn"),
    "application": ("En cours d’application", "info"),
    "appliquee": ("Appliquée", "ok"),
    "annulee": ("Annulée", ""),
    "refusee": ("Refusée", "bad"),
    "abandonnee": ("Abandonnée", ""),
}
"""State → (words, tone of the badge)."""

HIDDEN = {"identifiants", "academie_nom"}
WORDS = {
    "eleve": "élève",
    "enseignant": "enseignant",
    "personnel": "personnel",
    "responsable": "responsable",
    "ferme": "fermé",
    "prive": "privé",
}
RECONNU = "Déjà connu d’une autre source : rien ne change que sa clé dans celle-ci"
SERA_APPLIQUE = "Sera appliqué"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a difference: a field, its value before and after."""

    champ: str
    avant: str
    apres: str
    garde: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One object that differs, as the preview shows it."""

    titre: str
    objet: str
    identifiant: str
    lieu: str
    changes: list[Change] = field(default_factory=list)
    message: str = ""
    decision: str = ""
    tone: str = ""
    personne_id: int | None = None
    uai: str = ""


def rows(ecarts: Iterable[Ecart], alimentation: Alimentation) -> list[Row]:
    """Return the differences of a page as a person reads them."""
    return [_row(ecart, alimentation) for ecart in ecarts]


def _row(ecart: Ecart, alimentation: Alimentation) -> Row:
    decision, tone = _decision(ecart, alimentation)
    return Row(
        titre=ecart.libelle or ecart.cle,
        objet=OBJETS.get(ecart.objet, ecart.objet),
        identifiant=ecart.identifiant or ecart.cle,
        lieu=place(ecart),
        changes=changes_of(ecart),
        message=RECONNU if ecart.code == CODE_RECONNU else _message(ecart),
        decision=decision,
        tone=tone,
        personne_id=ecart.personne_id,
        uai=ecart.uai or "",
    )


def _message(ecart: Ecart) -> str:
    return "" if ecart.code == "champ_garde" else ecart.message or ""


def _decision(ecart: Ecart, alimentation: Alimentation) -> tuple[str, str]:
    if ecart.nature == "anomalie":
        return "Rien n’est écrit", "warn"
    if ecart.applique_le is not None:
        return ("Défait", "") if alimentation.etat == "annulee" else ("Appliqué", "ok")
    if alimentation.etat in {"annulee", "abandonnee", "refusee"}:
        return "Non appliqué", ""
    return SERA_APPLIQUE, ""


def place(ecart: Ecart) -> str:
    """Return the file and the line an object was read at."""
    if not ecart.ligne:
        return ecart.fichier
    line = f"Ligne{NBSP}{number(ecart.ligne)}"
    return f"{line}, {ecart.fichier}" if ecart.fichier else line


def changes_of(ecart: Ecart) -> list[Change]:
    """Return the fields of a difference; one whose value stays is «kept, edited by hand»."""
    avant, apres = ecart.avant or {}, ecart.apres or {}
    names = [name for name in {**apres, **avant} if name not in HIDDEN]
    changes = []
    for name in names:
        before, after = readable(avant.get(name)), readable(apres.get(name))
        if before or after:
            changes.append(Change(CHAMPS.get(name, name), before, after))
    return changes + [Change(CHAMPS.get(name, name), "", "", garde=True) for name in _kept(ecart)]


def _kept(ecart: Ecart) -> list[str]:
    """Return the fields the engine says it keeps, because they were edited by hand."""
    if ecart.code != "champ_garde" or not ecart.message:
        return []
    return ecart.message.rpartition(":")[2].strip(f" .{NBSP}").split(", ")


def readable(value: Any) -> str:
    """Return a JSON value in words, empty for none."""
    match value:
        case None | "":
            return ""
        case bool():
            return "oui" if value else "non"
        case int() | float():
            return number(value)
        case str():
            return _readable_text(value)
        case list() | tuple():
            nested = any(isinstance(item, list) for item in value)
            parts = (
                " ".join(str(part) for part in item if part) if isinstance(item, list) else readable(item)
                for item in value
            )
            return (" ; " if nested else ", ").join(part for part in parts if part)
        case Mapping():
            return ", ".join(
                f"{CHAMPS.get(str(key), str(key)).lower()} {text}"
                for key, item in value.items()
                if (text := readable(item))
            )
        case _:
            return str(value)


def _readable_text(value: str) -> str:
    if len(value) == 10 and value[4:5] == "-" and value[7:8] == "-":
        try:
            return day(date.fromisoformat(value))
        except ValueError:
            return value
    return WORDS.get(value, value)


def title(alimentation: Alimentation) -> str:
    """Return the heading of a feed's page, by what can be done with it."""
    when = day(alimentation.cree_le.date())
    endings = {
        "apercu": " : ce qui va changer",
        "application": " : application en cours",
        "appliquee": " : ce qui a changé",
        "annulee": " : annulée",
        "abandonnee": " : abandonnée",
        "refusee": " : refusée",
        "lecture": " : lecture en cours",
    }
    return f"Alimentation du {when}{endings[alimentation.etat].replace(' :', NBSP + ':')}"


def subtitle(alimentation: Alimentation) -> str:
    """Return what was read: source, date of the export, mode."""
    source = SOURCES.get(alimentation.source, alimentation.source.upper())
    parts = [f"Export {source}"]
    if alimentation.date_export:
        parts.append(f"du {instant(alimentation.date_export)}")
    if alimentation.mode == "delta":
        parts.append("(différentiel)")
    text = " ".join(parts)
    return f"{text}, déposé par {alimentation.demandee_par}" if alimentation.demandee_par else text


def tab_total(counts: Mapping[str, Mapping[str, int]], tab: str) -> int:
    """Return how many differences a tab holds."""
    return sum(counts.get(tab, {}).values())


def change_total(counts: Mapping[str, Mapping[str, int]]) -> int:
    """Return how many differences applying would write."""
    return sum(tab_total(counts, tab) for tab in (*NATURES, "reconnus"))


def apply_label(total: int) -> str:
    """Return the words of the button: «Appliquer 123 changements»."""
    return f"Appliquer {number(total)} {plural(total, 'changement')}"


EMPTY = {
    "crees": "Rien à créer",
    "modifies": "Rien à modifier",
    "departs": "Aucun départ",
    "retours": "Aucun retour",
    "reconnus": "Rien à reconnaître",
    "homonymes": "Aucun homonyme",
    "anomalies": "Aucune anomalie",
}
DEPARTS, CHANGEMENTS = "departs", ("crees", "modifies", "reconnus", "departs", "retours")


def line_total(line: AlimentationEtablissement) -> int:
    """Return how many differences applying would write in a school."""
    return written(line.comptes)


def written(comptes: Mapping[str, Any]) -> int:
    """Return how many differences applying writes, by the counts of a feed or of a school of it."""
    return sum(_count(comptes, nature) for nature in CHANGEMENTS)


def scope(alimentation: Alimentation) -> str:
    """Return what a feed is about: a school, an académie, or schools of several."""
    if alimentation.etablissement is not None:
        return str(alimentation.etablissement)
    if alimentation.academie is not None:
        return f"Académie {of(alimentation.academie.nom)}"
    return "Plusieurs établissements"


def is_waiting(line: AlimentationEtablissement) -> bool:
    """Tell whether a school has something left to apply."""
    return line.applique_le is None and line_total(line) > 0


def line_departures(line: AlimentationEtablissement) -> int:
    """Return how many people would leave a school."""
    return _count(line.comptes, DEPARTS)


def departures_label(lines: Iterable[AlimentationEtablissement]) -> str:
    """Return «les 71 départs» of these schools."""
    count = sum(line_departures(line) for line in lines)
    return f"les {number(count)} départs" if count != 1 else "le départ"


def blocked_sentence(lines: list[AlimentationEtablissement], threshold: float) -> str:
    """Return why applying stops and asks: how many people would leave, from where."""
    count = sum(line_departures(line) for line in lines)
    share = f"{threshold:g}".replace(".", ",")
    where = lines[0].nom or lines[0].uai if len(lines) == 1 else f"{number(len(lines))} établissements"
    said = f"{number(count)} {plural(count, 'départ')}"
    return f"{said}, {where} : plus que le seuil de {share}{NBSP}%."


def _count(comptes: Mapping[str, Any], nature: str) -> int:
    return sum(int(counts.get(nature, 0)) for counts in comptes.values() if isinstance(counts, dict))


def object_total(counts: Mapping[str, Mapping[str, int]], objet: str) -> int:
    """Return how many differences one kind of object has."""
    return sum(tab.get(objet, 0) for tab in counts.values())
