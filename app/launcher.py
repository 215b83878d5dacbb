"""``make run``: prepare the data, start the web server and the worker, stop both cleanly.

Without any production setting (``PREAU_BASE``, ``PREAU_CLE_SECRETE``, ``PREAU_HOTES``) this is the
demo: fictional académie in ``var/``, keys drawn once and kept in ``var/cles.json``. This process
stays light: it imports nothing of the application and only watches its two children.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = ("PREAU_BASE", "PREAU_CLE_SECRETE", "PREAU_HOTES")
FLASK = [sys.executable, "-m", "flask", "--app", "app:create_app", "preau"]
START_SECONDS = 90
STOP_SECONDS = 30
RESTARTS, RESTART_WINDOW = 3, 60.0
PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """Préau cannot start or go on; the text is what the person reads."""


class Child:
    """One of the two processes, started again when it falls, not forever."""

    def __init__(self, label: str, command: list[str], environment: dict[str, str]) -> None:
        self.label, self.command, self.environment = label, command, environment
        self.falls: list[float] = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return _spawn(self.command, self.environment)

    def watch(self) -> None:
        """Start the process again if it fell.

        :raises StartError: when it falls too often.
        """
        code = self.process.poll()
        if code is None:
            return
        moment = time.monotonic()
        self.falls = [fall for fall in self.falls if moment - fall < RESTART_WINDOW] + [moment]
        if len(self.falls) > RESTARTS:
            raise StartError(f"{self.label} s’arrête sans cesse (code {code}). Lisez les lignes ci-dessus.")
        print(f"{self.label} s’est arrêté (code {code}) : je le relance.", file=sys.stderr, flush=True)
        self.process = self._start()

    def stop(self, deadline: float) -> None:
        """Wait for the end of the process, which was asked to stop; force it past the deadline."""
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> int:
    """Run Préau until Ctrl-C or SIGTERM; return the exit code."""
    stopping = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    children: list[Child] = []
    try:
        port = read_port(os.environ)
        check_port_is_free(port)
        environment = build_environment(os.environ, port)
        prepare(environment, stopping)
        if not stopping.is_set():
            children += start(environment)
            announce(wait_until_ready(children, port, stopping), environment, port)
        while not stopping.wait(0.5):
            for child in children:
                child.watch()
    except StartError as error:
        print(f"Préau ne démarre pas : {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        stop(children)
    print("\nPréau est arrêté.", flush=True)
    return 0


def read_port(environment: os._Environ[str] | dict[str, str]) -> int:
    """Return the port to listen on.

    :raises StartError: ``PORT`` is not a port number.
    """
    text = environment.get("PORT", "").strip() or "8000"
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise StartError(f"PORT vaut « {text} » ; donnez un nombre de 1 à 65535.")
    return int(text)


def check_port_is_free(port: int) -> None:
    """Refuse a port somebody listens on.

    :raises StartError: with what to type instead.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise StartError(f"le port {port} est réservé ; choisissez-en un de 1024 à 65535.") from error
        except OSError as error:
            other = port + 1 if port < 65535 else 8000
            raise StartError(
                f"le port {port} est déjà utilisé. Arrêtez l’autre programme ou tapez : PORT={other} make run"
            ) from error


def build_environment(given: os._Environ[str] | dict[str, str], port: int) -> dict[str, str]:
    """Return the environment of the children: the given one, completed for the demo.

    The two keys come from ``cles.json`` of the data folder, written at the first start, readable by
    its owner only.
    """
    environment = {**given, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    if not any(given.get(name) for name in PRODUCTION):
        environment.setdefault("PREAU_DEMO", "1")
    environment.setdefault("PREAU_DOSSIER", str(ROOT / "var"))
    folder = Path(environment["PREAU_DOSSIER"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if is_demo(environment):
        environment.setdefault("PREAU_JOURNAL_NIVEAU", "WARNING")
        for name, key in read_keys(folder / "cles.json").items():
            if not environment.get(name):
                environment[name] = key
    return environment


def is_demo(environment: dict[str, str]) -> bool:
    """Tell whether the children run in demo mode."""
    return environment.get("PREAU_DEMO", "").lower() in {"1", "true", "yes", "on", "t", "y"}


def read_keys(path: Path) -> dict[str, str]:
    """Return the keys of this folder, drawn at the first call and written at once, whole."""
    if not path.exists():
        keys = {name: secrets.token_urlsafe(48) for name in ("PREAU_CLE_SECRETE", "PREAU_CLE_CODES")}
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(keys, file)
        draft.replace(path)
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def prepare(environment: dict[str, str], stopping: threading.Event) -> None:
    """Bring the database up to date and fill it for the demo, before anything is served.

    :raises StartError: when that fails; the command has printed why.
    """
    process = _spawn([*FLASK, "preparer"], environment)
    while process.poll() is None and not stopping.wait(0.05):
        pass
    if stopping.is_set():
        process.terminate()
        process.wait(STOP_SECONDS)
    elif process.returncode:
        raise StartError("la préparation de la base a échoué. Lisez les lignes ci-dessus.")


def start(environment: dict[str, str]) -> list[Child]:
    """Start the web server and the worker."""
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy" / "gunicorn.conf.py")]
    return [
        Child("Le serveur web", [*gunicorn, "app:create_app()"], environment),
        Child("Le travailleur", [*FLASK, "worker"], environment),
    ]


def wait_until_ready(children: list[Child], port: int, stopping: threading.Event) -> bool:
    """Wait for the first answer of the web server; return whether it came before a stop was asked for.

    :raises StartError: when a child dies or no answer comes.
    """
    deadline = time.monotonic() + START_SECONDS
    while not stopping.wait(0.1):
        for child in children:
            code = child.process.poll()
            if code is not None:
                raise StartError(f"{child.label} s’est arrêté (code {code}). Lisez les lignes ci-dessus.")
        if _answers(port):
            return True
        if time.monotonic() > deadline:
            raise StartError(f"aucune réponse après {START_SECONDS} secondes.")
    return False


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/sante")
        # any answer but a failure will do: in production another host name may be required
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def announce(ready: bool, environment: dict[str, str], port: int) -> None:
    """Print the address, and the demo accounts when there are."""
    if not ready:
        return
    print(f"\nPréau prêt : http://127.0.0.1:{port}\n", flush=True)
    path = Path(environment["PREAU_DOSSIER"]) / "comptes-demo.txt"
    if is_demo(environment) and path.exists():
        print(path.read_text(encoding="utf-8"), flush=True)
    print("Ctrl-C pour arrêter.", flush=True)


def stop(children: list[Child]) -> None:
    """Ask every child to stop, then wait for each."""
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    for child in children:
        child.stop(deadline)


def _spawn(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a child in its own session, so that Ctrl-C reaches the launcher alone."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  (this process has one thread)
    )


def _die_with_parent() -> None:
    """Have the system stop the child if the launcher is killed (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
