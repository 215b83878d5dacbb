"""Keys of outside programs: made, withdrawn, recognised, counted (X5, ATTACKS A2, A6, G1).

A key is 256 random bits shown once; the base keeps its digest. It holds one role over one perimeter,
and is worth no more than what its maker may do on the day it is used.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, case, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app.errors import RuleViolationError
from app.extensions import now
from app.models import CleApi, Compte
from app.operations.saisies import Actor, record

PREFIX = "preau_"
MOST_DAYS = 730
SHOWN_PREFIX = 8
TABLE: Table = CleApi.metadata.tables[CleApi.__tablename__]


@dataclass(frozen=True)
class Portee:
    """Over what a key is held: one of the three, or the whole platform."""

    academie_id: int | None = None
    collectivite_id: int | None = None
    etablissement_id: int | None = None


def creer(
    session: Session,
    *,
    nom: str,
    role: str,
    portee: Portee,
    ecriture: bool,
    jours: int,
    compte: Compte,
    acteur: Actor,
) -> tuple[CleApi, str]:
    """Make a key and return it with the secret, which nobody can read again.

    The caller has checked that ``compte`` holds what the key will (G1).

    :raises RuleViolationError: no name, or a life out of 1 to ``MOST_DAYS`` days.
    """
    name = " ".join(nom.split())
    if not name:
        raise RuleViolationError("Dites à quoi sert cette clé. Exemple : Pronote, annuaire.", field="nom")
    if not 1 <= jours <= MOST_DAYS:
        raise RuleViolationError(f"Choisissez une durée de 1 à {MOST_DAYS} jours.", field="jours")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = CleApi(
        nom=name[:80],
        prefixe=secret[len(PREFIX) :][:SHOWN_PREFIX],
        empreinte=digest(secret),
        role=role,
        academie_id=portee.academie_id,
        collectivite_id=portee.collectivite_id,
        etablissement_id=portee.etablissement_id,
        ecriture=ecriture,
        compte_id=compte.id,
        expire_le=now() + timedelta(days=jours),
    )
    session.add(key)
    session.flush()
    changes = {"rôle": (None, role), "écriture": (None, ecriture), "expire_le": (None, key.expire_le)}
    record(session, key, "cle_api.creer", acteur, changes=changes, etablissement_id=key.etablissement_id)
    return key, secret


def revoquer(session: Session, cle: CleApi, *, acteur: Actor) -> None:
    """Withdraw a key: its next call is refused.

    :raises RuleViolationError: it was withdrawn already.
    """
    if cle.revoquee_le is not None:
        raise RuleViolationError("Cette clé est déjà révoquée.")
    cle.revoquee_le, cle.revoquee_par = now(), acteur.nom[:160]
    session.flush()
    record(session, cle, "cle_api.revoquer", acteur, etablissement_id=cle.etablissement_id)


def live_of(session: Session, compte_id: int) -> Sequence[CleApi]:
    """Return the keys an account made that still serve."""
    statement = select(CleApi).where(
        CleApi.compte_id == compte_id, CleApi.revoquee_le.is_(None), CleApi.expire_le > now()
    )
    return session.scalars(statement.order_by(CleApi.id), execution_options={"hors_perimetre": True}).all()


def revoquer_de(session: Session, compte_id: int, *, acteur: Actor) -> int:
    """Withdraw every key an account made, wherever it reaches; return how many."""
    keys = live_of(session, compte_id)
    for key in keys:
        revoquer(session, key, acteur=acteur)
    return len(keys)


def find(session: Session, secret: str) -> CleApi | None:
    """Return the live key of a secret, with its maker and the roles they hold."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    statement = (
        select(CleApi)
        .options(
            joinedload(CleApi.compte).options(selectinload(Compte.attributions), joinedload(Compte.personne))
        )
        .options(joinedload(CleApi.etablissement))
        .where(CleApi.empreinte == digest(secret), CleApi.revoquee_le.is_(None), CleApi.expire_le > now())
    )
    return session.scalars(statement).first()


def count_call(session: Session, cle_id: int, at: datetime) -> int:
    """Count one more call of the key in this minute, for every process together; return how many."""
    minute = int(at.timestamp()) // 60
    same = TABLE.c.minute == minute
    counted = (
        update(TABLE)
        .where(TABLE.c.id == cle_id)
        .values(appels=case((same, TABLE.c.appels + 1), else_=1), minute=minute, vue_le=at)
        .returning(TABLE.c.appels)
    )
    return int(session.connection().execute(counted).scalar_one())


def digest(secret: str) -> str:
    """Return what the base keeps of a secret; random enough that no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
