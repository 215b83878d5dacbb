"""Sending the outgoing mail, once.

A mail is claimed by a conditional UPDATE, delivered, then marked as sent. The server's «250» and our
commit cannot be one act: a sender killed between the two (about a millisecond) leaves a mail in
``envoi``. When its lease lapses it leaves once more, with the same Message-ID, which mail systems
drop as a duplicate; interrupted a second time it waits for a person. A kill at any other moment
doubles nothing. In demo mode without SMTP server mails become files, written atomically, so once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import smtplib
import ssl
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol

from flask import Flask
from sqlalchemy import ColumnElement, Row, Table, and_, select, update
from sqlalchemy.orm import Session

from app.config import Reglages
from app.database import reading
from app.extensions import db, now
from app.models import Courriel
from app.operations import messages
from app.operations.coffre import CoffreFermeError

log = logging.getLogger(__name__)
TABLE: Table = Courriel.metadata.tables[Courriel.__tablename__]
LEASE = timedelta(minutes=10)
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
MAX_TRIES = len(DELAYS) + 1
TIMEOUT = 30
AUTH_CODES = frozenset({530, 534, 535, 538})  # our own login is at fault, not the mail
INTERRUPTED = "Envoi interrompu : renvoyé une fois avec le même identifiant de message."
INTERRUPTED_TWICE = "Envoi interrompu deux fois. Vérifiez auprès du destinataire avant de le rejouer."
SEALED = "La clé des codes (PREAU_CLE_CODES) a changé depuis : ce lien ne peut plus partir. Refaites l’acte."


class RefusedError(Exception):
    """The server refuses this mail for good."""


class Transport(Protocol):
    """A way out for mail."""

    def deliver(self, message: EmailMessage) -> None:
        """Hand the message over; returning means it is in other hands."""

    def close(self) -> None:
        """Let go of the connection."""


class SmtpTransport:
    """One SMTP connection, opened at the first message."""

    def __init__(self, settings: Reglages) -> None:
        self.settings = settings
        self.server: smtplib.SMTP | None = None

    def deliver(self, message: EmailMessage) -> None:
        """Send one message.

        :raises RefusedError: the server answers 5xx; trying again is useless.
        :raises OSError: the server cannot be reached or answers 4xx (smtplib's errors are OSError).
        """
        try:
            self._connected().send_message(message)
        except OSError as error:
            self._reset()
            code = _code(error)
            if code >= 500 and code not in AUTH_CODES:
                raise RefusedError(f"Le serveur de courrier refuse ce courriel (code {code}).") from error
            raise

    def close(self) -> None:
        """Say goodbye to the server."""
        if self.server is not None:
            try:
                self.server.quit()
            except OSError:
                self.server.close()
            self.server = None

    def _connected(self) -> smtplib.SMTP:
        if self.server is None:
            host, _, port = self.settings.courriel_serveur.partition(":")
            context = ssl.create_default_context()
            if self.settings.courriel_tls == "ssl":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    host, int(port or 465), timeout=TIMEOUT, context=context
                )
            else:
                server = smtplib.SMTP(host, int(port or 25), timeout=TIMEOUT)
            self.server = server  # from here on ``_reset`` closes it, whatever fails next
            if self.settings.courriel_tls == "starttls":
                server.starttls(context=context)
            if self.settings.courriel_identifiant:
                server.login(self.settings.courriel_identifiant, self.settings.courriel_mot_de_passe)
        return self.server

    def _reset(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None


class FolderTransport:
    """Mails as ``.eml`` files named by their Message-ID: writing one twice leaves one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deliver(self, message: EmailMessage) -> None:
        """Write the message."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_bytes(message.as_bytes(policy=SMTP))
        draft.replace(path)

    def close(self) -> None:
        """Nothing to let go of."""


def _code(error: OSError) -> int:
    """Return the server's answer code, 0 when there was none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def transport_of(app: Flask) -> Transport:
    """Return the way out the settings name."""
    settings: Reglages = app.extensions["reglages"]
    if settings.courriel_serveur:
        return SmtpTransport(settings)
    return FolderTransport(settings.dossier / "courriels")


def send_due(app: Flask, limit: int = 50) -> int:
    """Send the mails that are due, at most ``limit``; return how many were taken. Commits each step."""
    transport = transport_of(app)
    sender = app.config["MAIL_DEFAULT_SENDER"]
    key = app.extensions["reglages"].code_key()
    taken = 0
    with app.app_context():
        try:
            for id_ in _due_ids(db.session(), limit):
                row = _claim(db.session(), id_)
                if row is not None:
                    taken += 1
                    _record(db.session(), row, **_attempt(transport, row, sender, key))
        finally:
            transport.close()
            db.session.remove()
    return taken


def compose(row: Row[tuple[object, ...]], sender: str, key: str) -> EmailMessage:
    """Build the message. Its Message-ID comes from ``cle``: the same at every try.

    :raises CoffreFermeError: its personal link was sealed with another key.
    """
    texts = messages.reveal({"texte": row.texte, "html": row.html}, row.secret, key)
    message = EmailMessage(policy=SMTP)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "preau.invalid"
    message["Message-ID"] = f"<{hashlib.sha256(row.cle.encode()).hexdigest()[:40]}@{domain}>"
    message["Date"] = format_datetime(now())
    message["From"] = sender
    message["To"] = row.destinataire
    message["Subject"] = row.objet
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(texts["texte"])
    if texts["html"]:
        message.add_alternative(texts["html"], subtype="html")
    return message


def _due_ids(session: Session, limit: int) -> list[int]:
    with reading():
        due = select(TABLE.c.id).where(_is_due()).order_by(TABLE.c.prochain_le).limit(limit)
        ids = list(session.connection().execute(due).scalars())
        session.rollback()
    return ids


def _is_due() -> ColumnElement[bool]:
    return and_(TABLE.c.etat.in_(["attente", "envoi"]), TABLE.c.prochain_le <= now())


def _claim(session: Session, id_: int) -> Row[tuple[object, ...]] | None:
    """Take the mail for this process, or give up on one interrupted twice. Commits."""
    connection = session.connection()
    lapsed = and_(TABLE.c.id == id_, TABLE.c.etat == "envoi", TABLE.c.prochain_le <= now())
    connection.execute(
        update(TABLE)
        .where(lapsed, TABLE.c.erreur == INTERRUPTED)
        .values(etat="echec", erreur=INTERRUPTED_TWICE)
    )
    again = connection.execute(
        update(TABLE).where(lapsed).values(erreur=INTERRUPTED, etat="attente")
    ).rowcount
    row = connection.execute(
        update(TABLE)
        .where(TABLE.c.id == id_, TABLE.c.etat == "attente", TABLE.c.prochain_le <= now())
        .values(
            etat="envoi",
            essais=TABLE.c.essais + 1,
            prochain_le=now() + LEASE,
            **({} if again else {"erreur": None}),
        )
        .returning(*TABLE.c)
    ).first()
    session.commit()
    return row


def _attempt(transport: Transport, row: Row[tuple[object, ...]], sender: str, key: str) -> dict[str, object]:
    """Try to deliver; return the columns that say how it went. A mail that left forgets its secret."""
    try:
        transport.deliver(compose(row, sender, key))
    except CoffreFermeError:
        return {"etat": "echec", "erreur": SEALED}
    except RefusedError as error:
        return {"etat": "echec", "erreur": str(error)}
    except OSError as error:
        log.warning("mail not sent", extra={"courriel_id": row.id, "error": type(error).__name__})
        tries = int(row.essais)
        if tries >= MAX_TRIES:
            return {"etat": "echec", "erreur": f"Serveur de courrier injoignable après {tries} essais."}
        text = "Le serveur de courrier ne répond pas ou refuse pour l’instant ; nouvel essai prévu."
        return {"etat": "attente", "erreur": text, "prochain_le": now() + DELAYS[tries - 1]}
    except ValueError:
        log.exception("mail cannot be written", extra={"courriel_id": row.id})
        return {"etat": "echec", "erreur": "Ce courriel ne peut pas être écrit : adresse ou objet invalides."}
    return {"etat": "envoye", "envoye_le": now(), "erreur": None, "secret": None}


def _record(session: Session, row: Row[tuple[object, ...]], **values: object) -> None:
    """Write how the try went, unless another process took the mail over meanwhile. Commits."""
    mine = (TABLE.c.id == row.id, TABLE.c.etat == "envoi", TABLE.c.essais == row.essais)
    session.connection().execute(update(TABLE).where(*mine).values(**values))
    session.commit()
