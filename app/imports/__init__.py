"""Readers of the outside formats: what schools and académies export, turned into ``Fiche`` rows."""

from __future__ import annotations

from app.imports.sources import Source, open_sources

__all__ = ["Source", "open_sources"]
