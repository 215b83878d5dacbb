"""A real SMTP server on this machine, and the application set to use it."""

from __future__ import annotations

import asyncio
import email
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from flask import Flask


class Mailbox:
    """What a real SMTP server received; it can answer an error or hold its answer back."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.answers: dict[str, str] = {}
        self.hold_at = ""
        self.held = threading.Event()
        self.release = threading.Event()

    async def handle_RCPT(
        self, _server: SMTP, _session: SmtpSession, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        await self._hold("RCPT")
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.received.append(email.message_from_bytes(envelope.content, policy=default))
        await self._hold("DATA")
        return answer

    async def _hold(self, step: str) -> None:

        if self.hold_at == step:
            self.held.set()
            await asyncio.get_running_loop().run_in_executor(None, self.release.wait)

    def link(self, rank: int = -1) -> str:
        """Return the path of the personal link of a mail received."""
        text = self.received[rank].get_body(("plain",)).get_content()
        found = re.search(r"https?://[^/\s]+(/connexion/(?:lien|adresse)/\S+)", text)
        assert found, text
        return found[1]


@contextmanager
def serving(app: Flask) -> Iterator[Mailbox]:
    """Run the server meanwhile."""
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings = app.extensions["reglages"]
    settings.courriel_serveur, settings.courriel_tls = f"127.0.0.1:{port}", "aucun"
    yield box
    box.release.set()
    controller.stop()
