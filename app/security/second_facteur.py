"""The second step of signing in: a code of the application, or a recovery code (A5, L8).

Five wrong codes end the waiting session: the password is asked again. The delay between tries grows for
the account whoever tries, up to a minute: a stranger who holds the password does not lock its owner out.
"""

from __future__ import annotations

from datetime import timedelta

from flask import request
from sqlalchemy.orm import Session

from app.errors import UserError
from app.models import Compte, SessionCompte
from app.operations import connexions, journal, seconds_facteurs, sessions
from app.operations.connexions import Frein
from app.operations.deployment import Deployment
from app.security import throttle
from app.security.connexion import Issue, note_opened
from app.security.sessions import current_token, remember
from app.security.transactions import own_transaction

MOST = 5


def prove(waiting: SessionCompte, typed: str, deployment: Deployment) -> Issue:
    """Check a code and open the session for good."""
    account = waiting.compte
    of_account = _of_account(account.id)
    of_session = Frein(
        f"second-session:{waiting.id}", libres=MOST, plafond=timedelta(hours=1), oubli=timedelta(hours=1)
    )
    with own_transaction() as own:
        wait = connexions.attempt(own, [of_account, of_session])
    if wait > timedelta(0):
        text = connexions.wait_text(wait)
        return Issue(phrase=f"Trop de codes faux. Réessayez dans {text}.", code=429, attente=wait)
    with own_transaction() as own:
        compte = own.get_one(Compte, account.id)
        if seconds_facteurs.verifier(own, compte, typed, deployment) is None:
            _refuse(own, compte)
            return Issue(phrase=seconds_facteurs.FAUX)
        connexions.succeed(own, effacer=[of_account.cle, of_session.cle], rendre=[])
        return _open(own, waiting, compte)


def count_try(compte_id: int) -> None:
    """Count a code typed in an open session before it is looked at: whoever stole the session guesses too.

    :raises UserError: too many were wrong.
    """
    with own_transaction() as own:
        wait = connexions.attempt(own, [_of_account(compte_id)])
    if wait > timedelta(0):
        text = connexions.wait_text(wait)
        raise UserError(f"Trop de codes faux. Réessayez dans {text}.", field="code")


def forget_tries(compte_id: int) -> None:
    """Forget the wrong codes: the right one came."""
    with own_transaction() as own:
        connexions.succeed(own, effacer=[_of_account(compte_id).cle], rendre=[])


def _of_account(compte_id: int) -> Frein:
    return Frein(f"second:{compte_id}", libres=MOST, plafond=timedelta(minutes=1), oubli=timedelta(hours=1))


def install(waiting: SessionCompte, typed: str, deployment: Deployment) -> tuple[Issue, list[str]]:
    """Install the second factor a role asks for, with its first code, and open the session for good.

    :raises RuleViolationError: the code is wrong.
    """
    with own_transaction() as own:
        compte = own.get_one(Compte, waiting.compte_id)
        codes = seconds_facteurs.confirmer(own, compte, typed, deployment, sauf_jeton=current_token())
        return _open(own, waiting, compte), codes


def _open(session: Session, waiting: SessionCompte, compte: Compte) -> Issue:
    token = sessions.complete(session, waiting.id)
    if token is None:
        return Issue(phrase="Votre connexion a attendu trop longtemps. Recommencez.")
    note_opened(session, compte)
    remember(token)
    return Issue(compte=compte)


def _refuse(session: Session, compte: Compte) -> None:
    journal.write(
        session,
        acte="connexion.refuser_second_facteur",
        acteur=str(compte.username),
        objet_type="compte",
        objet_id=compte.id,
        objet=throttle.address_prefix(request.remote_addr),
    )
