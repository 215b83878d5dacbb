"""``make run``'s launcher, as a person uses it: starts, answers, stops, starts again, says what is wrong."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import launcher
from app.config import ROOT

Run = Callable[..., subprocess.Popen[str]]
FILLING = "J’écris les fichiers"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start ``python app.py`` on a folder of the test; stopped at its end."""
    started: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> subprocess.Popen[str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**given, "PREAU_DOSSIER": str(tmp_path), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=40)
        assert process.stdout is not None
        process.stdout.close()


def read_until(process: subprocess.Popen[str], words: str, seconds: float = 100) -> str:
    """Read what the launcher prints until these words; the watchdog ends a launcher that hangs."""
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.start()
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if words in line:
            break
    watchdog.cancel()
    text = "".join(lines)
    assert words in text, text
    return text


def stop(process: subprocess.Popen[str], how: signal.Signals) -> str:
    process.send_signal(how)
    rest, _ = process.communicate(timeout=40)
    return rest


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.timeout(240)
def test_it_starts_stops_and_starts_again_with_the_same_data_and_leaves_nobody_behind(
    run: Run, tmp_path: Path, port: int
) -> None:
    """One life of a folder, since the demo is long to fill: stopped while filling, filled, found again."""
    hurried = run(PORT=str(port))
    read_until(hurried, FILLING)
    rest = stop(hurried, signal.SIGTERM)
    assert (hurried.returncode, "Préau est arrêté." in rest, "Traceback" in rest) == (0, True, False)

    first = run(PORT=str(port))
    printed = read_until(first, "Ctrl-C")
    assert f"Préau prêt : http://127.0.0.1:{port}" in printed
    assert status_of(port, "/sante") == 200
    rest = stop(first, signal.SIGINT)
    assert (first.returncode, "Préau est arrêté." in rest) == (0, True)
    assert "Traceback" not in printed + rest
    assert not listening(port)
    keys = tmp_path / "cles.json"
    assert keys.stat().st_mode & 0o777 == 0o600
    before = keys.read_text()
    size = (tmp_path / "preau.db").stat().st_size

    second = run(PORT=str(port))
    assert FILLING not in read_until(second, "Ctrl-C")  # the seconds it takes are bench/demarrage.py's
    assert keys.read_text() == before
    assert (tmp_path / "preau.db").stat().st_size >= size

    children = [int(pid) for pid in _children_of(second.pid)]
    worker = next(pid for pid in children if "worker" in Path(f"/proc/{pid}/cmdline").read_text())
    os.kill(worker, signal.SIGKILL)
    read_until(second, "Le travailleur s’est arrêté")
    children += [int(pid) for pid in _children_of(second.pid)]
    second.kill()
    second.wait()
    pause = threading.Event()
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in children):
        pause.wait(0.1)
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    assert not listening(port)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_port_in_use_is_told_before_anything_starts(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        process = run(PORT=str(taken))
        printed, _ = process.communicate(timeout=40)
    assert process.returncode == 1
    assert f"le port {taken} est déjà utilisé" in printed
    assert f"PORT={taken + 1} make run" in printed
    assert not (tmp_path / "preau.db").exists()


@pytest.mark.parametrize("text", ["abc", "0", "70000", "-1"])
def test_a_port_that_is_not_one_is_told(text: str) -> None:
    with pytest.raises(launcher.StartError, match=re.escape(text)):
        launcher.read_port({"PORT": text})


def test_an_unsafe_production_setting_stops_the_start_and_is_named(run: Run, port: int) -> None:
    process = run(PORT=str(port), PREAU_BASE="sqlite:///x.db", PREAU_CLE_SECRETE="courte")
    printed, _ = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "PREAU_CLE_SECRETE doit contenir au moins 32 caractères." in printed
    assert "Traceback" not in printed


class TestEnvironment:
    def test_without_production_setting_it_is_the_demo_with_its_own_keys(self, tmp_path: Path) -> None:
        given = {"PREAU_DOSSIER": str(tmp_path)}
        first = launcher.build_environment(given, 8000)
        assert first["PREAU_DEMO"] == "1"
        assert first["PREAU_CLE_SECRETE"] != first["PREAU_CLE_CODES"]
        assert len(first["PREAU_CLE_SECRETE"]) >= 32
        assert launcher.build_environment(given, 8000) == first

    def test_with_a_production_setting_nothing_is_made_up(self, tmp_path: Path) -> None:
        given = {"PREAU_DOSSIER": str(tmp_path), "PREAU_BASE": "postgresql+psycopg://x"}
        environment = launcher.build_environment(given, 8000)
        assert "PREAU_DEMO" not in environment
        assert "PREAU_CLE_SECRETE" not in environment
        assert not (tmp_path / "cles.json").exists()

    def test_keys_given_are_kept(self, tmp_path: Path) -> None:
        given = {"PREAU_DOSSIER": str(tmp_path), "PREAU_DEMO": "1", "PREAU_CLE_SECRETE": "z" * 40}
        assert launcher.build_environment(given, 8000)["PREAU_CLE_SECRETE"] == "z" * 40
        assert set(json.loads((tmp_path / "cles.json").read_text())) == {
            "PREAU_CLE_SECRETE",
            "PREAU_CLE_CODES",
        }
