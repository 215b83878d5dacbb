"""Open sessions of accounts: opened at login, ended for one of the reasons a person may read."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session, joinedload

from app.extensions import now
from app.models import Compte, SessionCompte

INACTIVITE = timedelta(hours=2)
RAFRAICHISSEMENT = timedelta(minutes=5)
ATTENTE = timedelta(minutes=15)
"""How long a password may wait for its second factor."""
CODE, INSTALLATION = "code", "installation"


class MotifFin(StrEnum):
    """Why a session ended."""

    DECONNEXION = "deconnexion"
    MOT_DE_PASSE = "mot_de_passe"
    SUSPENSION = "suspension"
    SUPPRESSION = "suppression"
    DROITS = "droits"
    SECOND_FACTEUR = "second_facteur"
    ESSAIS = "essais"
    TITULAIRE = "titulaire"


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def open_session(
    session: Session, compte: Compte, *, adresse: str = "", navigateur: str = "", etape: str | None = None
) -> str:
    """Open a session and return the token its cookie will carry; it is stored nowhere.

    ``etape`` names what is left to do before it opens anything.
    """
    token = secrets.token_urlsafe(32)
    session.add(
        SessionCompte(
            jeton=digest(token),
            compte_id=compte.id,
            adresse=adresse[:45],
            navigateur=navigateur.encode("utf-8", "replace").decode().replace("\0", "")[:200],
            etape=etape,
        )
    )
    session.flush()
    return token


_OPEN = (
    select(SessionCompte)
    .where(
        SessionCompte.jeton == bindparam("empreinte"),
        SessionCompte.fin.is_(None),
        SessionCompte.debut > bindparam("debut_apres"),
        SessionCompte.vue_le > bindparam("vue_apres"),
    )
    .options(
        joinedload(SessionCompte.compte).options(
            joinedload(Compte.attributions), joinedload(Compte.personne), joinedload(Compte.preferences)
        )
    )
)


def find_open(session: Session, token: str, *, heures: int) -> SessionCompte | None:
    """Return the open session of a token with its account, roles and choices of look, in one statement."""
    instant = now()
    limits = {"debut_apres": instant - timedelta(hours=heures), "vue_apres": instant - INACTIVITE}
    row = session.scalars(_OPEN, {"empreinte": digest(token), **limits}).unique().one_or_none()
    if row is None or not may_connect(row.compte):
        return None
    return None if row.etape and row.debut < instant - ATTENTE else row


def may_connect(compte: Compte) -> bool:
    """Tell whether the account is usable: active, neither suspended nor deleted, its holder not gone."""
    usable = bool(compte.active) and compte.suspendu_le is None and compte.supprime_le is None
    return usable and not parti(compte)


def parti(compte: Compte) -> bool:
    """Tell whether the holder left every school (D5); a role wider than a school keeps them in."""
    if compte.personne is None or compte.personne.supprime_le is None:
        return False
    moment = now()
    return not any(
        (row.academie_id or row.collectivite_id or row.role == "assistant_n2")
        and (row.jusqua is None or row.jusqua > moment)
        for row in compte.attributions
    )


def touch(session: Session, session_id: int, vue_le: datetime) -> None:
    """Note that the session was seen, unless somebody just did."""
    session.execute(
        update(SessionCompte)
        .where(SessionCompte.id == session_id, SessionCompte.vue_le == vue_le)
        .values(vue_le=now())
    )


def end(session: Session, token: str, motif: MotifFin = MotifFin.DECONNEXION) -> bool:
    """End the session of a token; tell whether it was open."""
    done = session.execute(
        update(SessionCompte)
        .where(SessionCompte.jeton == digest(token), SessionCompte.fin.is_(None))
        .values(fin=now(), motif_fin=str(motif))
    )
    return isinstance(done, CursorResult) and done.rowcount > 0


def complete(session: Session, session_id: int) -> str | None:
    """Open for good a session that waited for its second factor; return its new token (L5), once."""
    token = secrets.token_urlsafe(32)
    done = session.execute(
        update(SessionCompte)
        .where(SessionCompte.id == session_id, SessionCompte.etape.is_not(None), SessionCompte.fin.is_(None))
        .values(jeton=digest(token), etape=None, debut=now(), vue_le=now())
    )
    return token if isinstance(done, CursorResult) and done.rowcount > 0 else None


def end_waiting(session: Session, compte_id: int) -> None:
    """End the sessions of an account that wait to install its second factor."""
    session.execute(
        update(SessionCompte)
        .where(
            SessionCompte.compte_id == compte_id,
            SessionCompte.etape == INSTALLATION,
            SessionCompte.fin.is_(None),
        )
        .values(fin=now(), motif_fin=str(MotifFin.SECOND_FACTEUR))
    )


def open_of(session: Session, compte_id: int, *, heures: int) -> Sequence[SessionCompte]:
    """Return the sessions of an account that still open something, the latest seen first."""
    instant = now()
    return session.scalars(
        select(SessionCompte)
        .where(
            SessionCompte.compte_id == compte_id,
            SessionCompte.fin.is_(None),
            SessionCompte.etape.is_(None),
            SessionCompte.debut > instant - timedelta(hours=heures),
            SessionCompte.vue_le > instant - INACTIVITE,
        )
        .order_by(SessionCompte.vue_le.desc(), SessionCompte.id.desc())
    ).all()


def end_one(session: Session, compte_id: int, session_id: int) -> bool:
    """End one session of an account, chosen by its holder; tell whether it was open."""
    done = session.execute(
        update(SessionCompte)
        .where(
            SessionCompte.id == session_id, SessionCompte.compte_id == compte_id, SessionCompte.fin.is_(None)
        )
        .values(fin=now(), motif_fin=str(MotifFin.TITULAIRE))
    )
    return isinstance(done, CursorResult) and done.rowcount > 0


def end_all(session: Session, compte_id: int, motif: MotifFin, *, sauf_jeton: str | None = None) -> None:
    """End every session of an account, except the one whose token is given.

    Whoever withdraws a right may not read the sessions of its holder, and must close them all the same.
    """
    statement = update(SessionCompte).where(SessionCompte.compte_id == compte_id, SessionCompte.fin.is_(None))
    if sauf_jeton is not None:
        statement = statement.where(SessionCompte.jeton != digest(sauf_jeton))
    session.execute(statement.values(fin=now(), motif_fin=str(motif)).execution_options(hors_perimetre=True))
