# `make demo` and `make test` need Python 3.11+ and nothing else: the set-up is done on the way, and again when it is stale.

PY = .venv/bin/python

.PHONY: help setup demo test test-postgres check format-check lint types layers generated format generate lock

help:
	@echo "make setup          .venv with everything in it; the others do it by themselves"
	@echo "make demo           a real server, real clients: every refusal of the handshake, SQL by two users, hostile SQL"
	@echo "make test           all tests"
	@echo "make test-postgres  the answers of SQL against those of a PostgreSQL of its own, which has to be installed"
	@echo "make check          format, lint, types, layers, generated files"
	@echo "make format         put the code in form"
	@echo "make generate       write the generated files anew: config.toml, docs/reference/errors.md and config.md"
	@echo "make lock           write requirements-dev.txt anew, with the newest packages"

setup:
	@sh scripts/setup.sh

demo: setup
	@$(PY) -m examples.demo

test: setup
	$(PY) -m pytest

test-postgres: setup
	$(PY) -m pytest -m postgres tests/conformance

check: format-check lint types layers generated

format-check: setup
	$(PY) -m ruff format --check .

lint: setup
	$(PY) -m ruff check .

types: setup
	$(PY) -m mypy

layers: setup
	.venv/bin/lint-imports

generated: setup
	$(PY) scripts/generate.py --check

format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

generate: setup
	$(PY) scripts/generate.py

lock:
	sh scripts/lock.sh
