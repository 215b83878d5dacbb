"""What keeps a change from being made in a school: as the single acts refuse it, for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.operations.champs_service import asks_for_try, moved
from app.queries.comparaison import FIXE, INDISPONIBLE, Mouvement
from app.queries.etats_services import Ecole, Key

ESSAI = "Aucun essai n’a atteint son adresse\u00a0: testez-la sur la page du service."
PROTEGE = "Un mot de passe est enregistré pour l’adresse actuelle\u00a0: changez-la sur la page du service."
ABONNEMENT = "L’établissement n’y est pas abonné."
EMPTY: tuple[Any, ...] = (None, "", [])


def obstacles(ecole: Ecole, moves: Sequence[Mouvement]) -> dict[Key, str]:
    """Return, of what one would set in a school, what cannot be and why."""
    refused: dict[Key, str] = {}
    for move in moves:
        cible = move.cible
        if not cible.service.offered(ecole.collectivite_id):
            refused[cible.key] = INDISPONIBLE
        elif cible.fixe:
            refused[cible.key] = FIXE
    after = _settings(ecole, moves, refused)
    for move in moves:
        if move.cible.genre in {"etat", "composant"} and move.effet and move.cible.key not in refused:
            why = _cannot_start(ecole, move, after)
            if why:
                refused[move.cible.key] = why
    _places(ecole, moves, refused)
    return refused


def _settings(
    ecole: Ecole, moves: Sequence[Mouvement], refused: dict[Key, str]
) -> dict[Key, Mapping[str, Any]]:
    """Refuse settings that may not be; return what each group that changes would then hold."""
    groups: dict[Key, list[Mouvement]] = {}
    for move in moves:
        if move.cible.genre == "reglage" and move.cible.key not in refused:
            groups.setdefault(move.cible.group, []).append(move)
    after: dict[Key, Mapping[str, Any]] = {}
    for group, own in groups.items():
        why, values = _settings_of(ecole, group, own, _switched(moves))
        if why:
            refused.update((move.cible.key, why) for move in own)
        else:
            after[group] = values
    return after


def _settings_of(
    ecole: Ecole, group: Key, own: Sequence[Mouvement], switched: Mapping[Key, bool]
) -> tuple[str, Mapping[str, Any]]:
    first = own[0].cible
    schema = (first.composant or first.service).reglages
    before = ecole.settings(group)
    after = {**before, **{str((move.cible.champ or {})["code"]): move.apres for move in own}}
    missing = [
        str(one["libelle"]) for one in schema if one.get("obligatoire") and after.get(one["code"]) in EMPTY
    ]
    emptied = all(value in EMPTY for value in after.values())
    if missing and not (emptied and group not in ecole.protected):
        return f"Il manque\u00a0: {', '.join(missing)}.", after
    if moved(schema, before, after) and group in ecole.protected:
        return PROTEGE, after
    key: Key = ("composant", group[1]) if group[1] is not None else ("etat", group[0])
    initial = group[1] is None and first.service.nature == "initial"
    on = bool(ecole.own.get(key, initial)) and switched.get(key, True)
    if on and asks_for_try(schema) and moved(schema, before, after) and not ecole.reached(group, after):
        return ESSAI, after
    return "", after


def _switched(moves: Sequence[Mouvement]) -> dict[Key, bool]:
    return {move.cible.key: bool(move.effet) for move in moves if move.cible.genre in {"etat", "composant"}}


def _cannot_start(ecole: Ecole, move: Mouvement, after: Mapping[Key, Mapping[str, Any]]) -> str:
    """Say why a service or a component may not be switched on."""
    cible = move.cible
    if (
        cible.composant is not None
        and cible.composant.sur_abonnement
        and not ecole.subscribed(cible.composant.id)
    ):
        return ABONNEMENT
    schema = (cible.composant or cible.service).reglages
    missing = [str(one["libelle"]) for one in schema if one.get("obligatoire")]
    group = cible.group
    if not missing:
        return ""
    if group not in ecole.pks and group not in after:
        return f"Réglages à renseigner d’abord : {', '.join(missing)}."
    if asks_for_try(schema) and not ecole.reached(group, after.get(group, ecole.settings(group))):
        return ESSAI
    return ""


def _places(ecole: Ecole, moves: Sequence[Mouvement], refused: dict[Key, str]) -> None:
    """Refuse a second software of one place, unless the first one leaves it."""
    parts = [move for move in moves if move.cible.genre == "composant" and move.cible.key not in refused]
    leaving = {move.cible.key for move in parts if not move.effet}
    taken = {place: holder for place, holder in ecole.places.items() if ("composant", holder) not in leaving}
    for move in parts:
        part = move.cible.composant
        if not move.effet or part is None or part.place is None:
            continue
        place = (move.cible.service.id, part.place)
        if taken.setdefault(place, part.id) != part.id:
            refused[move.cible.key] = f"Un autre logiciel {part.place} est déjà actif."
