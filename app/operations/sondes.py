"""«Tester»: one real connection to what somebody typed, bounded in time and bytes, told in one sentence.

By HTTP through ``outgoing``; by FTP, FTPS implicit and explicit through ``ftplib``, connected to an
address vetted by ``outgoing`` and nowhere else. Only whether it works, a status and a time come back (S8).
"""

from __future__ import annotations

import contextlib
import ftplib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import certifi

from app.operations import outgoing
from app.operations.champs_service import PROTOCOLES, Schema, final_url
from app.operations.outgoing import Network, OutgoingError

SECONDS = 8.0
MOST_BYTES = 64 * 1024
"""What a server may say in all over the FTP connection."""
GREETING = re.compile(r"[12][0-9]{2}[ -]")
FTP_PORTS = frozenset({21, 990})
"""Ports under 1024 that may be tried by FTP; those above are free."""
NAMES = {"ftp": "FTP", "ftps": "FTP sécurisé", "ftpes": "FTP sécurisé explicite"}
TRUST: Mapping[int, str] = {
    9: "Le certificat du serveur n’est pas encore valable. Vérifiez la date du serveur.",
    10: "Le certificat du serveur a expiré. Faites-le renouveler.",
    18: "Le serveur présente un certificat qu’il a signé lui-même. Faites installer un certificat reconnu.",
    19: "Le certificat du serveur vient d’une autorité inconnue. Faites installer un certificat reconnu.",
    20: "Le certificat du serveur vient d’une autorité inconnue, ou sa chaîne est incomplète.",
    21: "Le certificat du serveur vient d’une autorité inconnue, ou sa chaîne est incomplète.",
    62: "Le certificat du serveur est celui d’un autre nom. Vérifiez l’adresse.",
    64: "Le certificat du serveur est celui d’un autre nom. Vérifiez l’adresse.",
}
"""What OpenSSL found wrong with a certificate, by its number."""
NO_TRUST = "Le certificat du serveur n’est pas valable. Signalez-le à qui tient le serveur."
NOWHERE = (
    "Aucun serveur joignable ne porte ce nom. Vérifiez l’adresse ; un serveur interne doit être permis par la"
    " plate-forme."
)
"""The same for a name that does not exist and for one that leads inside."""
REFUSED = "Le serveur refuse la connexion. Vérifiez l’adresse et le port."
SLOW = "Le serveur ne répond pas en {seconds} secondes. Vérifiez l’adresse et le port."
CUT = "Le serveur a coupé la connexion."
UNREACHABLE = "Le serveur est injoignable. Vérifiez l’adresse, ou réessayez plus tard."
SILENT = "Le serveur accepte la connexion puis se tait : il attend peut-être « FTP sécurisé »."
IN_CLEAR = "Le serveur répond sans chiffrement. Choisissez « FTP » ou « FTP sécurisé explicite »."
NO_TLS = "Le serveur refuse de passer en chiffré. Choisissez un autre protocole."
NOT_FTP = "Ce serveur ne parle pas FTP sur ce port."
NO_TLS_AT_ALL = "Ce serveur ne parle pas HTTPS sur ce port. Vérifiez le port, ou écrivez http://."
LOGIN = "Le serveur répond, mais refuse cet identifiant ou ce mot de passe."
PORT = "Le FTP emploie le port 21, le port 990 ou un port au-delà de 1023."


@dataclass(frozen=True)
class Cible:
    """What is tried: an address of the web, or a server of files. ``__str__`` is what may be shown."""

    url: str = ""
    hote: str = ""
    port: int = 21
    protocole: str = "ftp"
    identifiant: str = ""
    mot_de_passe: str = ""

    def __str__(self) -> str:
        return self.url or f"{self.hote}, port {self.port}, {NAMES[self.protocole]}"


@dataclass(frozen=True)
class Resultat:
    """What a try found."""

    reussi: bool
    phrase: str
    secondes: float
    statut: int | None = None


class _TestError(Exception):
    """The connection failed; the text is what a person reads."""


def target_of(schema: Schema, values: Mapping[str, object], secrets: Mapping[str, str]) -> Cible | None:
    """Return what there is to try in these settings, None when nothing is an address, or none is typed."""
    kinds = {field["type"]: field["code"] for field in reversed(schema)}
    if "url" in kinds:
        address = final_url(schema, values, kinds["url"])
        return Cible(url=address) if address else None
    protocol = next(
        (str(values.get(f["code"])) for f in schema if values.get(f["code"]) in PROTOCOLES), "ftp"
    )
    host, port = values.get(kinds.get("hote", "")), values.get(kinds.get("port", ""))
    if not isinstance(host, str) or not isinstance(port, int):
        return None
    roles = {field.get("role"): field["code"] for field in schema}
    login = values.get(roles.get("identifiant", ""))
    return Cible(
        hote=host,
        port=port,
        protocole=protocol,
        identifiant=str(login or ""),
        mot_de_passe=secrets.get(roles.get("mot_de_passe", ""), ""),
    )


def essayer(cible: Cible, *, permitted: Sequence[Network] = (), seconds: float = SECONDS) -> Resultat:
    """Try to connect; never raises for what a server or a network does."""
    started = time.monotonic()
    statut = None
    try:
        if cible.url:
            statut = _web(cible.url, permitted, seconds)
            good, phrase = _status(statut)
        else:
            good, phrase = True, _ftp(cible, permitted, seconds)
    except (_TestError, OutgoingError) as error:
        good, phrase = False, str(error)
    return Resultat(good, phrase, time.monotonic() - started, statut)


def _web(url: str, permitted: Sequence[Network], seconds: float) -> int:
    try:
        return outgoing.probe(url, permitted=permitted, seconds=seconds)[0]
    except OutgoingError as error:
        if error.message == outgoing.TOO_SLOW:
            raise _TestError(SLOW.format(seconds=round(seconds))) from error
        if error.message == outgoing.NOWHERE:
            raise _TestError(NOWHERE) from error
        found = _found(error, ssl.SSLCertVerificationError, ConnectionRefusedError, ssl.SSLError, OSError)
        if found is None:
            raise
        if isinstance(found, ssl.SSLError) and not isinstance(found, ssl.SSLCertVerificationError):
            raise _TestError(NO_TLS_AT_ALL) from error
        raise _TestError(_sentence(found, seconds)) from error


def _status(status: int) -> tuple[bool, str]:
    """Tell whether a status is a working page, and say it."""
    match status:
        case _ if status < 400:
            return True, "Le serveur répond."
        case 401 | 407:
            return False, "Le serveur demande un identifiant et un mot de passe."
        case 403:
            return False, "Le serveur refuse l’accès à cette page."
        case 404 | 410:
            return False, "Le serveur répond, mais cette page n’existe pas. Vérifiez l’adresse."
        case _ if status >= 500:
            return False, "Le serveur répond qu’il est en panne. Réessayez plus tard."
        case _:
            return False, "Le serveur refuse cette demande."


# -- FTP


class _Ftp(ftplib.FTP_TLS):
    """An FTP connection to an address vetted already, for the name that was typed."""

    def __init__(self, cible: Cible, raw: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self.host, self.said = cible.hote, 0
        self.timeout = raw.gettimeout()
        implicit = cible.protocole == "ftps"
        self.sock = context.wrap_socket(raw, server_hostname=cible.hote) if implicit else raw
        self.af = raw.family
        self.file = self.sock.makefile("r", encoding="latin-1")

    def getline(self) -> str:
        """Read a line, as long as the server speaks FTP and does not say too much."""
        line = super().getline()
        first, self.said = not self.said, self.said + len(line)
        if self.said > MOST_BYTES or (first and not GREETING.match(line)):
            raise ftplib.error_proto("no FTP, or too much of it")  # noqa: S321  (an error, no call)
        return line


def _ftp(cible: Cible, permitted: Sequence[Network], seconds: float) -> str:
    if cible.port < 1024 and cible.port not in FTP_PORTS:
        raise _TestError(PORT)
    started = time.monotonic()
    try:
        address = outgoing.vetted_addresses(cible.hote, cible.port, permitted=permitted)[0]
    except OutgoingError as error:
        raise _TestError(NOWHERE) from error
    left = max(0.1, seconds - (time.monotonic() - started))
    try:
        # one silence ends before the whole is cut off, and is told as such
        raw = socket.create_connection((address, cible.port), timeout=left * 0.75)
    except OSError as error:
        raise _TestError(_sentence(error, seconds)) from error
    with raw, _until(raw, seconds - (time.monotonic() - started)) as late:
        failed: Exception | None = None
        try:
            said = _talk(cible, raw)
        except (OSError, EOFError, _TestError) as error:
            failed = error
        if late.is_set():  # cut off in the middle of a line, it looks like its end
            raise _TestError(SLOW.format(seconds=round(seconds))) from failed
        if failed is not None:
            words = str(failed) if isinstance(failed, _TestError) else _sentence(failed, seconds)
            raise _TestError(words) from failed
        return said


def _talk(cible: Cible, raw: socket.socket) -> str:
    """Say hello, encrypt when asked, log in when there is a login, leave."""
    context = ssl.create_default_context(cafile=certifi.where())
    try:
        server = _Ftp(cible, raw, context)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLEOFError as error:
        raise _TestError(CUT) from error
    except ssl.SSLError as error:
        raise _TestError(IN_CLEAR) from error
    with contextlib.closing(server):
        _step(server.getresp, NOT_FTP, silent=SILENT if cible.protocole != "ftps" else "")
        if cible.protocole == "ftpes":
            _step(server.auth, NO_TLS)
        if cible.identifiant:
            plain = cible.protocole == "ftp"
            _step(lambda: server.login(cible.identifiant, cible.mot_de_passe, secure=not plain), LOGIN)
        with contextlib.suppress(ftplib.Error, OSError, EOFError):
            server.voidcmd("QUIT")
    return "Le serveur répond et accepte cet identifiant." if cible.identifiant else "Le serveur répond."


def _step(step: Callable[[], object], refused: str, silent: str = "") -> None:
    """Do one step; what the server refuses, or a silence, is told by the sentence given."""
    try:
        step()
    except ftplib.Error as error:
        raise _TestError(refused) from error
    except TimeoutError as error:
        if not silent:
            raise
        raise _TestError(silent) from error


@contextlib.contextmanager
def _until(raw: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Cut a socket off after so many seconds, whatever is read of it; yield what tells so."""
    late, twin = threading.Event(), raw.dup()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.1, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        twin.close()


# -- what went wrong


def _found(error: BaseException, *wanted: type[BaseException]) -> BaseException | None:
    """Return what an error comes from, the first kind wanted first."""
    chain: list[BaseException] = []
    todo: list[BaseException] = [error]
    while todo and len(chain) < 20:
        one = todo.pop(0)
        if one in chain:
            continue
        chain.append(one)
        near = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        todo += [other for other in near if isinstance(other, BaseException)]
    return next((one for kind in wanted for one in chain if isinstance(one, kind)), None)


def _sentence(error: BaseException, seconds: float) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return TRUST.get(error.verify_code, NO_TRUST)
        case TimeoutError():
            return SLOW.format(seconds=round(seconds))
        case ConnectionRefusedError():
            return REFUSED
        case ConnectionResetError() | BrokenPipeError() | ssl.SSLError() | EOFError():
            return CUT
        case _:
            return UNREACHABLE
