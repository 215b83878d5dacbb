"""Outgoing mail: queued in the act's transaction, sent afterwards by the worker, once (X2)."""

from __future__ import annotations

import unicodedata
from email.message import EmailMessage
from email.policy import SMTP
from uuid import uuid4

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.errors import RuleViolationError, UserError
from app.extensions import now
from app.models import Courriel
from app.operations.saisies import SYSTEME, Actor, record

TABLE: Table = Courriel.metadata.tables[Courriel.__tablename__]


def queue(
    session: Session,
    *,
    destinataire: str,
    objet: str,
    texte: str,
    html: str | None = None,
    cle: str | None = None,
    etablissement_id: int | None = None,
    secret: str | None = None,
) -> Courriel:
    """Write a mail to send after commit. The same ``cle`` twice gives the one mail already there.

    ``secret`` is sealed already: see ``app.operations.messages``, which writes the mails people read.

    :raises UserError: the address is not one address, or the subject holds a line break.
    """
    check_headers(destinataire, objet)
    values = {
        "destinataire": normalised(destinataire).strip(),
        "objet": normalised(objet),
        "texte": normalised(texte),
        "html": None if html is None else normalised(html),
        "cle": cle or uuid4().hex,
        "etablissement_id": etablissement_id,
        "secret": secret,
        "etat": "attente",
        "essais": 0,
        "cree_le": now(),
        "prochain_le": now(),
    }
    session.flush()
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(TABLE).values(values).on_conflict_do_nothing(index_elements=["cle"]))
    id_ = connection.execute(select(TABLE.c.id).where(TABLE.c.cle == values["cle"])).scalar_one()
    return session.get_one(Courriel, id_, execution_options={"hors_perimetre": True})


def check_headers(destinataire: str, objet: str) -> None:
    """Refuse what could forge a header or reach somebody else (CR, LF, several addresses).

    :raises UserError: with the field at fault.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["To"] = normalised(destinataire).strip()
        addresses = message["To"].addresses
    except (ValueError, IndexError):
        addresses = ()
    valid = len(addresses) == 1 and addresses[0].domain and addresses[0].username
    if not valid or len(destinataire) > 255:
        raise UserError("Cette adresse électronique n’est pas valable.", field="destinataire")
    try:
        message["Subject"] = normalised(objet)
    except ValueError as error:
        raise UserError("L’objet d’un courriel tient sur une seule ligne.", field="objet") from error
    if len(objet) > 255:
        raise UserError("L’objet d’un courriel compte 255 caractères au plus.", field="objet")


def replay(session: Session, courriel: Courriel, *, acteur: Actor = SYSTEME) -> None:
    """Put a mail that failed or was cancelled back in the queue, with fresh tries.

    :raises RuleViolationError: the mail is waiting, being sent or sent.
    """
    if courriel.etat not in {"echec", "annule"}:
        raise RuleViolationError("Seul un courriel en échec ou annulé peut être rejoué.")
    courriel.etat, courriel.essais, courriel.erreur, courriel.prochain_le = "attente", 0, None, now()
    session.flush()
    record(session, courriel, "courriel.renvoyer", acteur, etablissement_id=courriel.etablissement_id)


def cancel(session: Session, courriel: Courriel) -> None:
    """Withdraw a mail that has not left yet.

    :raises RuleViolationError: the mail is being sent or was sent.
    """
    if courriel.etat not in {"attente", "echec"}:
        raise RuleViolationError("Ce courriel est déjà parti : il ne peut plus être annulé.")
    courriel.etat = "annule"
    session.flush()


def normalised(value: str) -> str:
    """Return the text composed (NFC), without NUL nor lone surrogates, as mails keep it."""
    return unicodedata.normalize("NFC", value.encode("utf-8", "replace").decode()).replace("\0", "")
