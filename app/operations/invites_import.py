"""A file of guests: read, mended line by line, applied all or in part, undone (U13). One work at a time.

Every step a person asks for takes the row of the import first, so that two tabs do not both launch it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, RuleViolationError
from app.models import Etablissement, ImportInvites, LigneImport, Tache
from app.operations import taches
from app.operations.invites import check_last_day, today
from app.operations.invites_lignes import Juge
from app.operations.invites_saisie import CHAMPS, OBLIGATOIRES
from app.operations.saisies import Actor, record
from app.operations.taches import FINAL
from app.operations.uploads import Depot
from app.queries import imports_invites as reads

LIRE, RELIRE = "invites.lire", "invites.relire"
APPLIQUER, ANNULER = "invites.appliquer", "invites.annuler"
BUSY = "Un travail est déjà en cours sur ce fichier. Attendez sa fin."


def deposer(
    session: Session, school: Etablissement, depot: Depot, *, dernier_jour: date | None, acteur: Actor
) -> ImportInvites:
    """Keep a file put down and ask for its reading.

    :raises RuleViolationError: the last day is past.
    """
    check_last_day(dernier_jour)
    item = ImportInvites(
        etablissement_id=school.id,
        fichier=depot.fichiers[0],
        dernier_jour=dernier_jour,
        compte_id=acteur.compte_id,
        demande_par=acteur.nom,
    )
    session.add(item)
    session.flush()
    _launch(session, item, LIRE, f"Lecture de {depot.fichiers[0]}", acteur, depot=depot.jeton)
    record(
        session, item, "invites.deposer", acteur, etablissement_id=school.id,
        changes={"octets": (None, depot.octets)},
    )  # fmt: skip
    return item


def relire(
    session: Session,
    item: ImportInvites,
    *,
    colonnes: Sequence[str] | None = None,
    suggestions: bool = False,
    acteur: Actor,
) -> Tache:
    """Judge every line again, with other columns or with every suggestion taken.

    :raises RuleViolationError: a required column is missing, or one is there twice.
    """
    _hold(session, item, "apercu")
    if colonnes is not None:
        _check_columns(colonnes)
        item.colonnes = list(colonnes)
    return _launch(session, item, RELIRE, f"Relecture de {item.fichier}", acteur, suggestions=suggestions)


def corriger(session: Session, item: ImportInvites, ligne: LigneImport, champs: dict[str, str]) -> None:
    """Write other values in a line and judge it again.

    :raises ConflictError: the file is being applied.
    """
    _hold(session, item, "apercu")
    cells = list(ligne.cellules) + [""] * (len(item.colonnes) - len(ligne.cellules))
    for rank, name in enumerate(item.colonnes):
        if name in champs:
            cells[rank] = champs[name][:300]
    juge = Juge(session, item.etablissement_id, today())
    judged = juge.juger([(ligne.numero, cells)], item.colonnes)[0]
    _store(ligne, judged)
    if judged.etat == "valide":
        _refuse_repetition(session, item, ligne)
    session.flush()


def _store(ligne: LigneImport, judged: Any) -> None:
    ligne.cellules, ligne.constats = judged.cellules, judged.constats()
    ligne.etat, ligne.choix, ligne.personne_id = judged.etat, judged.choix, judged.personne_id
    ligne.remarque = judged.remarque


def _refuse_repetition(session: Session, item: ImportInvites, ligne: LigneImport) -> None:
    """A line mended into one that is there already is said so; lines are compared as they are written."""
    columns = {name: rank for rank, name in enumerate(item.colonnes) if name}
    same = [columns[name] for name in ("nom", "prenom", "date_naissance")]

    def key(cells: list[str]) -> list[str]:
        return [" ".join(cells[rank].split()).lower() if rank < len(cells) else "" for rank in same]

    for other in reads.stream(session, item.id, ("valide",)):
        if other.id != ligne.id and key(other.cellules) == key(ligne.cellules):
            said = f"Cette personne est déjà à la ligne {other.numero}."
            ligne.etat, ligne.choix = "erreur", ""
            ligne.constats = [
                *ligne.constats, {"champ": "nom", "texte": said, "erreur": True, "suggestion": ""},
            ]  # fmt: skip
            return


def ecarter(session: Session, item: ImportInvites, ligne: LigneImport, *, garder: bool) -> None:
    """Leave a line out, or take it back.

    :raises ConflictError: the file is being applied.
    """
    _hold(session, item, "apercu")
    if garder and ligne.etat == "ecartee":
        judged = Juge(session, item.etablissement_id, today()).juger(
            [(ligne.numero, list(ligne.cellules))], item.colonnes
        )[0]
        _store(ligne, judged)
    elif not garder and ligne.etat in {"valide", "erreur"}:
        ligne.etat, ligne.choix, ligne.remarque = "ecartee", "", False
    session.flush()


def creer_plutot(session: Session, item: ImportInvites, ligne: LigneImport) -> None:
    """Say that the person known already is another one: this guest will be new.

    :raises RuleViolationError: the line names nobody known.
    """
    _hold(session, item, "apercu")
    if ligne.etat != "valide" or ligne.choix != "rattacher":
        raise RuleViolationError("Cette ligne sera déjà un nouvel invité.")
    ligne.choix, ligne.personne_id = "creer", None
    session.flush()


def appliquer(session: Session, item: ImportInvites, *, tout: bool, acteur: Actor) -> Tache:
    """Ask for the guests to be created: all, or none while a line is wrong; or the good lines only.

    :raises RuleViolationError: a line is wrong and all were asked for, or no line is good.
    """
    _hold(session, item, "apercu")
    counted = reads.counts(session, item.id)
    if not counted.valide:
        raise RuleViolationError("Aucune ligne ne peut être appliquée. Corrigez-en au moins une.")
    if tout and counted.erreur:
        lines = (
            "1 ligne est à corriger" if counted.erreur == 1 else f"{counted.erreur} lignes sont à corriger"
        )
        raise RuleViolationError(f"{lines} : corrigez, écartez, ou appliquez les bonnes lignes seulement.")
    check_last_day(item.dernier_jour)
    item.etat = "application"
    libelle = f"Import de {counted.valide} invités" if counted.valide > 1 else "Import d’un invité"
    return _launch(session, item, APPLIQUER, libelle, acteur)


def annuler(session: Session, item: ImportInvites, *, acteur: Actor) -> Tache:
    """Ask for the guests of a file to be taken out again.

    :raises RuleViolationError: one of them has activated their account.
    """
    _hold(session, item, "applique")
    active = reads.activated(session, item.id)
    if active:
        who = "1 invité a activé son compte" if active == 1 else f"{active} invités ont activé leur compte"
        raise RuleViolationError(f"{who} : cet import ne s’annule plus. Détachez les autres un par un.")
    item.etat = "annulation"
    return _launch(session, item, ANNULER, f"Annulation de l’import de {item.fichier}", acteur)


def abandonner(session: Session, item: ImportInvites, *, acteur: Actor) -> None:
    """Drop a file nothing was made of, with its lines.

    :raises ConflictError: it is being read or applied, or was.
    """
    if item.etat != "refuse":
        _hold(session, item, "apercu")
    record(session, item, "invites.abandonner", acteur, etablissement_id=item.etablissement_id)
    session.delete(item)
    session.flush()


def _check_columns(colonnes: Sequence[str]) -> None:
    named = [name for name in colonnes if name]
    missing = [CHAMPS[name] for name in OBLIGATOIRES if name not in named]
    if missing:
        raise RuleViolationError(f"Dites quelle colonne est : {', '.join(missing)}.", field="colonnes")
    twice = [CHAMPS[name] for name in dict.fromkeys(named) if named.count(name) > 1]
    if twice:
        raise RuleViolationError(f"Deux colonnes ne peuvent pas être : {', '.join(twice)}.", field="colonnes")


def _hold(session: Session, item: ImportInvites, etat: str) -> None:
    """Take the import for this act, in the state it must be in.

    :raises ConflictError: somebody launched something on it meanwhile.
    """
    lock(session, f"invites:{item.id}")
    session.refresh(item)
    task = session.scalars(
        select(Tache).where(Tache.id == (item.tache_id or 0)).execution_options(hors_perimetre=True)
    ).first()
    if item.etat != etat or (task is not None and task.etat not in FINAL):
        raise ConflictError(BUSY if task is not None and task.etat not in FINAL else _state(item.etat))


def _state(etat: str) -> str:
    return {
        "lecture": "Ce fichier n’a pas pu être lu. Déposez-le de nouveau.",
        "apercu": "Ce fichier n’est pas encore appliqué.",
        "application": "Ce fichier est en partie appliqué. Reprenez son application.",
        "applique": "Ce fichier est déjà appliqué. Rien d’autre n’a été écrit.",
        "annulation": "Cet import est en cours d’annulation.",
        "annule": "Cet import est annulé. Déposez de nouveau le fichier pour recommencer.",
        "refuse": "Ce fichier est refusé. Corrigez-le, puis déposez-le de nouveau.",
    }[etat]


def _launch(
    session: Session, item: ImportInvites, type_: str, libelle: str, acteur: Actor, **more: Any
) -> Tache:
    task = taches.request(
        session,
        type_,
        libelle=libelle,
        parametres={
            "import_id": item.id, "acteur": acteur.nom, "acteur_id": acteur.compte_id, **more,
        },
        compte_id=acteur.compte_id,
        etablissement_id=item.etablissement_id,
    )  # fmt: skip
    item.tache_id = task.id
    session.flush()
    return task
