"""Real processes on the database of the test, and waiting for what they do."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tests.jobs.handlers  # noqa: F401
from app.jobs import runner

ROOT = Path(__file__).resolve().parent.parent.parent


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for the condition to hold and return what it gave."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        if value := condition():
            return value
        pause.wait(0.05)
    raise AssertionError("this never happened")


@pytest.fixture(autouse=True)
def _no_stop_left_over() -> Iterator[None]:
    yield
    runner.stopping.clear()


@pytest.fixture
def spawn(reglages: dict[str, Any]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start ``tests.jobs.process`` with the settings of the test; killed at its end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(role: str, **settings: Any) -> subprocess.Popen[bytes]:
        values = {**reglages, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
        environment |= {f"PREAU_{name.upper()}": str(value) for name, value in values.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.process", role],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
