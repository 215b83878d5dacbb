"""Reading, applying and undoing feeds, with their commits.

Each batch read, each school applied or undone is one transaction. Killed while reading, a feed is
read again from its files; killed while applying, the schools not applied remain to be.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flask import current_app
from sqlalchemy.orm import Session

from app.config import Reglages
from app.database import commit_without_waiting, plan_by_keys, refresh_statistics, rows_of
from app.errors import UserError
from app.imports import Source, open_sources
from app.imports.ahead import read_ahead
from app.jobs import bilans
from app.models import Alimentation
from app.operations.alimentation import (
    annuler,
    appliquer_etablissement,
    clore_apercu,
    clore_application,
    comparer,
    etablissements_a_appliquer,
    ouvrir,
    refuser,
)
from app.operations.alimentation.avance import Avance
from app.operations.alimentation.fiches import Objet
from app.operations.bilans import fed_schools

Progress = Callable[[int, int | None], None]

GARBAGE = 300_000
"""Objects made between two rounds of the garbage collector: more than one batch holds at a time."""

LUES = ("ecart", "citation_responsable")
ECRITES = (
    "ecart", "fiche_source", "personne", "identifiant", "rattachement", "responsabilite", "racine_login",
    "eleve_groupe", "option_suivie", "fonction_exercee", "service_enseigne", "professeur_principal",
    "variante_nom", "division", "groupe_enseignement",
)  # fmt: skip
"""Tables a preview, then an application, fill faster than the server keeps count of."""


def quiet(_done: int, _total: int | None) -> None:
    """Tell nobody."""


def read_and_compare(
    session: Session,
    paths: Sequence[Path],
    *,
    acteur: str,
    etablissements: set[str] | None = None,
    portee: str | None = None,
    academie: str | None = None,
    progress: Progress = quiet,
) -> Alimentation:
    """Read files and stage what they would change; nothing else of the base moves.

    ``portee`` and ``academie`` stand for what files that are everybody's (annuaire) do not say.

    :raises UserError: unreadable files, or an export older than the last one applied; the feed
        then stays as ``refusee`` with its reason.
    """
    files = list(paths)
    source, structures = _open(session, files)
    with source:
        entete = source.entete
        entete.espace, entete.academie = portee or entete.espace, entete.academie or academie
        alimentation = ouvrir(session, entete, acteur=acteur)
        session.commit()
        if alimentation.etat == "refusee":
            raise UserError(alimentation.motif or "Cet export est refusé.")
        try:
            with _calm_collector():
                new = not _known_scope(session, entete.espace)
                objects = read_ahead(source, files, structures, nouveaux=new)
                counted = 0
                for read in comparer(session, alimentation, entete, objects, etablissements=etablissements):
                    counted = _count(session, LUES, read, counted)
                    commit_without_waiting(session)
                    session.commit()
                    progress(read, None)
        except UserError as error:
            session.rollback()
            refuser(session, alimentation, error.message)
            session.commit()
            raise
    clore_apercu(session, alimentation, seuil_pourcent=_settings().departs_seuil_pourcent)
    session.commit()
    return alimentation


def apply(
    session: Session,
    alimentation: Alimentation,
    *,
    acteur: str,
    uais: set[str] | None = None,
    lignes: set[int] | None = None,
    accepter_departs: bool = False,
    progress: Progress = quiet,
) -> list[str]:
    """Apply a preview school by school, each committed; return why some were refused.

    ``uais`` or ``lignes`` limit it to some schools. A school refused stops nothing else.
    """
    refresh_statistics(session, [Alimentation.metadata.tables["ecart"]], soon=True)
    session.commit()
    chosen = [
        line
        for line in etablissements_a_appliquer(session, alimentation)
        if (uais is None or line.uai in uais) and (lignes is None or line.id in lignes)
    ]
    refused = []
    counted = 0
    ahead = Avance(session, alimentation, [line.uai for line in chosen])
    with _calm_collector():
        for done, line in enumerate(chosen, start=1):
            try:
                plan_by_keys(session)
                appliquer_etablissement(
                    session,
                    alimentation,
                    line,
                    accepter_departs=accepter_departs,
                    acteur=acteur,
                    avance=ahead,
                )
            except UserError as error:
                session.rollback()
                refused.append(error.message)
            else:
                counted = _count(session, ECRITES, done, counted)
                commit_without_waiting(session)  # the last commit of the application waits for all of them
                session.commit()
            progress(done, len(chosen))
    clore_application(session, alimentation)
    session.commit()
    bilans.refresh(session, [line.etablissement_id for line in chosen if line.etablissement_id])
    return refused


def undo(session: Session, alimentation: Alimentation, *, acteur: str, progress: Progress = quiet) -> None:
    """Undo the last application of a scope, school by school, each committed."""
    for done, _uai in enumerate(annuler(session, alimentation, acteur=acteur), start=1):
        session.commit()
        progress(done, None)
    session.commit()
    bilans.refresh(session, fed_schools(session, alimentation.id))


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Keep what is loaded out of the garbage collector's rounds while rows stream by."""
    gc.freeze()
    threshold = gc.get_threshold()
    gc.set_threshold(GARBAGE, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()


def _count(session: Session, names: Sequence[str], done: int, counted: int) -> int:
    """Let the planner know what batches or schools add, each time a fifth more is done."""
    if done <= counted + counted // 5:
        return counted
    refresh_statistics(session, [Alimentation.metadata.tables[name] for name in names])
    return done


def _settings() -> Reglages:
    settings: Reglages = current_app.extensions["reglages"]
    return settings


def _open(session: Session, paths: list[Path]) -> tuple[Source, dict[str, str] | None]:
    """Open the files; a delta, or files without the schools, is told the schools already known."""
    source = open_sources(paths)
    if not source.entete.source.startswith("aaf"):
        return source, None
    known = _structures(session, source.entete.espace)
    if not known or (source.entete.mode != "delta" and Objet.ETABLISSEMENT in source.entete.presents):
        return source, None
    source.close()
    return open_sources(paths, structures=known), known


def _known_scope(session: Session, espace: str) -> bool:
    """Tell whether the source was already applied in this scope."""
    return bool(rows_of(session, "SELECT 1 FROM fiche_source WHERE espace = :espace LIMIT 1", espace=espace))


def _structures(session: Session, espace: str) -> dict[str, str]:
    """Return the AAF keys of the schools already known to their UAI."""
    rows = rows_of(
        session,
        "SELECT f.cle, e.uai FROM fiche_source f JOIN etablissement e ON e.id = f.etablissement_id"
        " WHERE f.espace = :espace AND f.objet = 'etablissement'",
        espace=espace,
    )
    return {row[0]: row[1] for row in rows}
