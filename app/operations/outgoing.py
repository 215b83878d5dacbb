"""Calls Préau makes to addresses people typed: feeds, «Tester», webhooks. The only way out by HTTP.

``fetch(url)`` reads a bounded body, ``probe(url)`` tells a status and a time; ``vetted_addresses``
serves protocols other than HTTP (FTP). In all of them (ATTACKS S2, S4, S7, S8):

- http and https only, no ``user@``, no port of another protocol;
- the name is resolved once, every address it gives is vetted, and the connection goes to a vetted one:
  what the name says afterwards changes nothing. The certificate is still checked for the name;
- each redirect starts over from the vetting, five at most;
- time is bounded as a whole, names and handshakes included, and so is what is read, once unpacked;
- no cookie, no credentials, no proxy of the environment.

``permitted`` are the private networks of the deployment (``Reglages.permitted_networks``); nothing is
private and reachable by default. A refusal is an ``OutgoingError``: a sentence for who typed the address,
the same for a name that does not exist and for one that leads inside.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from app.errors import UserError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SCHEMES = {"http": 80, "https": 443}
WEB_PORTS = frozenset({80, 81, 443})
"""Ports under 1024 that may be called; those above are free."""
TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""IPv6 that carries an IPv4 address inside: global to the eye, private in fact."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
MOST_BYTES = 2 * 1024 * 1024
SECONDS = 10.0
PIECE = 64 * 1024
AGENT = "Preau (+console des services numeriques)"

WRONG = (
    "Écrivez une adresse web complète, sans nom d’utilisateur. Exemple : https://exemple.fr/actualites.xml"
)
NOWHERE = "Aucun serveur public ne porte ce nom. Vérifiez l’adresse."
NO_ANSWER = "Le serveur ne répond pas. Vérifiez l’adresse, ou réessayez plus tard."
TOO_SLOW = "Le serveur met trop de temps à répondre. Réessayez plus tard."
NO_TRUST = "Le certificat de ce serveur n’est pas valable pour ce nom. Signalez-le à qui tient le site."
TOO_LONG = "Ce que renvoie cette adresse est trop volumineux ({most} Mio au plus)."
TOO_FAR = "Cette adresse renvoie sans fin vers une autre. Donnez l’adresse finale."


class OutgoingError(UserError):
    """The call was refused or failed; the sentence says which, never what the server answered."""


@dataclass(frozen=True)
class Answer:
    """What a server answered: ``url`` is where the redirects ended, ``headers`` have lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def fetch(
    url: str,
    *,
    permitted: Sequence[Network] = (),
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    most: int = MOST_BYTES,
    seconds: float = SECONDS,
) -> Answer:
    """Call an address and return what it answers, redirects followed.

    ``headers`` are sent to the host of ``url`` alone; ``most`` bounds the body, 0 leaves it unread.

    :raises OutgoingError: refused by the rules above, unreachable, too slow or too long.
    """
    if method not in {"GET", "HEAD"}:
        raise ValueError("only GET and HEAD leave Préau")
    started, wanted = time.monotonic(), vetted_url(url).netloc
    for _ in range(MOST_REDIRECTS + 1):
        parts = vetted_url(url)
        sent = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
        sent |= dict(headers or {}) if parts.netloc == wanted else {}
        left = seconds - (time.monotonic() - started)
        answer = _call(parts, method, sent, permitted, most, left)
        location = answer.headers.get("location", "")
        if answer.status not in REDIRECTS or not location:
            return Answer(url, answer.status, answer.headers, answer.body, time.monotonic() - started)
        try:
            url = urljoin(url, location)
        except ValueError as error:
            raise OutgoingError(WRONG) from error
    raise OutgoingError(TOO_FAR)


def probe(url: str, *, permitted: Sequence[Network] = (), seconds: float = SECONDS) -> tuple[int, float]:
    """Tell what «Tester» may show (S8): the status of an address and the seconds it took.

    :raises OutgoingError: as ``fetch``.
    """
    answer = fetch(url, permitted=permitted, most=0, seconds=seconds)
    return answer.status, answer.seconds


def vetted_url(url: str) -> SplitResult:
    """Return an address split, when it is one Préau may call.

    :raises OutgoingError: another scheme, a user name, no host, the port of another protocol.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise OutgoingError(WRONG) from error
    readable = url.isascii() and url.isprintable() and not any(char in url for char in ' \\"<>')
    usual = port is None or port >= 1024 or port in WEB_PORTS
    if parts.scheme not in SCHEMES or not host or "@" in parts.netloc or not readable or not usual:
        raise OutgoingError(WRONG)
    return parts


def vetted_addresses(host: str, port: int, *, permitted: Sequence[Network] = ()) -> list[str]:
    """Resolve a name once and return the addresses to connect to.

    One address that may not be reached condemns the name: it is how a name is made to change its mind.

    :raises OutgoingError: no such name, or an address inside.
    """
    try:
        found = socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingError(NOWHERE) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses or not all(_reachable(one, permitted) for one in addresses):
        raise OutgoingError(NOWHERE)
    return addresses


def _reachable(address: str, permitted: Sequence[Network]) -> bool:
    """Tell whether an address is public, or of a network the deployment permits."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:  # a scoped address is of this very link
        return False
    if isinstance(one, ipaddress.IPv6Address) and one.ipv4_mapped is not None:
        one = one.ipv4_mapped
    if any(one.version == net.version and one in net for net in permitted):
        return True
    if any(one.version == net.version and one in net for net in TRANSLATED):
        return False
    site_local = isinstance(one, ipaddress.IPv6Address) and one.is_site_local
    return one.is_global and not (one.is_multicast or one.is_reserved or site_local)


class _Plain(HTTPConnection):
    """A connection that leaves a twin of its socket: shut, it ends whatever step is under way."""

    twin: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self.twin = opened.dup()
        return opened


class _Secure(HTTPSConnection):
    """The same under TLS."""

    twin: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self.twin = opened.dup()
        return opened


def _call(
    parts: SplitResult,
    method: str,
    headers: Mapping[str, str],
    permitted: Sequence[Network],
    most: int,
    seconds: float,
) -> Answer:
    """Make one call, to an address vetted now."""
    started, host = time.monotonic(), parts.hostname or ""
    port = parts.port or SCHEMES[parts.scheme]
    address = vetted_addresses(host, port, permitted=permitted)[0]
    left = seconds - (time.monotonic() - started)
    if left <= 0:
        raise OutgoingError(TOO_SLOW)
    connection: _Plain | _Secure = (
        _Plain(address, port, timeout=left)
        if parts.scheme == "http"
        else _Secure(
            address, port, timeout=left, server_hostname=host,
            cert_reqs="CERT_REQUIRED", ca_certs=certifi.where(),
        )
    )  # fmt: skip
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _until(connection, left) as late:
        try:
            sent = {**headers, "Host": parts.netloc}
            connection.request(method, target, headers=sent, preload_content=False, decode_content=True)
            response = connection.getresponse()
            body = _read(response, most if method == "GET" else 0)
            if late.is_set():  # cut off among the headers, it looks like their end
                raise TimeoutError
        except (HTTPError, http.client.HTTPException, OSError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise OutgoingError(TOO_SLOW) from error
            raise OutgoingError(NO_TRUST if _distrust(error) else NO_ANSWER) from error
    answered = {name.lower(): value for name, value in response.headers.items()}
    return Answer(parts.geturl(), response.status, answered, body, time.monotonic() - started)


@contextlib.contextmanager
def _until(connection: _Plain | _Secure, seconds: float) -> Iterator[threading.Event]:
    """Cut the connection off after so many seconds, whatever it is doing; yield what tells so."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        if connection.twin is not None:
            with contextlib.suppress(OSError):
                connection.twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        connection.close()
        if connection.twin is not None:
            connection.twin.close()


def _read(response: BaseHTTPResponse, most: int) -> bytes:
    """Read the body, unpacked, as long as it holds in ``most`` bytes."""
    if not most:
        return b""
    pieces, total = [], 0
    for piece in response.stream(PIECE, decode_content=True):
        total += len(piece)
        if total > most:
            raise OutgoingError(TOO_LONG.format(most=most // 1024 // 1024 or 1))
        pieces.append(piece)
    return b"".join(pieces)


def _distrust(error: BaseException) -> bool:
    """Tell whether TLS failed for want of trust."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error) or "doesn't match" in str(error)
