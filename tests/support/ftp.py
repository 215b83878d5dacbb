"""An FTP server on this machine, in clear, under TLS from the start, or on demand."""

from __future__ import annotations

import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.certificats import Autorite

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it stands on asyncore until Python 3.12
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

LOGIN, PASSWORD = "essai", "le sapin du col"


class Implicit(TLS_FTPHandler):
    """TLS before the first word."""

    def handle(self) -> None:
        self.secure_connection(self.ssl_context)
        super().handle()

    def handle_ssl_established(self) -> None:
        """Say nothing more: the greeting was pushed already."""


@contextmanager
def serving_files(folder: Path, identity: Autorite | None = None, *, implicit: bool = False) -> Iterator[int]:
    """Run a server meanwhile and yield its port; with an identity it speaks TLS."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(LOGIN, PASSWORD, str(folder))
    values: dict[str, Any] = {"authorizer": authorizer, "auth_failed_timeout": 0.05}
    if identity is not None:
        certificate, key = identity.write(folder, "fichiers")
        values |= {"certfile": str(certificate), "keyfile": str(key)}
    base = FTPHandler if identity is None else Implicit if implicit else TLS_FTPHandler
    handler = type("Handler", (base,), values)
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), handler, ioloop=loop)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(server.address[1])
    finally:
        stop.set()
        thread.join()
        server.close_all()


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that treats each connection as ``talk`` says; yield its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                one, _address = listener.accept()
            except OSError:
                return
            opened.append(one)
            threading.Thread(target=_quietly, args=(talk, one), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for one in opened:
            one.close()


def _quietly(talk: Callable[[socket.socket], None], one: socket.socket) -> None:
    try:
        talk(one)
    except OSError:
        return
