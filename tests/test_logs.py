"""Logs: one JSON object a line, with the reference of the request, and no secret."""

import json
import subprocess
import sys

import pytest

from app import logs
from app.config import ROOT

PROGRAM = """
import logging
from app import logs
logs.configure("INFO")
reference = logs.start_request()
log = logging.getLogger("essai")
log.info("connexion à postgresql://preau:tres-secret@127.0.0.1/preau", extra={"mot_de_passe": "azerty"})
try:
    raise ValueError("token=abcdef suite")
except ValueError:
    log.exception("échec")
"""


def test_lines_are_json_with_a_reference_and_without_secret() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, second = (json.loads(line) for line in run.stderr.splitlines())
    assert first["event"] == "connexion à postgresql://preau:•••@127.0.0.1/preau"
    assert first["mot_de_passe"] == "•••"
    assert first["level"] == "info"
    assert first["reference"] == second["reference"] != ""
    assert "ValueError" in second["exception"]
    assert "tres-secret" not in run.stderr
    assert "azerty" not in run.stderr
    assert "abcdef" not in run.stderr


@pytest.mark.parametrize("key", ["cle_secrete", "Authorization", "jeton", "set-cookie"])
def test_values_of_telling_keys_are_blanked(key: str) -> None:
    assert logs.redact(None, "", {key: "x", "route": "/sante"}) == {key: "•••", "route": "/sante"}
