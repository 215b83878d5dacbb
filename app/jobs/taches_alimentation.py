"""Handlers of the feed tasks: read the files put down, apply school by school, undo.

Killed in the middle, a reading starts again from the files; an application goes on with the
schools not written yet, an undoing with those not undone yet.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError, UserError
from app.imports import open_sources
from app.jobs import alimentation as steps
from app.jobs.context import Contexte, TacheAnnuleeError
from app.jobs.registry import handler
from app.models import Academie, Alimentation, AlimentationEtablissement, Etablissement, FicheSource
from app.operations import uploads
from app.operations.alimentation import refuser
from app.operations.alimentation.fiches import EnTete
from app.operations.demandes_alimentation import ANNULER, APPLIQUER, LIRE, check_free

FEED = "alimentation_id"
LONGUEUR_ESPACE: int = FicheSource.metadata.tables["fiche_source"].c.espace.type.length


@handler(LIRE)
def read(context: Contexte) -> dict[str, Any]:
    """Read the files of a depot and prepare the preview; the files go once read or refused."""
    folder = Path(current_app.extensions["reglages"].dossier) / "depots"
    jeton = str(context.parametres["depot"])
    try:
        paths = uploads.paths(folder, jeton)
        with open_sources(paths) as source:
            limites = context.parametres["limites"]
            schools = allowed_schools(context.session, limites, source.entete)
            scope = scope_of(limites, source.entete)
        check_free(context.session, scope)
        feed = steps.read_and_compare(
            context.session,
            paths,
            acteur=_actor(context),
            etablissements=schools,
            portee=scope,
            academie=limites["academies"][0] if scope in _scopes_of_one(limites) else None,
            progress=context.progress,
        )
    except UserError:
        uploads.discard(folder, jeton)
        raise
    except TacheAnnuleeError:
        _stop_reading(context.session, scope)
        uploads.discard(folder, jeton)
        raise
    uploads.discard(folder, jeton)
    return {FEED: feed.id}


def _stop_reading(session: Session, scope: str) -> None:
    """Close the feed whose reading was cancelled; nothing of it will be applied."""
    session.rollback()
    reading = select(Alimentation).where(Alimentation.cle_portee == scope, Alimentation.etat == "lecture")
    for feed in session.scalars(reading):
        refuser(session, feed, "Lecture annulée avant la fin.")
    session.commit()


@handler(APPLIQUER)
def apply(context: Contexte) -> dict[str, Any]:
    """Write the chosen schools of a feed, one transaction each."""
    feed = _feed(context)
    chosen = set(context.parametres["lignes"])
    refused: list[str] = []
    if feed.etat in {"apercu", "application"}:
        refused = steps.apply(
            context.session,
            feed,
            acteur=_actor(context),
            lignes=chosen,
            accepter_departs=bool(context.parametres.get("accepter_departs")),
            progress=context.progress,
        )
    if refused:
        raise UserError(" ".join(refused[:5]))
    done = context.session.scalars(
        select(AlimentationEtablissement).where(
            AlimentationEtablissement.id.in_(chosen), AlimentationEtablissement.applique_le.is_not(None)
        )
    ).all()
    return {FEED: feed.id, "etablissements_appliques": len(done)}


@handler(ANNULER)
def undo(context: Contexte) -> dict[str, Any]:
    """Undo the last application of a feed, school by school."""
    feed = _feed(context)
    if feed.etat != "annulee":
        steps.undo(context.session, feed, acteur=_actor(context), progress=context.progress)
    return {FEED: feed.id}


def allowed_schools(session: Session, limites: dict[str, Any], entete: EnTete) -> set[str] | None:
    """Return the UAIs somebody may feed from these files, None for no limit.

    :raises UserError: the files are those of a school, or of an académie, that is not theirs.
    """
    if limites["tout"]:
        return None
    academies = list(limites["academies"])
    if entete.uai is None and entete.academie and entete.academie in academies:
        return None
    if entete.uai is None and (entete.academie or not academies):
        # read in part, they would take the place of the whole feed, and name people by number alone
        raise UserError(
            "Ces fichiers sont ceux de toute une académie : seuls ses services peuvent les déposer."
            " Déposez l’export de votre établissement."
        )
    mine = select(Academie.id).where(Academie.code.in_(academies))
    uais = set(
        session.scalars(
            select(Etablissement.uai).where(
                or_(Etablissement.id.in_(limites["etablissements"]), Etablissement.academie_id.in_(mine))
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


def scope_of(limites: dict[str, Any], entete: EnTete) -> str:
    """Return the scope of these files: the annuaire is one file for all, but each académie reads its own
    schools in it, so that their previews live side by side.
    """
    if entete.source != "annuaire" or limites["tout"]:
        return entete.espace
    codes = "+".join(sorted(limites["academies"]))
    scope = f"{entete.espace}:{codes}"
    return scope if len(scope) <= LONGUEUR_ESPACE else f"{entete.espace}:{_short(codes)}"


def _scopes_of_one(limites: dict[str, Any]) -> set[str]:
    """Return the scopes whose feed is that of one académie."""
    return {f"annuaire:{code}" for code in limites["academies"] if len(limites["academies"]) == 1}


def _short(text: str) -> str:
    return blake2b(text.encode(), digest_size=7).hexdigest()


def _actor(context: Contexte) -> str:
    return str(context.parametres.get("acteur") or "Système")


def _feed(context: Contexte) -> Alimentation:
    feed = context.session.get(Alimentation, context.parametres[FEED])
    if feed is None:
        raise NotFoundError("Cette alimentation n’existe plus.")
    return feed
