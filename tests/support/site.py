"""A web site on this machine that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests.support.certificats import Autorite

HERE = (ip_network("127.0.0.1/32"),)
"""What a call to such a site must be permitted."""


class Site:
    """``pages`` maps a path to (status, headers, body) or to what answers by itself."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.server, self.scheme = server, scheme
        self.pages: dict[str, tuple[int, dict[str, str], bytes] | Callable[[Any], None]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextmanager
def serving(identity: Autorite | None = None, folder: Path | None = None) -> Iterator[Site]:
    """Run a site meanwhile, under TLS when it has an identity (written in ``folder``)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.command, self.path, dict(self.headers)))
            page = site.pages.get(self.path, (404, {}, b""))
            if callable(page):
                page(self)
                return
            status, headers, body = page
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815  (the name http.server looks for)

        def log_message(self, *_args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # callers hang up on purpose
    if identity is not None and folder is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, identity.write(folder, "site")))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site = Site(server, "https" if identity is not None else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
