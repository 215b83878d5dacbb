"""The project's own rules, where no linter can hold them."""

from __future__ import annotations

import ast
import datetime
import re
from pathlib import Path

import pytest

from app import models
from app.extensions import Base

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
SOURCES = sorted(APP.rglob("*.py"))
TEMPLATES = sorted((APP / "templates").rglob("*.html"))
COMMIT_PLACES = ("views/acts.py", "jobs/", "cli/", "launcher.py", "plans.py")
"""Where acts are committed; ``plans.py`` ends so the transactions that wrote nothing, as the server says."""

LONG_MODULES: dict[str, datetime.date] = {}
"""Module over 500 lines → the date by which it must be split."""

LONG_FUNCTIONS: dict[str, datetime.date] = {}
"""``path::function`` over 80 lines → the date by which it must be split."""


def relative(path: Path) -> str:
    return path.relative_to(APP).as_posix()


class TestModels:
    def test_every_table_class_is_reached_through_the_facade(self):
        ours = {
            mapper.class_.__name__
            for mapper in Base.registry.mappers
            if mapper.class_.__module__.startswith("app.tables")
        }
        assert ours == {name for name in models.__all__ if name[0].isupper() and not name.isupper()} - {
            "PerimetreEtablissement",
            "PerimetrePersonne",
        }

    def test_every_constraint_and_index_of_ours_is_named(self):
        unnamed = [
            f"{table.name}: {constraint!r}"
            for table in Base.metadata.tables.values()
            if not table.name.startswith("ab_")
            for constraint in [*table.constraints, *table.indexes]
            if not constraint.name
        ]
        assert unnamed == []

    def test_every_table_is_in_the_glossary(self):
        glossary = (ROOT / "docs/GLOSSAIRE.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`([a-z_]+)`", glossary))
        tables = {name for name in Base.metadata.tables if not name.startswith("ab_")}
        assert tables - named == set()
        listed = set(re.findall(r"^\| [^|]+ \| `([a-z_]+)` \|", glossary, flags=re.MULTILINE))
        assert listed - tables == set(), "the glossary names tables that are gone"


class TestCode:
    @pytest.mark.parametrize("path", SOURCES, ids=relative)
    def test_commit_stands_in_one_place(self, path):
        if relative(path).startswith(COMMIT_PLACES):
            return
        calls = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "commit"
        ]
        assert calls == [], f"{relative(path)} commits at lines {calls}"

    @pytest.mark.parametrize("path", SOURCES, ids=relative)
    def test_module_and_function_sizes(self, path):
        today = datetime.datetime.now(datetime.UTC).date()
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if relative(path) not in LONG_MODULES or LONG_MODULES[relative(path)] < today:
            assert lines <= 500, f"{relative(path)} has {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                key = f"{relative(path)}::{node.name}"
                if LONG_FUNCTIONS.get(key, today - datetime.timedelta(1)) < today:
                    assert length <= 80, f"{key} has {length} lines"

    @pytest.mark.parametrize("path", SOURCES, ids=relative)
    def test_nothing_is_left_for_later(self, path):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bTODO\b|FIXME|\bXXX\b", text)

    @pytest.mark.parametrize("path", SOURCES, ids=relative)
    def test_no_error_is_swallowed_whole(self, path):
        broad = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException"))
            and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
        ]
        assert broad == [], f"{relative(path)} swallows everything at lines {broad}"


class TestTemplates:
    @pytest.mark.parametrize(
        "path", TEMPLATES, ids=lambda path: path.relative_to(APP / "templates").as_posix()
    )
    def test_no_inline_handler_style_or_script(self, path):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\son[a-z]+=\"", text)
        assert not re.search(r"\sstyle=\"", text)
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)

    @pytest.mark.parametrize(
        "path", TEMPLATES, ids=lambda path: path.relative_to(APP / "templates").as_posix()
    )
    def test_nothing_of_bootstrap_3_or_jquery(self, path):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"glyphicon|data-toggle=|col-xs-|\bpanel panel-|jquery|\$\(", text, re.IGNORECASE
        )

    def test_every_template_is_used(self):
        code = "\n".join(path.read_text(encoding="utf-8") for path in [*SOURCES, *TEMPLATES])
        unused = [
            name
            for path in TEMPLATES
            if not (name := path.relative_to(APP / "templates").as_posix()).startswith("appbuilder/")
            and name not in code
        ]
        assert unused == []


class TestRepository:
    def test_no_registry_address_in_our_files(self):
        hosts = "|".join(
            ["pypi" + r"\.org", "python" + "hosted", r"registry\.npm" + "js", r"deb\.deb" + "ian"]
        )
        guilty = [
            path.relative_to(ROOT).as_posix()
            for pattern in ("*.py", "*.txt", "*.in", "*.md", "*.toml", "Makefile", "*.sh", "*.html")
            for path in ROOT.rglob(pattern)
            if not {".venv", ".venv-bench", "var", "vendor", ".git"} & set(path.relative_to(ROOT).parts)
            and re.search(hosts, path.read_text(encoding="utf-8", errors="replace"))
        ]
        assert guilty == []
