"""Second factor: a code of six digits from a telephone, or a recovery code, once each (A5, L8).

The secret is sealed with the key outside the database; recovery codes are kept as keyed digests. A code
serves once: the counter it belongs to must be above the last one used, in one conditional UPDATE.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pyotp
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import CodeSecours, Compte, SecondFacteur
from app.operations import coffre, comptes
from app.operations.codes import ALPHABET
from app.operations.deployment import Deployment
from app.operations.messages import in_words, send
from app.operations.saisies import Actor
from app.operations.sessions import MotifFin, end_all
from app.operations.titulaires import Titulaire

USE = "second-facteur"
USE_SECOURS = "code-de-secours"
SECONDES = 30
VOISINS = 1
"""How many periods a telephone's clock may be early or late."""
CODES = 10
LONGUEUR = 10
FAUX = "Ce code n’est pas le bon. Attendez que l’application en affiche un nouveau, puis tapez-le."
EXEMPT = {"synchronize_session": False, "hors_perimetre": True}


@dataclass(frozen=True)
class Etat:
    """What an account has: since when, and how many recovery codes are left."""

    facteur: SecondFacteur | None
    codes: int

    @property
    def pose(self) -> bool:
        """Whether a second factor is asked when signing in."""
        return self.facteur is not None and self.facteur.confirme_le is not None


def etat_of(session: Session, compte_id: int) -> Etat:
    """Return the second factor of an account."""
    row = session.get(SecondFacteur, compte_id, execution_options={"hors_perimetre": True})
    left = (
        select(func.count())
        .select_from(CodeSecours)
        .where(CodeSecours.compte_id == compte_id, CodeSecours.servi_le.is_(None))
        .execution_options(hors_perimetre=True)
    )
    return Etat(row, session.execute(left).scalar_one())


def preparer(session: Session, compte: Compte, deployment: Deployment) -> SecondFacteur:
    """Draw a secret, not asked for until it is confirmed; one drawn before may have been read by another.

    :raises RuleViolationError: there is a second factor already.
    """
    row = etat_of(session, compte.id).facteur
    if row is not None and row.confirme_le is not None:
        raise RuleViolationError("Votre second facteur est déjà installé.")
    if row is None:
        row = SecondFacteur(compte_id=compte.id)
        session.add(row)
    row.secret = coffre.seal(deployment.cle, USE, pyotp.random_base32(32))
    session.flush()
    return row


def secret_of(row: SecondFacteur, deployment: Deployment) -> str:
    """Return the secret an application is given, once, at the installation."""
    return coffre.unseal(deployment.cle, USE, row.secret)


def address_of(row: SecondFacteur, compte: Compte, deployment: Deployment) -> str:
    """Return what the QR code holds."""
    issuer = f"Préau {deployment.nom}".strip()
    totp = pyotp.TOTP(secret_of(row, deployment))
    return totp.provisioning_uri(name=str(compte.username), issuer_name=issuer)


def confirmer(
    session: Session, compte: Compte, typed: str, deployment: Deployment, *, sauf_jeton: str | None = None
) -> list[str]:
    """Install the second factor with the first code it gives; return the recovery codes, shown once.

    Every other session ends: it was opened with the password alone.

    :raises RuleViolationError: a wrong code, or nothing to confirm.
    """
    row = etat_of(session, compte.id).facteur
    if row is None or row.confirme_le is not None:
        raise RuleViolationError("L’installation a été interrompue. Recommencez-la.")
    if not _spend_counter(session, row, typed, deployment):
        raise RuleViolationError(FAUX, field="code")
    row.confirme_le = now()
    codes = _draw_codes(session, compte, deployment)
    end_all(session, compte.id, MotifFin.SECOND_FACTEUR, sauf_jeton=sauf_jeton)
    comptes.record(session, "compte.poser_second_facteur", compte, Actor(str(compte), compte.id))
    _tell(session, compte, "installe", deployment)
    return codes


def verifier(session: Session, compte: Compte, typed: str, deployment: Deployment) -> str | None:
    """Spend a code: return ``application`` or ``secours`` after what it was, None when it is wrong."""
    text = "".join(typed.split()).replace("-", "").lower()[:40]
    row = etat_of(session, compte.id).facteur
    if row is None or row.confirme_le is None:
        return None
    if text.isdigit() and _spend_counter(session, row, text, deployment):
        return "application"
    spent = session.execute(
        update(CodeSecours)
        .where(
            CodeSecours.compte_id == compte.id,
            CodeSecours.empreinte == _digest(compte.id, text, deployment),
            CodeSecours.servi_le.is_(None),
        )
        .values(servi_le=now())
        .execution_options(**EXEMPT)
    )
    if not isinstance(spent, CursorResult) or not spent.rowcount:
        return None
    comptes.record(session, "compte.employer_secours", compte, Actor(str(compte), compte.id))
    _tell(session, compte, "secours", deployment)
    return "secours"


def renouveler_codes(session: Session, compte: Compte, typed: str, deployment: Deployment) -> list[str]:
    """Draw ten other recovery codes; the old ones are dead.

    :raises RuleViolationError: the code of the application is wrong.
    """
    _prove(session, compte, typed, deployment)
    codes = _draw_codes(session, compte, deployment)
    comptes.record(session, "compte.renouveler_secours", compte, Actor(str(compte), compte.id))
    return codes


def retirer(
    session: Session, compte: Compte, typed: str, deployment: Deployment, *, obligatoire: bool
) -> None:
    """Take one's own second factor away.

    :raises RuleViolationError: a role asks for it, or the code is wrong.
    """
    if obligatoire:
        raise RuleViolationError("Votre rôle demande un second facteur : il ne se retire pas.")
    _prove(session, compte, typed, deployment)
    _forget(session, compte)
    comptes.record(session, "compte.retirer_second_facteur", compte, Actor(str(compte), compte.id))
    _tell(session, compte, "retire", deployment)


def reinitialiser(session: Session, compte: Compte, acteur: Actor, deployment: Deployment) -> None:
    """Take away the second factor of somebody who lost their telephone and their recovery codes.

    Their sessions end; they are told; whoever must have one installs another at the next login.

    :raises RuleViolationError: oneself, or there is none.
    """
    if acteur.compte_id == compte.id:
        raise RuleViolationError("Ce compte est le vôtre : passez par « Mon espace ».")
    if not etat_of(session, compte.id).pose:
        raise RuleViolationError(f"{compte} n’a pas de second facteur.")
    _forget(session, compte)
    end_all(session, compte.id, MotifFin.SECOND_FACTEUR)
    comptes.record(session, "compte.reinitialiser_second_facteur", compte, acteur)
    _tell(session, compte, "reinitialise", deployment)


def are_codes_of(session: Session, compte: Compte, codes: Iterable[str], deployment: Deployment) -> bool:
    """Tell whether these are this account's own recovery codes, unused: they may be written in a file."""
    mine = set(
        session.scalars(
            select(CodeSecours.empreinte).where(
                CodeSecours.compte_id == compte.id, CodeSecours.servi_le.is_(None)
            )
        )
    )
    given = {_digest(compte.id, code.replace("-", ""), deployment) for code in codes}
    return bool(given) and given <= mine


def _prove(session: Session, compte: Compte, typed: str, deployment: Deployment) -> None:
    if verifier(session, compte, typed, deployment) is None:
        raise RuleViolationError(FAUX, field="code")


def _spend_counter(session: Session, row: SecondFacteur, typed: str, deployment: Deployment) -> bool:
    """Find which period the code belongs to and use it up: an older or equal one is a replay."""
    text = "".join(typed.split())
    hotp = pyotp.HOTP(secret_of(row, deployment))
    current = int(time.time()) // SECONDES
    for counter in range(current - VOISINS, current + VOISINS + 1):
        if hmac.compare_digest(hotp.at(counter).encode(), text.encode("utf-8", "replace")):
            done = session.execute(
                update(SecondFacteur)
                .where(SecondFacteur.compte_id == row.compte_id, SecondFacteur.compteur < counter)
                .values(compteur=counter)
                .execution_options(**EXEMPT)
            )
            return isinstance(done, CursorResult) and done.rowcount > 0
    return False


def _draw_codes(session: Session, compte: Compte, deployment: Deployment) -> list[str]:
    session.execute(delete(CodeSecours).where(CodeSecours.compte_id == compte.id).execution_options(**EXEMPT))
    drawn = ["".join(secrets.choice(ALPHABET) for _sign in range(LONGUEUR)) for _rank in range(CODES)]
    session.add_all(
        [CodeSecours(compte_id=compte.id, empreinte=_digest(compte.id, code, deployment)) for code in drawn]
    )
    session.flush()
    return [f"{code[: LONGUEUR // 2]}-{code[LONGUEUR // 2 :]}" for code in drawn]


def _digest(compte_id: int, code: str, deployment: Deployment) -> str:
    return coffre.keyed_digest(deployment.cle, USE_SECOURS, f"{compte_id}:{code}")


def _forget(session: Session, compte: Compte) -> None:
    for entity in (CodeSecours, SecondFacteur):
        session.execute(delete(entity).where(entity.compte_id == compte.id).execution_options(**EXEMPT))


def _tell(session: Session, compte: Compte, what: str, deployment: Deployment) -> None:
    """Tell the holder by mail: who did not do it themselves learns of it."""
    who = Titulaire(compte.personne, compte)
    if who.address:
        send(
            session,
            "courriels/second_facteur.html",
            who.address,
            deployment,
            qui=who.call_name,
            quand=in_words(now()),
            fait=what,
        )
