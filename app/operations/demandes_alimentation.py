"""Asking for the long work of a feed: read files, apply, undo, drop. One at a time on a feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import Alimentation, AlimentationEtablissement, Tache
from app.operations import journal, taches
from app.operations.alimentation import abandonner, etablissements_a_appliquer
from app.operations.saisies import Actor, record
from app.operations.uploads import Depot
from app.queries.ecarts import holds_whole

LIRE = "alimentation.lire"
APPLIQUER = "alimentation.appliquer"
ANNULER = "alimentation.annuler"
_OPEN_TO = {APPLIQUER: {"apercu", "application"}, ANNULER: {"appliquee", "application"}}
VERBES = {LIRE: "la lecture", APPLIQUER: "l’application", ANNULER: "l’annulation"}


@dataclass(frozen=True, slots=True)
class Limites:
    """Which schools somebody may feed: everything, whole académies (codes), schools (ids)."""

    tout: bool = True
    academies: tuple[str, ...] = ()
    etablissements: tuple[int, ...] = ()


def ask_reading(session: Session, depot: Depot, *, limites: Limites, acteur: Actor) -> Tache:
    """Ask for the files of a depot to be read and compared, within what the actor may feed."""
    count = len(depot.fichiers)
    libelle = f"Lecture de {depot.fichiers[0]}" if count == 1 else f"Lecture de {count} fichiers"
    tache = taches.request(
        session,
        LIRE,
        libelle=libelle,
        parametres={
            "depot": depot.jeton,
            "fichiers": list(depot.fichiers),
            "limites": asdict(limites),
            "acteur": acteur.nom,
        },
        compte_id=acteur.compte_id,
    )
    journal.write(
        session,
        acte="alimentation.deposer",
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="tache",
        objet_id=tache.id,
        objet=libelle,
        apres={"fichiers": list(depot.fichiers), "octets": depot.octets},
    )
    return tache


def ask_apply(
    session: Session,
    alimentation: Alimentation,
    lignes: Sequence[AlimentationEtablissement],
    *,
    accepter_departs: bool,
    acteur: Actor,
) -> Tache:
    """Ask for the changes of a feed to be written in these schools.

    :raises ConflictError: somebody else launched something on this feed, or already applied it.
    :raises RuleViolationError: no school, or departures above the threshold that nobody checked.
    """
    _alone(session, alimentation)
    if alimentation.etat not in {"apercu", "application"}:
        raise ConflictError(_state_sentence(alimentation))
    todo = [ligne for ligne in lignes if ligne.applique_le is None]
    if not todo and not (holds_whole(session, alimentation.id) and _only_common(session, alimentation)):
        raise RuleViolationError("Choisissez au moins un établissement qui n’est pas encore à jour.")
    blocked = [ligne for ligne in todo if ligne.depart_bloque and not ligne.departs_acceptes]
    if blocked and not accepter_departs:
        raise RuleViolationError(
            "Les départs dépassent le seuil. Vérifiez leur liste, puis cochez « J’ai vérifié les départs ».",
            field="accepter_departs",
        )
    return _ask(
        session,
        alimentation,
        APPLIQUER,
        f"Application de l’alimentation n° {alimentation.id}",
        acteur,
        lignes=[ligne.id for ligne in todo],
        accepter_departs=bool(blocked),
    )


def ask_undo(session: Session, alimentation: Alimentation, *, acteur: Actor) -> Tache:
    """Ask for the last application of a feed to be undone.

    :raises ConflictError: somebody else launched something on this feed, or it is not applied.
    """
    _alone(session, alimentation)
    if alimentation.etat not in {"appliquee", "application"}:
        raise ConflictError(_state_sentence(alimentation))
    libelle = f"Annulation de l’alimentation n° {alimentation.id}"
    return _ask(session, alimentation, ANNULER, libelle, acteur)


def relaunch(session: Session, tache: Tache, *, limites: Limites, acteur: Actor) -> None:
    """Start a failed or cancelled task of a feed again, for whoever asks now, with the rights they have now.

    The session holds the perimeter in which the actor may feed.

    :raises ConflictError: something else runs on the same source, or the feed is no longer there to do.
    :raises RuleViolationError: schools of the task are not the actor's any more, or it is not over.
    """
    if tache.etat in {"echec", "annulee"} and tache.type != LIRE:
        feed = _feed_to_relaunch(session, tache)
        _alone(session, feed)
        if feed.etat not in _OPEN_TO[tache.type]:
            raise ConflictError(_state_sentence(feed))
    taches.relaunch(session, tache, acteur=acteur)
    renewed = {"acteur": acteur.nom} | ({"limites": asdict(limites)} if tache.type == LIRE else {})
    tache.parametres = {**tache.parametres, **renewed}


def _feed_to_relaunch(session: Session, tache: Tache) -> Alimentation:
    feed = session.scalars(
        select(Alimentation).where(Alimentation.id == tache.parametres["alimentation_id"])
    ).first()
    asked = set(tache.parametres.get("lignes") or ())
    mine = set(
        session.scalars(select(AlimentationEtablissement.id).where(AlimentationEtablissement.id.in_(asked)))
    )
    if feed is None or asked - mine or (not asked and not holds_whole(session, feed.id)):
        raise RuleViolationError(
            "Des établissements de ce travail ne sont plus dans votre périmètre. Ouvrez l’alimentation et"
            " choisissez ceux que vous pouvez encore alimenter."
        )
    return feed


def drop(session: Session, alimentation: Alimentation, *, acteur: Actor) -> None:
    """Drop a preview: nothing of it will be written.

    :raises ConflictError: somebody else launched something on this feed.
    """
    _alone(session, alimentation)
    abandonner(session, alimentation)
    record(
        session,
        alimentation,
        "alimentation.abandonner",
        acteur,
        etablissement_id=alimentation.etablissement_id,
    )


def _ask(
    session: Session, alimentation: Alimentation, type_: str, libelle: str, acteur: Actor, **more: object
) -> Tache:
    return taches.request(
        session,
        type_,
        libelle=libelle,
        parametres={"alimentation_id": alimentation.id, "acteur": acteur.nom, **more},
        compte_id=acteur.compte_id,
        etablissement_id=alimentation.etablissement_id,
    )


def _alone(session: Session, alimentation: Alimentation) -> None:
    """Take the scope's lock (SQLite: the writer's), then look for work under way on its feeds."""
    check_free(session, alimentation.cle_portee, alimentation)
    session.refresh(alimentation)


def check_free(session: Session, portee: str, mine: Alimentation | None = None) -> None:
    """Refuse to touch a scope while a feed of it is being applied or undone; hold it until the commit.

    :raises ConflictError: work is under way; the sentence says whose, on ``mine`` or on another feed.
    """
    lock(session, f"alimentation:{portee}")
    feeds = select(Alimentation.id).where(Alimentation.cle_portee == portee)
    running = session.scalars(
        select(Tache)
        .where(
            Tache.type.in_((APPLIQUER, ANNULER)),
            Tache.etat.in_(("attente", "cours")),
            Tache.parametres["alimentation_id"].as_integer().in_(feeds),
        )
        .execution_options(hors_perimetre=True)
        .limit(1)
    ).first()
    if running is None:
        return
    who = running.parametres.get("acteur") or "Quelqu’un"
    minutes = int((now() - running.cree_le).total_seconds() // 60)
    when = "à l’instant" if minutes < 1 else f"il y a {minutes} min"
    same = mine is not None and running.parametres["alimentation_id"] == mine.id
    which = "de cette alimentation" if same else "d’une autre alimentation de la même source"
    raise ConflictError(f"{who} a lancé {VERBES[running.type]} {which} {when}. Attendez sa fin.")


def _only_common(session: Session, alimentation: Alimentation) -> bool:
    """Tell whether what is left belongs to no school (nomenclatures)."""
    return alimentation.etat == "apercu" and not etablissements_a_appliquer(session, alimentation)


def _state_sentence(alimentation: Alimentation) -> str:
    sentences = {
        "lecture": "Cette alimentation est encore en cours de lecture.",
        "apercu": "Cette alimentation n’est pas encore appliquée.",
        "application": "Cette alimentation est en cours d’application.",
        "appliquee": "Cette alimentation est déjà appliquée. Rien d’autre n’a été écrit.",
        "annulee": "Cette alimentation est annulée. Déposez de nouveau les fichiers pour recommencer.",
        "refusee": "Cette alimentation est refusée : elle ne peut pas être appliquée.",
        "abandonnee": "Cette alimentation est abandonnée. Déposez de nouveau les fichiers pour recommencer.",
    }
    return sentences[alimentation.etat]
