"""Many schools' services written at once: what held is closed, what holds is opened, each act journalled.

Statements do not depend on how many schools there are. The locks of the schools are the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, instant, rows_of
from app.extensions import Base, now
from app.models import (
    ComposantEtablissement,
    ComposantService,
    DroitService,
    EtatService,
    ReglageService,
    Service,
)
from app.operations import bilans, journal
from app.operations.journal import Ligne
from app.operations.saisies import Actor
from app.queries.cibles import Cible
from app.queries.comparaison import Mouvement, now_of
from app.queries.droits import OUTSIDE
from app.queries.etats_services import Ecole

KINDS: dict[str, type[Base]] = {
    "etat": EtatService,
    "droit": DroitService,
    "composant": ComposantEtablissement,
}
COLUMNS = {
    "etat": ("service_id", "actif"),
    "droit": ("role_id", "profil", "accorde"),
    "composant": ("composant_id", "service_id", "place"),
}


class Ecriture:
    """What is to be written, gathered school by school, then written at once."""

    def __init__(self, session: Session, acteur: Actor) -> None:
        self._session, self._acteur = session, acteur
        self._closed: dict[str, list[int]] = {kind: [] for kind in KINDS}
        self._opened: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in KINDS}
        self._settings: dict[tuple[int, Any], tuple[int | None, dict[str, Any]]] = {}
        self._lines: list[Ligne] = []
        self._switched: list[int] = []

    def school(self, ecole: Ecole, moves: Sequence[Mouvement]) -> None:
        """Gather what changes in a school: nothing of it is refused."""
        told: dict[tuple[str, Any], list[Mouvement]] = {}
        for move in moves:
            cible = move.cible
            if cible.genre == "reglage":
                group = cible.group
                kept = self._settings.setdefault((ecole.id, group), (ecole.pks.get(group), {}))
                kept[1][str((cible.champ or {})["code"])] = move.apres
                told.setdefault(("reglage", group), []).append(move)
                continue
            if cible.key in ecole.pks:
                self._closed[cible.genre].append(ecole.pks[cible.key])
            if move.apres is not None and not (cible.genre == "composant" and not move.apres):
                self._opened[cible.genre].append((ecole.id, *_row(cible, move.apres)))
            told.setdefault((cible.genre, cible.service.id), []).append(move)
            if cible.genre == "etat":
                self._switched.append(ecole.id)
        self._lines += [_line(ecole, own) for own in told.values()]

    def write(self) -> None:
        """Write everything gathered and its journal."""
        moment = now()
        stamp, par = instant(self._session, moment), self._acteur.nom[:160]
        for kind, entity in KINDS.items():
            table = Base.metadata.tables[entity.__tablename__]
            if self._closed[kind]:
                statement = f"UPDATE {table.name} SET fin = :fin WHERE id IN :ids"
                rows_of(self._session, statement, fin=_given(self._session, moment), ids=self._closed[kind])
            rows = [(*row, stamp, par) for row in self._opened[kind]]
            if rows:
                columns = ("etablissement_id", *COLUMNS[kind], "debut", "par")
                bulk_insert(self._session, table, columns, rows)
        self._write_settings(stamp, par)
        if self._switched:
            bilans.compter_services(self._session, sorted(set(self._switched)))
        journal.write_many(
            self._session,
            acte="service.droits",
            acteur=self._acteur.nom,
            compte_id=self._acteur.compte_id,
            objet_type="service",
            lignes=self._lines,
        )

    def _write_settings(self, stamp: str, par: str) -> None:
        """Update the settings that are there, write those that are not, delete those left empty."""
        table = Base.metadata.tables[ReglageService.__tablename__]
        held = [pk for pk, _values in self._settings.values() if pk is not None]
        statement = select(table.c.id, table.c.valeurs, table.c.secrets, table.c.version)
        rows = self._session.execute(statement.where(table.c.id.in_(held)), execution_options=OUTSIDE)
        now_ = {row.id: row for row in rows} if held else {}
        changed, emptied, made = [], [], []
        for (ecole_id, (service_id, composant_id)), (pk, values) in self._settings.items():
            if pk is None:
                made.append(
                    (
                        ecole_id,
                        service_id,
                        composant_id,
                        json.dumps(values, ensure_ascii=False),
                        1,
                        stamp,
                        par,
                    )
                )
                continue
            merged = {**now_[pk].valeurs, **values}
            if now_[pk].secrets is None and all(value in (None, "", []) for value in merged.values()):
                emptied.append(pk)
            else:
                text = json.dumps(merged, ensure_ascii=False)
                changed.append((text, now_[pk].version + 1, stamp, par, pk))
        bulk_update(self._session, table, "id", ("valeurs", "version", "modifie_le", "par"), changed)
        if emptied:
            rows_of(self._session, f"DELETE FROM {table.name} WHERE id IN :ids", ids=emptied)
        if made:
            columns = ("etablissement_id", "service_id", "composant_id", "valeurs", "version", "modifie_le",
                       "par")  # fmt: skip
            bulk_insert(self._session, table, columns, made)


def _given(session: Session, moment: datetime) -> Any:
    """Return an instant as a parameter of a plain statement."""
    return instant(session, moment) if session.get_bind().dialect.name == "sqlite" else moment


def _row(cible: Cible, value: Any) -> tuple[Any, ...]:
    """Return the columns of what opens."""
    if cible.genre == "etat":
        return cible.service.id, value
    if cible.role is not None:
        return cible.role.id, cible.profil, value
    part = cible.composant
    return (part.id, cible.service.id, part.place) if part is not None else ()


def _line(ecole: Ecole, moves: Sequence[Mouvement]) -> Ligne:
    """Return the line of the journal, as the act on one school writes it."""
    first = moves[0].cible
    service = first.service
    genre = first.genre
    objet_type, objet_id, objet = "service", service.id, service.nom
    if genre == "etat":
        acte = "service.activer" if moves[0].effet else "service.desactiver"
        names = ["actif"]
    elif genre == "reglage":
        acte = "service.regler"
        names = [str((move.cible.champ or {})["code"]) for move in moves]
        part = first.composant
        objet_type = (ComposantService if part else Service).__tablename__
        objet_id, objet = (part.id, part.nom) if part else (service.id, service.nom)
    else:
        acte = "service.droits" if genre == "droit" else "service.composant"
        names = [move.cible.libelle for move in moves]
    return Ligne(
        objet_id,
        objet,
        ecole.id,
        avant={name: now_of(ecole, move.cible) for name, move in zip(names, moves, strict=True)},
        apres={name: move.effet for name, move in zip(names, moves, strict=True)},
        acte=acte,
        objet_type=objet_type,
    )
