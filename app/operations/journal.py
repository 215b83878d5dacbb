"""The journal: every act, in its own transaction, chained per school so that tampering shows (X1).

Appending to a chain is serialised until the end of the transaction: the write lock of SQLite, an
advisory lock of the chain on PostgreSQL. Keep transactions that write in several chains short.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from app.database import bulk_insert, instant, rows_of
from app.extensions import now
from app.models import Journal

PLATEFORME = 0
CAVIARDER = "journal.caviarder"
NOBODY = "Personne anonymisée"
"""The act that accounts for lines whose names were removed, and what stands in place of a name."""
LOCK_SPACE = 0x50524A4C  # first half of the advisory lock: the journal, the second is the chain
TABLE: Table = Journal.metadata.tables[Journal.__tablename__]
SIGNED = [column.name for column in TABLE.columns if column.name not in {"id", "empreinte"}]
SECRET = re.compile(
    r"mot_?de_?passe|password|passwd|secret|jeton|token|\bmdp\b|totp|cle_(api|privee|codes|licence)"
    r"|code_(activation|secours|usage_unique)|empreinte_mot",
    re.IGNORECASE,
)


def write(
    session: Session,
    *,
    acte: str,
    acteur: str = "Système",
    compte_id: int | None = None,
    objet_type: str = "",
    objet_id: int | None = None,
    objet: str = "",
    etablissement_id: int | None = None,
    avant: Mapping[str, Any] | None = None,
    apres: Mapping[str, Any] | None = None,
) -> Journal:
    """Append one line to the chain of the school, or of the platform when there is no school.

    :raises ValueError: when a key of ``avant`` or ``apres`` names a secret; that is a bug.
    """
    chaine = etablissement_id or PLATEFORME
    numero, precedente = _head(session, chaine)
    line = Journal(
        chaine=chaine,
        numero=numero + 1,
        etablissement_id=etablissement_id,
        instant=now(),
        acteur=_clean(acteur, 160),
        compte_id=compte_id,
        acte=_clean(acte, 60),
        objet_type=_clean(objet_type, 40),
        objet_id=objet_id,
        objet=_clean(objet, 240),
        avant=_plain(avant),
        apres=_plain(apres),
        precedente=precedente,
    )
    line.empreinte = digest({name: getattr(line, name) for name in SIGNED})
    session.add(line)
    session.flush()
    return line


@dataclass(frozen=True, slots=True)
class Ligne:
    """What one line of a set says: on whom, in which school, before and after.

    ``acte`` and ``objet_type`` when they are not those of the whole set.
    """

    objet_id: int | None
    objet: str
    etablissement_id: int | None = None
    avant: Mapping[str, Any] | None = None
    apres: Mapping[str, Any] | None = None
    acte: str = ""
    objet_type: str = ""


def write_many(
    session: Session,
    *,
    acte: str,
    lignes: Iterable[Ligne],
    acteur: str = "Système",
    compte_id: int | None = None,
    objet_type: str = "",
) -> int:
    """Append one line for each object of one act, in bulk; each chain stays as ``write`` would leave it.

    Chains are taken in one order by everybody who writes several at once. Returns how many were written.

    :raises ValueError: when a key names a secret; that is a bug.
    """
    chains: dict[int, list[Ligne]] = {}
    for ligne in lignes:
        chains.setdefault(ligne.etablissement_id or PLATEFORME, []).append(ligne)
    moment = now()
    same = {"instant": moment, "acteur": _clean(acteur, 160), "compte_id": compte_id}
    stored = {**same, "instant": instant(session, moment)}
    columns, rows = [*SIGNED, "empreinte"], []
    for chaine, (numero, last) in _heads(session, sorted(chains)).items():
        precedente = last
        for rank, ligne in enumerate(chains[chaine], start=1):
            own: dict[str, Any] = {
                "chaine": chaine,
                "numero": numero + rank,
                "etablissement_id": ligne.etablissement_id,
                "acte": _clean(ligne.acte or acte, 60),
                "objet_type": _clean(ligne.objet_type or objet_type, 40),
                "objet_id": ligne.objet_id,
                "objet": _clean(ligne.objet, 240),
                "avant": _plain(ligne.avant),
                "apres": _plain(ligne.apres),
                "precedente": precedente,
            }
            precedente = own["empreinte"] = digest({**same, **own})
            kept = {**stored, **own, "avant": _stored(own["avant"]), "apres": _stored(own["apres"])}
            rows.append([kept[name] for name in columns])
    if rows:
        bulk_insert(session, TABLE, columns, rows)
    return len(rows)


def _heads(session: Session, chaines: list[int]) -> dict[int, tuple[int, str]]:
    """Lock chains, in the order given, and return the last number and digest of each: two statements."""
    session.flush()
    if not chaines:
        return {}
    if session.get_bind().dialect.name == "postgresql":
        rows_of(
            session,
            "SELECT pg_advisory_xact_lock(CAST(:space AS int), CAST(value AS int)) FROM LIST :chaines",
            space=LOCK_SPACE,
            chaines=chaines,
        )
    found = rows_of(
        session,
        "SELECT j.chaine, j.numero, j.empreinte FROM LIST :chaines JOIN journal j ON j.chaine = value"
        " AND j.numero = (SELECT MAX(k.numero) FROM journal k WHERE k.chaine = value)",
        chaines=chaines,
    )
    heads = {row.chaine: (row.numero, row.empreinte) for row in found}
    return {chaine: heads.get(chaine, (0, "")) for chaine in chaines}


def _stored(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def verify(session: Session, chaine: int) -> int | None:
    """Return the number of the first line that was changed, removed or inserted; ``None`` if sound.

    A line whose names were removed (``journal_caviarde``) is sound when a later line of the chain,
    itself intact, states the digest of what is left of it.
    """
    expected, precedente = 1, ""
    redacted: dict[int, str] = {}
    statement = select(TABLE).where(TABLE.c.chaine == chaine).order_by(TABLE.c.numero)
    with session.connection().execute(statement, execution_options={"yield_per": 1000}) as rows:
        for line in rows.mappings():
            row = dict(line)
            if row["numero"] != expected or row["precedente"] != precedente:
                return min([expected, *redacted])
            actual = digest(row)
            if actual == row["empreinte"]:
                _settle(redacted, row)
            elif any(NOBODY in str(row[name]) for name in ("objet", "acteur", "avant", "apres")):
                redacted[expected] = actual
            else:
                return min([expected, *redacted])
            expected, precedente = expected + 1, row["empreinte"]
    return min(redacted, default=None)


def _settle(redacted: dict[int, str], row: Mapping[str, Any]) -> None:
    """Take off the redacted lines that an intact one accounts for."""
    if row["acte"] != CAVIARDER:
        return
    for numero, left in ((row["apres"] or {}).get("lignes") or {}).items():
        if redacted.get(int(numero)) == left:
            del redacted[int(numero)]


def digest(line: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a line, over canonical JSON of everything it says."""
    content = {name: line[name] for name in SIGNED}
    content["instant"] = content["instant"].astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _head(session: Session, chaine: int) -> tuple[int, str]:
    """Lock the chain and return its last number and digest, (0, "") when it is empty."""
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:space, :chaine)"), {"space": LOCK_SPACE, "chaine": chaine}
        )
    head = connection.execute(
        select(TABLE.c.numero, TABLE.c.empreinte)
        .where(TABLE.c.chaine == chaine)
        .order_by(TABLE.c.numero.desc())
        .limit(1)
    ).first()
    return (head.numero, head.empreinte) if head else (0, "")


def _clean(value: str, length: int) -> str:
    """Keep what both engines store: no NUL, no lone surrogate, at most ``length`` characters."""
    return value.encode("utf-8", "replace").decode().replace("\0", "")[:length]


def _plain(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the mapping as the plain JSON it is read back as, after refusing secrets."""
    return None if value is None else {_key(key): _json(item) for key, item in value.items()}


def _key(key: object) -> str:
    name = str(key)
    if SECRET.search(name):
        raise ValueError(f"« {name} » ressemble à un secret : le journal n’en reçoit pas.")
    return _clean(name, 240)


def _json(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return _json(value.value)
        case str():
            return _clean(value, 4000)
        case float() | Decimal():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Mapping():
            return _plain(value)
        case list() | tuple() | set() | frozenset():
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return [_json(item) for item in items]
        case _:
            return _clean(str(value), 4000)
