"""Every setting is in docs/configuration.md, and the page names none that is gone."""

from __future__ import annotations

import re

from app.config import ROOT, Reglages

PAGE = ROOT / "docs/configuration.md"


def test_every_setting_is_documented():
    named = set(re.findall(r"`(PREAU_[A-Z_]+)`", PAGE.read_text(encoding="utf-8")))
    existing = {f"PREAU_{name.upper()}" for name in Reglages.model_fields}
    served = (ROOT / "deploy/gunicorn.conf.py").read_text(encoding="utf-8")
    existing |= set(re.findall(r"\"(PREAU_[A-Z_]+)\"", served))
    assert existing - named == set()
    assert named - existing == set()
