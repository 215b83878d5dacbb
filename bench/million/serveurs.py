"""The servers that are measured: both under gunicorn with two processes, signed in as people do."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from sqlalchemy.engine import make_url

from bench.commun import ROOT
from bench.million.charge import MOT_DE_PASSE

PROCESSUS = 2
CLIENTS = 4
PAIR_PYTHON = Path(os.environ.get("PREAU_BENCH_VENV") or ROOT / ".venv-bench") / "bin" / "python"


@dataclass
class Reponse:
    """What a page answered, and in how long."""

    statut: int
    texte: str
    secondes: float


@dataclass
class Serveur:
    """A server that answers, and who is signed in to it."""

    nom: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    """Who → the Cookie header of their session."""

    def lire(self, qui: str, chemin: str, *, fragment: bool = False) -> Reponse:
        """Read one page as somebody, on a connection of its own, as a proxy does."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            asked = {"Cookie": self.cookies[qui], **({"HX-Request": "true"} if fragment else {})}
            connection.request("GET", chemin, headers=asked)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        return Reponse(answer.status, body.decode(), time.perf_counter() - began)

    def debit(self, qui: str, chemins: Sequence[str], seconds: float) -> float:
        """Return the pages a second served to ``CLIENTS`` at once, every answer a 200."""
        stop = time.perf_counter() + seconds
        counts, wrong = [0] * CLIENTS, []

        def client(rank: int) -> None:
            number = rank
            while time.perf_counter() < stop:
                answer = self.lire(qui, chemins[number % len(chemins)])
                number += CLIENTS
                counts[rank] += 1
                if answer.statut != 200:
                    wrong.append(answer.statut)

        began = time.perf_counter()
        threads = [threading.Thread(target=client, args=(rank,)) for rank in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, f"{self.nom} : {chemins[0]} a répondu {wrong[0]}"
        return sum(counts) / (time.perf_counter() - began)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(nom: str, command: Sequence[str | Path], environment: dict[str, str]) -> Iterator[Serveur]:
    port = _free_port()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [str(word).format(port=port) for word in command],
            cwd=ROOT,
            env={**environment, "PORT": str(port)},
            stdout=log,
            stderr=log,
        )
        try:
            _wait(process, port)
            yield Serveur(nom, port)
        except Exception:
            log.seek(0)
            print(log.read()[-2000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit("le serveur à mesurer ne démarre pas")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("le serveur à mesurer ne répond pas")


@contextmanager
def preau(folder: Path, base: str, *comptes: str) -> Iterator[Serveur]:
    """Run the real application as ``deploy/`` does, and sign these accounts in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
    settings = {
        "PREAU_DEMO": "1",
        "PREAU_DOSSIER": str(folder),
        "PREAU_BASE": base,
        "PREAU_PROCESSUS": str(PROCESSUS),
        "PREAU_JOURNAL_NIVEAU": "WARNING",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
    with _running("Préau", command, {**kept, **settings}) as server:
        for compte in comptes:
            server.cookies[compte] = _signed_in(
                server.port, "/connexion", "csrf_token", {"identifiant": compte, "mdp": MOT_DE_PASSE}
            )
        yield server


@contextmanager
def pair(folder: Path, base: str, *comptes: str) -> Iterator[Serveur]:
    """Run Django's admin on the same base, and sign in the peers of the two accounts."""
    if not PAIR_PYTHON.exists():
        raise SystemExit("Django manque : lancez « make bench », qui l’installe à part dans .venv-bench.")
    url = make_url(base).set(drivername="postgresql").render_as_string(False) if base else ""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.pair.settings",
        "PAIR_BASE": url or f"sqlite://{(folder / 'preau.db').resolve()}",
        "PAIR_MOT_DE_PASSE": MOT_DE_PASSE,
        "PAIR_COMPTES": " ".join(comptes),
    }
    for module in ("django", "bench.pair.comptes"):
        arguments = ["migrate", "--verbosity", "0"] if module == "django" else []
        subprocess.run([PAIR_PYTHON, "-m", module, *arguments], cwd=ROOT, env=environment, check=True)
    command = [
        PAIR_PYTHON, "-m", "gunicorn", "--workers", str(PROCESSUS), "--worker-class", "sync",
        "--bind", "127.0.0.1:{port}", "bench.pair.wsgi",
    ]  # fmt: skip
    with _running("Django admin", command, environment) as server:
        for compte in comptes:
            values = {"username": compte, "password": MOT_DE_PASSE}
            server.cookies[compte] = _signed_in(server.port, "/admin/login/", "csrfmiddlewaretoken", values)
        yield server


def _signed_in(port: int, path: str, token: str, values: dict[str, str]) -> str:
    """Sign in as a browser does; return the Cookie header of the session."""
    address = f"http://127.0.0.1:{port}{path}"
    with requests.Session() as browser:
        page = browser.get(address, timeout=60)
        found = re.search(rf'name="{token}" value="([^"]+)"', page.text)
        assert found, f"pas de jeton sur {path}"
        answer = browser.post(
            address, data={**values, token: found[1]}, headers={"Referer": address}, allow_redirects=False,
            timeout=60,
        )  # fmt: skip
        assert answer.status_code == 302, f"connexion refusée sur {path} : {answer.status_code}"
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies if cookie.path == "/")
