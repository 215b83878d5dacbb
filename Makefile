# Préau. `make help` lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
ESSAIS ?=

.PHONY: help run venv test check fmt bench lock vendor

help: ## Affiche cette aide
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: venv ## Démarre Préau (PORT=8000 par défaut) ; Ctrl-C l’arrête
	@exec $(PY) app.py

venv: .venv/.prod ## Crée l’environnement Python dans .venv, rien d’autre

test: .venv/.dev ## Lance les essais (ESSAIS=tests/jobs pour une partie)
	@$(PY) -m scripts.absents
	@$(PY) -m pytest -q -n auto --dist worksteal $(ESSAIS)

check: .venv/.dev ## Vérifie le style, les types, les couches, les gabarits et les migrations
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/djlint app/templates --lint --quiet
	@$(PY) -m pytest -q tests/test_migrations.py

fmt: .venv/.dev ## Met le code en forme
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench: .venv/.dev .venv-bench/.pair ## Mesure les vitesses annoncées et les compare aux seuils
	@$(PY) -m bench

lock: .venv/.dev ## Recalcule les versions figées de requirements/
	@for nom in prod dev bench; do \
	  .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-index-url --no-emit-find-links \
	    --output-file=requirements/$$nom.txt requirements/$$nom.in; \
	done

vendor: ## Recopie les fichiers de tiers servis au navigateur (demande npm)
	@./scripts/vendor.sh

.venv/.prod: requirements/prod.txt
	@test -n "$(PYTHON)" || { echo "Préau demande Python 3.11 : installez-le, puis recommencez." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Préau demande Python 3.11 ou plus récent ; $(PYTHON) est plus ancien." >&2; exit 1; }
	@test -x $(PY) || { echo "Création de l’environnement Python…"; $(PYTHON) -m venv .venv; } || \
	  { echo "Le module venv de Python manque : installez-le (Debian : python3.11-venv)." >&2; exit 1; }
	@echo "Installation des dépendances (une seule fois)…"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/prod.txt
	@touch $@

.venv/.dev: .venv/.prod requirements/dev.txt
	@echo "Installation des outils de développement (une seule fois)…"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv-bench/.pair: requirements/bench.txt
	@echo "Installation de Django, à part, pour s’y comparer (une seule fois)…"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@
