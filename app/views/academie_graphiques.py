"""The three questions the académie view answers by a chart (C7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from app.queries.academie import AGES, LATE_AGES
from app.views.academie_liste import AGE_LABELS, Etat
from app.views.graphiques import Chart, Value, percent, percent_text
from app.views.labels import NIVEAUX, school_level, school_type
from app.views.rendering import number, plural

SHORT_AGES = {
    "jour": "1 j",
    "semaine": "7 j",
    "quinzaine": "14 j",
    "mois": "28 j",
    "plus": "+ 28 j",
    "jamais": "jamais",
}
LEVEL_ORDER = {name: rank for rank, name in enumerate(NIVEAUX)}


def charts(state: Etat, groups: Sequence[Row[Any]], levels: Sequence[Row[Any]]) -> list[Chart]:
    """Return the charts of the perimeter; each value leads to the list it counts."""
    here = Etat(taille=state.taille, colonnes=state.colonnes)
    return [_activation(here, levels), _feeds(here, groups), _administrators(here, groups)]


def _activation(here: Etat, levels: Sequence[Row[Any]]) -> Chart:
    """Levels by share of pupils who have an account, the lowest first; ties in school order."""
    rows = sorted(
        ((niveau, int(pupils), int(active)) for niveau, pupils, active in levels if pupils),
        key=lambda row: (percent(row[2], row[1]), LEVEL_ORDER.get(row[0].upper(), 99), row[0]),
    )
    values = [
        Value(
            school_level(niveau),
            percent(active, pupils) / 100,
            percent_text(percent(active, pupils)),
            here.url(niveau=niveau),
            (number(active), number(pupils)),
        )
        for niveau, pupils, active in rows
    ]
    pupils, active = sum(row[1] for row in rows), sum(row[2] for row in rows)
    overall = percent_text(percent(active, pupils))
    lowest = [value for value in values if value.text == values[0].text]
    return Chart(
        "activation",
        "À quel niveau les élèves activent-ils le moins leur compte ?",
        lowest[0].label if len(lowest) == 1 else f"{len(lowest)} niveaux",
        f"à {lowest[0].text}, pour {overall} en tout" if lowest else "",
        ("Niveau", "Comptes activés", "Avec un compte", "Élèves"),
        values,
        note="Aucun élève dans votre périmètre.",
    )


def _feeds(here: Etat, groups: Sequence[Row[Any]]) -> Chart:
    """Schools by age of their last feed; the late ones stand apart."""
    counts = {age: sum(getattr(row, f"age_{age}") for row in groups) for age in AGES}
    late = sum(counts[age] for age in LATE_AGES)
    total = sum(counts.values())
    values = [
        Value(
            SHORT_AGES[age],
            counts[age],
            number(counts[age]),
            here.url(alimente=age),
            (AGE_LABELS[age],),
            age in LATE_AGES,
        )
        for age in AGES
    ]
    return Chart(
        "alimentation",
        "Combien d’établissements attendent leur alimentation ?",
        number(late),
        f"{plural(late, 'établissement')} en retard sur {number(total)}",
        ("Dernière alimentation", "Établissements"),
        values if total else [],
        url=here.url(alimente="retard") if late else "",
        upright=True,
        note="Aucun établissement à alimenter.",
    )


def _administrators(here: Etat, groups: Sequence[Row[Any]]) -> Chart:
    """Types of school by number of open ones nobody administers."""
    without: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row in groups:
        if row.etat == "ouvert":
            without[row.type] += row.sans_administrateur
            total[row.type] += row.ecoles
    missing = sum(without.values())
    values = [
        Value(
            school_type(kind) or "Type inconnu",
            percent(without[kind], total[kind]) / 100,
            f"{number(without[kind])} sur {number(total[kind])}",
            here.url(administrateur="sans", type=kind),
            (number(without[kind]), number(total[kind])),
        )
        for kind in sorted(total, key=lambda kind: (-without[kind], kind))
        if without[kind]
    ]
    return Chart(
        "administrateurs",
        "Où manque-t-il un administrateur ?",
        number(missing),
        f"{plural(missing, 'établissement')} sans administrateur sur {number(sum(total.values()))}",
        ("Type", "Sans administrateur", "Établissements"),
        values,
        url=here.url(administrateur="sans") if missing else "",
        note="Chaque établissement ouvert a un administrateur.",
    )
