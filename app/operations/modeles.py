"""Models of services: recorded from a school, written by hand, copied, taken from a file, deleted (S3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import Etablissement, LigneModele, ModeleServices
from app.operations.champs_service import read_one
from app.operations.saisies import Actor, clean_text, pending_changes, record
from app.queries import cibles as aims
from app.queries.cibles import Cible
from app.queries.comparaison import now_of
from app.queries.etats_services import catalogue, fill, schools

FORMAT = "preau-modele-de-services"
VERSION = 1
MOST_LINES = 2000
STALE = "Ce modèle a été modifié entre-temps. Relisez-le, puis enregistrez de nouveau."
ABSENT = object()
"""What a line becomes when the model no longer speaks of it."""


@dataclass(frozen=True, slots=True)
class Portee:
    """Who sees a model: everybody, whoever is over a school of an académie, or its author."""

    nom: str = "compte"
    academie_id: int | None = None


def enregistrer(
    session: Session,
    ecole: Etablissement,
    *,
    nom: str,
    description: str = "",
    genres: Collection[str],
    services: Collection[str],
    portee: Portee = Portee(),
    acteur: Actor,
) -> ModeleServices:
    """Keep what a school made of some services as a model; secrets are never read.

    :raises RuleViolationError: no name, or nothing to record.
    """
    known = catalogue(session)
    wanted = [
        one
        for one in aims.targets(known)
        if one.genre in genres and one.service.code in services and not one.fixe
    ]
    found = schools(session, [Etablissement.id == ecole.id])
    fill(session, found, {one.key for one in wanted})
    here = found[ecole.id]
    lines = {
        one.cle: now_of(here, one)
        for one in wanted
        if one.service.offered(here.collectivite_id)
        and not (one.genre == "reglage" and now_of(here, one) in (None, "", []))
    }
    if not lines:
        raise RuleViolationError(
            "Il n’y a rien à enregistrer. Choisissez au moins un service et ce que le modèle en retient.",
            field="services",
        )
    return creer(session, nom=nom, description=description, lignes=lines, portee=portee, acteur=acteur)


def creer(
    session: Session,
    *,
    nom: str,
    description: str = "",
    lignes: Mapping[str, Any],
    portee: Portee,
    acteur: Actor,
) -> ModeleServices:
    """Write a model and its lines.

    :raises RuleViolationError: no name, or a text nobody can read.
    """
    row = ModeleServices(
        nom=_name(nom),
        description=_text(description),
        portee=portee.nom,
        academie_id=portee.academie_id,
        compte_id=acteur.compte_id,
        auteur=acteur.nom[:160],
        modifie_par=acteur.nom[:160],
    )
    session.add(row)
    session.flush()
    _insert(session, row, lignes)
    changes = {"nom": (None, row.nom), "lignes": (None, len(lignes))}
    record(session, row, "modele.creer", acteur, changes=changes)
    return row


def modifier(
    session: Session,
    modele: ModeleServices,
    *,
    nom: str,
    description: str,
    portee: Portee,
    version: int | None,
    acteur: Actor,
) -> None:
    """Change the name, the description and who sees a model.

    :raises RuleViolationError: no name.
    :raises ConflictError: somebody changed it since.
    """
    _check_version(modele, version)
    modele.nom, modele.description = _name(nom), _text(description)
    modele.portee, modele.academie_id = portee.nom, portee.academie_id
    changes = pending_changes(modele)
    if changes:
        _touch(session, modele, acteur)
        record(session, modele, "modele.modifier", acteur, changes=changes)


def changer_lignes(
    session: Session,
    modele: ModeleServices,
    voulu: Mapping[str, Any],
    *,
    version: int | None,
    acteur: Actor,
) -> int:
    """Set lines of a model, or remove those that become ``ABSENT``; return how many changed.

    :raises RuleViolationError: something the catalogue fixes, does not know, or refuses as a value.
    :raises ConflictError: somebody changed it since.
    """
    _check_version(modele, version)
    known = aims.by_key(catalogue(session))
    held = {one.cle: one.valeur for one in modele.lignes}
    wanted = {
        cle: value if value is ABSENT else checked(known.get(cle), value) for cle, value in voulu.items()
    }
    changed = {cle: value for cle, value in wanted.items() if held.get(cle, ABSENT) != value}
    if not changed:
        return 0
    session.execute(
        delete(LigneModele)
        .where(LigneModele.modele_id == modele.id, LigneModele.cle.in_(list(changed)))
        .execution_options(synchronize_session=False)
    )
    _insert(session, modele, {cle: value for cle, value in changed.items() if value is not ABSENT})
    session.expire(modele, ["lignes"])
    _touch(session, modele, acteur)
    names = {cle: known[cle].full if cle in known else cle for cle in changed}
    record(
        session,
        modele,
        "modele.modifier",
        acteur,
        changes={names[c]: (_told(held.get(c, ABSENT)), _told(value)) for c, value in changed.items()},
    )
    return len(changed)


def checked(cible: Cible | None, value: Any) -> Any:
    """Return a value as the catalogue takes it.

    :raises RuleViolationError: it does not, or the catalogue knows nothing of the sort.
    """
    if cible is None:
        raise RuleViolationError("Un de ces éléments n’est pas au catalogue. Rouvrez la page.")
    if cible.fixe:
        raise RuleViolationError(f"{cible.full}\u00a0: ce droit est fixé par la plate-forme.")
    if cible.genre == "reglage":
        return read_one(cible.champ or {}, value)
    if not isinstance(value, bool):
        raise RuleViolationError(f"{cible.full}\u00a0: la valeur est oui ou non.")
    return value


def dupliquer(session: Session, modele: ModeleServices, *, portee: Portee, acteur: Actor) -> ModeleServices:
    """Copy a model under a name of its own."""
    return creer(
        session,
        nom=f"{modele.nom[:70]} (copie)",
        description=modele.description,
        lignes={one.cle: one.valeur for one in modele.lignes},
        portee=portee,
        acteur=acteur,
    )


def supprimer(session: Session, modele: ModeleServices, *, acteur: Actor) -> None:
    """Delete a model; what it was put on stays as it is, and its applications can still be undone."""
    changes = {"nom": (modele.nom, None), "lignes": (len(modele.lignes), None)}
    record(session, modele, "modele.supprimer", acteur, changes=changes)
    session.delete(modele)
    session.flush()


def exporter(modele: ModeleServices) -> dict[str, Any]:
    """Return a model as a file another platform reads."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "nom": modele.nom,
        "description": modele.description,
        "lignes": {one.cle: one.valeur for one in sorted(modele.lignes, key=lambda one: one.cle)},
    }


def importer(
    session: Session, contenu: Any, *, portee: Portee, acteur: Actor
) -> tuple[ModeleServices, list[str]]:
    """Write the model of a file; return it, and the lines left out for want of a place in the catalogue.

    :raises RuleViolationError: it is not such a file, or nothing of it has a place here.
    """
    lines = contenu.get("lignes") if isinstance(contenu, dict) and contenu.get("format") == FORMAT else None
    if not isinstance(lines, dict) or contenu.get("version") != VERSION or len(lines) > MOST_LINES:
        raise RuleViolationError(
            "Ce fichier n’est pas un modèle de services exporté par Préau.", field="fichier"
        )
    known, kept, left = aims.by_key(catalogue(session)), {}, []
    for cle, value in lines.items():
        try:
            kept[cle] = checked(known.get(cle), value)
        except RuleViolationError:
            left.append(str(cle)[:180])
    if not kept:
        raise RuleViolationError(
            "Rien de ce modèle n’existe dans le catalogue de cette plate-forme.", field="fichier"
        )
    nom, description = contenu.get("nom"), contenu.get("description", "")
    if not isinstance(nom, str) or not isinstance(description, str):
        raise RuleViolationError("Ce modèle n’a pas de nom lisible.", field="fichier")
    row = creer(session, nom=nom, description=description, lignes=kept, portee=portee, acteur=acteur)
    return row, left


def _name(typed: str) -> str:
    return clean_text(typed, field="nom", longest=80, required="Donnez un nom au modèle.") or ""


def _text(typed: str) -> str:
    return clean_text(" ".join(typed.split()), field="description", longest=500) or ""


def _check_version(modele: ModeleServices, version: int | None) -> None:
    if version is not None and version != modele.version:
        raise ConflictError(STALE)


def _touch(session: Session, modele: ModeleServices, acteur: Actor) -> None:
    modele.modifie_le, modele.modifie_par = now(), acteur.nom[:160]
    session.flush()


def _insert(session: Session, modele: ModeleServices, lignes: Mapping[str, Any]) -> None:
    rows = [{"modele_id": modele.id, "cle": cle, "valeur": value} for cle, value in lignes.items()]
    if rows:
        session.execute(insert(LigneModele), rows)


def _told(value: Any) -> Any:
    return None if value is ABSENT else value
