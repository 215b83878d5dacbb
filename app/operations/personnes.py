"""Hand edits of a person's sheet: what each profile lets one type, locked against feeds (U5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import PARIS, now
from app.models import SANS_ADRESSE, Compte, Personne, VarianteNom, VerrouPersonne
from app.operations import pouvoirs
from app.operations.activation import LONGEST_NAME
from app.operations.coordonnees import clean_address, clean_internal, clean_login, clean_phone
from app.operations.invites_saisie import lire_un
from app.operations.pouvoirs import Pouvoirs
from app.operations.saisies import Actor, pending_changes, record
from app.queries.noms import name_variants, personne_key


def _identity(value: str | None, *, field: str) -> str | date | None:
    return lire_un(field, value, aujourdhui=now().astimezone(PARIS).date())


CLEANERS: dict[str, Callable[..., str | date | None]] = {
    "nom": _identity,
    "prenom": _identity,
    "date_naissance": _identity,
    "login": clean_login,
    "email": clean_address,
    "telephone_portable": clean_phone,
    "telephone_domicile": clean_phone,
    "poste_interne": clean_internal,
}
_TOUS = ("login", "email", "telephone_portable", "telephone_domicile")
CHAMPS: dict[str, tuple[str, ...]] = {
    "eleve": _TOUS,
    "enseignant": (*_TOUS, "poste_interne"),
    "personnel": (*_TOUS, "poste_interne"),
    "responsable": _TOUS,
    "invite": _TOUS,
}
"""Profile → the fields of its sheet that are typed here; the rest is the directory's (U4, U5)."""
IDENTITE = ("nom", "prenom", "date_naissance")
"""Fields the directory gives everybody but a guest typed by hand: nothing feeds theirs."""
OUVRENT = {"login", "email"}
DELICATS = {*OUVRENT, *IDENTITE}
"""Fields that hold the account in hand: an e-mail renews a password, a birth date proves who one is."""
PRIS = "Cet identifiant est déjà pris. Choisissez-en un autre."


def champs_of(personne: Personne, profil: str) -> tuple[str, ...]:
    """Return what may be typed on the sheet of somebody under a profile."""
    by_hand = profil == "invite" and personne.source == "manuel"
    return (*(IDENTITE if by_hand else ()), *CHAMPS[profil])


def clean(champ: str, value: str | None) -> str | date | None:
    """Return what was typed in a field, in the form the base keeps.

    :raises RuleViolationError: on the field, with what is wrong.
    """
    return CLEANERS[champ](value, field=champ)


def edit(
    session: Session,
    personne: Personne,
    valeurs: Mapping[str, str | None],
    *,
    profil: str,
    etablissement_id: int | None,
    detenus: Pouvoirs = pouvoirs.TOUS,
    acteur: Actor,
) -> dict[str, tuple[Any, Any]]:
    """Write what was typed on a sheet, keep feeds away from it, journal; return what changed.

    :raises RuleViolationError: a field the profile does not have, a value that is not right, or a person
        above the actor.
    """
    allowed = champs_of(personne, profil)
    for champ in valeurs:
        if champ not in allowed:
            raise RuleViolationError("Ce champ vient de l’annuaire : il ne se modifie pas ici.", field=champ)
    with session.no_autoflush:
        for champ, value in valeurs.items():
            cleaned = clean(champ, value)
            if cleaned != getattr(personne, champ):
                setattr(personne, champ, cleaned)
        changes = {name: change for name, change in pending_changes(personne).items() if name in CLEANERS}
        if not changes:
            return {}
        if DELICATS & set(changes):
            pouvoirs.verifier_tenu(session, personne.id, detenus)
        if "login" in changes:
            _check_login(session, personne)
        if {"nom", "prenom"} & set(changes):
            _rename(session, personne)
        _follow(session, personne, changes)
        _lock_fields(session, personne, changes, acteur)
    session.flush()
    record(session, personne, "personne.modifier", acteur, changes=changes, etablissement_id=etablissement_id)
    return changes


def rendre(
    session: Session, personne: Personne, champ: str, *, etablissement_id: int | None, acteur: Actor
) -> None:
    """Let the feeds fill a field again.

    :raises RuleViolationError: they already do.
    """
    removed = session.execute(
        delete(VerrouPersonne)
        .where(VerrouPersonne.personne_id == personne.id, VerrouPersonne.champ == champ)
        .execution_options(synchronize_session=False)
    )
    if not removed.rowcount:  # type: ignore[attr-defined]
        raise RuleViolationError("Ce champ suit déjà l’alimentation.")
    record(
        session,
        personne,
        "personne.deverrouiller",
        acteur,
        changes={"champ": (champ, None)},
        etablissement_id=etablissement_id,
    )


def _check_login(session: Session, personne: Personne) -> None:
    """Make sure a login is there and nobody else's, whatever its case, until the end of the transaction."""
    if personne.login is None:
        raise RuleViolationError("Un identifiant est nécessaire pour se connecter.", field="login")
    lock(session, "racine_login")
    apart = {"hors_perimetre": True}
    person = select(Personne.id).where(Personne.login == personne.login, Personne.id != personne.id)
    account = select(Compte.id).where(
        func.lower(Compte.username) == personne.login,
        or_(Compte.personne_id.is_(None), Compte.personne_id != personne.id),
    )
    for statement in (person, account):
        if session.execute(statement.limit(1), execution_options=apart).first() is not None:
            raise RuleViolationError(PRIS, field="login")


def _follow(session: Session, personne: Personne, changes: Mapping[str, Any]) -> None:
    """Give the account of the person its new login; an address it had opens it no more, the person's does."""
    compte = session.scalars(
        select(Compte).where(Compte.personne_id == personne.id), execution_options={"hors_perimetre": True}
    ).first()
    if compte is None:
        return
    if OUVRENT & set(changes):
        compte.username = personne.login
        compte.email = f"{personne.login}{SANS_ADRESSE}"
    if {"nom", "prenom"} & set(changes):
        compte.first_name = personne.prenom[:LONGEST_NAME]
        compte.last_name = personne.nom_courant[:LONGEST_NAME]


def _rename(session: Session, personne: Personne) -> None:
    """Make somebody found under their new name, and no longer under the old one."""
    personne.nom_recherche = personne_key(personne.nom_usage or personne.nom, personne.prenom)[:220]
    session.execute(
        delete(VarianteNom)
        .where(VarianteNom.personne_id == personne.id)
        .execution_options(synchronize_session=False)
    )
    keys = name_variants(personne.nom, personne.nom_usage, personne.prenom)
    session.add_all(VarianteNom(personne_id=personne.id, cle=key) for key in keys)


def _lock_fields(session: Session, personne: Personne, changes: Mapping[str, Any], acteur: Actor) -> None:
    """Keep feeds away from what was typed; nobody feeds a login, nor somebody typed by hand."""
    if personne.source == "manuel":
        return
    already = set(
        session.scalars(select(VerrouPersonne.champ).where(VerrouPersonne.personne_id == personne.id))
    )
    for champ in sorted(set(changes) - already - {"login", "poste_interne"}):
        session.add(VerrouPersonne(personne_id=personne.id, champ=champ, le=now(), par=acteur.nom[:160]))
