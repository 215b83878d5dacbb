"""Starting loads what every request needs, not what a few pages do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LOURDS = {
    "authlib", "feedparser", "icalendar", "ldap3", "markdown_it", "nh3", "onelogin", "prometheus_client",
    "psycopg", "reportlab", "requests", "segno", "xhtml2pdf", "xmlsec",
}  # fmt: skip
"""Libraries that a page or a task loads when it draws, fetches or parses: import them in the function."""
ROOT = Path(__file__).parents[1]


def test_create_app_loads_no_library_that_few_pages_use(tmp_path):
    program = "import sys, app; app.create_app(); print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        env={"PREAU_DEMO": "1", "PREAU_DOSSIER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(run.stdout.split())
    assert "flask_appbuilder" in loaded
    assert loaded & LOURDS == set()
