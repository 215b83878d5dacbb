"""Handlers of the feed tasks: read the files put down, apply school by school, undo.

Killed in the middle, a reading starts again from the files; an application goes on with the
schools not written yet, each in its own transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError, UserError
from app.imports import open_sources
from app.jobs.context import Contexte, TacheAnnuleeError
from app.jobs.registry import handler
from app.models import Academie, Alimentation, Etablissement, FicheSource
from app.operations import alimentation as engine
from app.operations import uploads
from app.operations.alimentation.fiches import EnTete
from app.operations.demandes_alimentation import ANNULER, APPLIQUER, LIRE

BUSY = "alimentation_id"


@handler(LIRE)
def read(context: Contexte) -> dict[str, Any]:
    """Read the files of a depot and prepare the preview."""
    folder = Path(current_app.extensions["reglages"].dossier) / "depots"
    jeton = str(context.parametres["depot"])
    done = _feed(context.session, (context.cursor or {}).get(BUSY))
    if done is not None and done.etat == "apercu":
        uploads.discard(folder, jeton)
        return {BUSY: done.id}
    try:
        feed = _read(context, uploads.paths(folder, jeton))
    except (UserError, TacheAnnuleeError) as error:
        context.session.rollback()
        _give_up(context, error)
        uploads.discard(folder, jeton)
        raise
    uploads.discard(folder, jeton)
    return {BUSY: feed.id}


def _read(context: Contexte, paths: list[Path]) -> Alimentation:
    session = context.session
    settings = current_app.extensions["reglages"]
    with open_sources(paths, structures=_known_structures(session)) as source:
        schools = allowed_schools(session, context.parametres["limites"], source.entete)
        feed = engine.ouvrir(session, source.entete, acteur=str(context.parametres.get("acteur", "")))
        context.progress(0, cursor={BUSY: feed.id})
        if feed.etat == "refusee":
            return feed
        for count in engine.comparer(session, feed, source.entete, source.objets(), etablissements=schools):
            context.progress(count)
    engine.clore_apercu(session, feed, seuil_pourcent=settings.departs_seuil_pourcent)
    context.progress()
    return feed


def _give_up(context: Contexte, error: Exception) -> None:
    """Close a feed whose files cannot be read to the end; nothing of it will be applied."""
    feed = _feed(context.session, (context.cursor or {}).get(BUSY))
    if feed is None or feed.etat != "lecture":
        return
    engine.abandonner(context.session, feed)
    feed.motif = error.message if isinstance(error, UserError) else "Lecture annulée."
    context.session.commit()


@handler(APPLIQUER)
def apply(context: Contexte) -> dict[str, Any]:
    """Write the chosen schools of a feed, one transaction each."""
    session = context.session
    feed = _feed(session, context.parametres[BUSY])
    if feed is None:
        raise NotFoundError("Cette alimentation n’existe plus.")
    chosen = set(context.parametres["lignes"])
    accept = bool(context.parametres.get("accepter_departs"))
    todo = [line for line in engine.etablissements_a_appliquer(session, feed) if line.id in chosen]
    total = context.total or len(todo)
    written: dict[str, int] = dict((context.cursor or {}).get("ecrits") or {})
    for line in todo:
        counts = engine.appliquer_etablissement(
            session, feed, line, accepter_departs=accept, acteur=str(context.parametres.get("acteur", ""))
        )
        for name, count in counts.items():
            written[name] = written.get(name, 0) + count
        context.progress(context.fait + 1, total, cursor={"ecrits": written})
    if feed.etat in {"apercu", "application"}:
        engine.clore_application(session, feed)
    context.progress()
    return {BUSY: feed.id, **written}


@handler(ANNULER)
def undo(context: Contexte) -> dict[str, Any]:
    """Undo the last application of a feed, school by school."""
    from app.operations.alimentation import annuler

    feed = _feed(context.session, context.parametres[BUSY])
    if feed is None:
        raise NotFoundError("Cette alimentation n’existe plus.")
    for count, _school in enumerate(
        annuler(context.session, feed, acteur=str(context.parametres.get("acteur", ""))), start=1
    ):
        context.progress(count)
    context.progress()
    return {BUSY: feed.id}


def allowed_schools(session: Session, limites: dict[str, Any], entete: EnTete) -> set[str] | None:
    """Return the UAIs somebody may feed from these files, None for no limit.

    :raises UserError: the files are those of a school, or of an académie, that is not theirs.
    """
    if limites["tout"]:
        return None
    academies: Collection[str] = limites["academies"]
    if entete.uai is None and entete.academie and entete.academie in academies:
        return None
    ids = [*limites["etablissements"]]
    mine = select(Academie.id).where(Academie.code.in_(list(academies)))
    uais = set(
        session.scalars(
            select(Etablissement.uai).where(
                or_(Etablissement.id.in_(ids), Etablissement.academie_id.in_(mine))
            )
        )
    )
    if entete.uai is not None and entete.uai not in uais:
        raise UserError(
            f"Ces fichiers sont ceux de l’établissement {entete.uai}, qui n’est pas dans votre périmètre."
        )
    if not uais:
        raise UserError("Votre périmètre ne contient aucun établissement à alimenter.")
    return uais


def _known_structures(session: Session) -> dict[str, str]:
    """Return AAF structure key → UAI of the schools the base knows: deltas name schools by key."""
    rows = session.execute(
        select(FicheSource.cle, Etablissement.uai)
        .join(Etablissement, Etablissement.id == FicheSource.etablissement_id)
        .where(FicheSource.objet == "etablissement", FicheSource.espace.startswith("aaf"))
    )
    return {row[0]: row[1] for row in rows}


def _feed(session: Session, alimentation_id: int | None) -> Alimentation | None:
    return session.get(Alimentation, alimentation_id) if alimentation_id else None
