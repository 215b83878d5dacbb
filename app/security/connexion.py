"""Logging in: one path, the same work whatever is wrong (L1, L3, A3, A4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app, request
from sqlalchemy.orm import Session

from app.errors import UserError
from app.models import Compte
from app.operations import connexions, journal, seconds_facteurs, sessions
from app.operations.comptes import suspended_text
from app.operations.connexions import Frein
from app.operations.deployment import Deployment
from app.security import throttle
from app.security.acteur import second_factor_required
from app.security.passwords import hash_password, needs_rehash, verify_password
from app.security.sessions import remember
from app.security.transactions import own_reading, own_transaction

REFUS = "Identifiant ou mot de passe incorrect. Vérifiez les deux, majuscules comprises."
REFUS_GUICHET = (
    "Le guichet académique vous a reconnu, mais aucun compte de la console ne porte ce nom. "
    "Adressez-vous à l’administrateur local de votre établissement."
)
ANNUAIRE_MUET = (
    "L’annuaire qui vérifie les mots de passe ne répond pas. Réessayez dans quelques minutes\u00a0; "
    "si cela dure, prévenez l’assistance de votre académie."
)
ADMIN_LOGIN = re.compile(r"^admin\.(?P<login>[^\s@]+\.[^\s@]+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Issue:
    """How an attempt ended: the account, or the sentence and the code to answer with.

    ``etape`` is what the account must still do before anything opens: its second factor.
    """

    compte: Compte | None = None
    phrase: str = ""
    code: int = 200
    attente: timedelta = timedelta(0)
    etape: str | None = None


def admin_login(login: str) -> str | None:
    """Return the console login behind an ``admin.prenom.nom`` one, which only opens the ENT (A3)."""
    found = ADMIN_LOGIN.match(login.strip()[:320])
    return found["login"].lower() if found else None


class PreuveAbsenteError(Exception):
    """The one who could vouch for a password cannot be asked now."""


def sign_in(login: str, password: str, proof: Callable[[str, str], bool] | None = None) -> Issue:
    """Check a login and a password, ours or those ``proof`` vouches for, and open a session."""
    freins = throttle.freins(login)
    with own_transaction() as own:
        wait = connexions.attempt(own, freins)
    if wait > timedelta(0):
        text = connexions.wait_text(wait)
        return Issue(
            phrase=f"Trop d’essais avec cet identifiant ou depuis ce réseau. Réessayez dans {text}.",
            code=429,
            attente=wait,
        )
    with own_reading() as own:
        compte = connexions.find_account(own, login)
    ours = verify_password(compte.password if compte is not None else None, password)
    try:
        right = ours or (proof is not None and proof(login, password))
    except PreuveAbsenteError:
        with own_transaction() as own:  # nobody was wrong: the attempt is given back
            connexions.succeed(own, effacer=[], rendre=[frein.cle for frein in freins])
        return Issue(phrase=ANNUAIRE_MUET, code=503)
    if compte is None or not right or not (compte.active or compte.suspendu_le):
        _journal_failure(login if compte is not None else "", compte)
        return Issue(phrase=REFUS)
    return accept(compte, [frein.cle for frein in freins], password if ours else None)


def accept(compte: Compte, cles: list[str], password: str | None = None) -> Issue:
    """Open a session for a proven account, unless it is suspended; the proof gives back its attempt.

    ``password`` is given only when it is the one kept here: a directory's is never stored.
    """
    addresses = [cle for cle in cles if cle.startswith("adresse:")]
    others = [cle for cle in cles if cle not in addresses]
    if compte.suspendu_le is not None:
        with own_transaction() as own:
            connexions.succeed(own, effacer=others, rendre=addresses)
        return Issue(phrase=suspended_text(compte.motif_suspension))
    digest = hash_password(password) if password and needs_rehash(compte.password or "") else None
    with own_transaction() as own:
        connexions.succeed(own, effacer=others, rendre=addresses)
        compte = own.merge(compte, load=True)
        if digest is not None:
            compte.password = digest
        etape = _step_of(own, compte)
        token = sessions.open_session(
            own,
            compte,
            adresse=request.remote_addr or "",
            navigateur=request.user_agent.string,
            etape=etape,
        )
        if etape is None:
            note_opened(own, compte)
    remember(token)
    return Issue(compte=compte, etape=etape)


def note_opened(session: Session, compte: Compte) -> None:
    """Write that a session of the account is open for good."""
    connexions.note_login(session, compte.id)
    journal.write(
        session,
        acte="connexion.ouvrir",
        acteur=str(compte),
        compte_id=compte.id,
        objet_type="compte",
        objet_id=compte.id,
        objet=str(compte.username),
    )


def _step_of(session: Session, compte: Compte) -> str | None:
    """Return what is left to do after the right password, drawing a secret when one must be installed."""
    settings = current_app.extensions["reglages"]
    if seconds_facteurs.etat_of(session, compte.id).pose:
        return sessions.CODE
    if not second_factor_required(compte) or settings.second_factor_may_wait():
        return None
    seconds_facteurs.preparer(session, compte, Deployment.of(settings))
    sessions.end_waiting(session, compte.id)  # its page would show the secret just drawn
    return sessions.INSTALLATION


def check_own_password(compte: Compte, password: str) -> None:
    """Make sure the one who is signed in knows the password; slowed down like a login.

    :raises UserError: on the field ``actuel``.
    """
    frein = Frein(f"actuel:{compte.id}", libres=5, plafond=timedelta(minutes=5), oubli=timedelta(hours=1))
    with own_transaction() as own:
        wait = connexions.attempt(own, [frein])
    if wait > timedelta(0):
        text = connexions.wait_text(wait)
        raise UserError(f"Trop d’essais. Réessayez dans {text}.", field="actuel")
    if not verify_password(compte.password, password):
        raise UserError("Ce n’est pas votre mot de passe actuel.", field="actuel")
    with own_transaction() as own:
        connexions.succeed(own, effacer=[frein.cle], rendre=[])


def _journal_failure(login: str, compte: Compte | None) -> None:
    """Write the failure; what was typed is kept only when it is a login, never a password slipped there."""
    with own_transaction() as own:
        journal.write(
            own,
            acte="connexion.refuser",
            acteur=login.strip().lower() or "identifiant inconnu",
            objet_type="compte",
            objet_id=compte.id if compte is not None else None,
            objet=throttle.address_prefix(request.remote_addr),
        )
