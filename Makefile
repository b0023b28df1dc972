# Facet. `make demo` shows the whole job, `make test` proves it. Each target makes .venv first when it is missing.

.PHONY: help demo serve test check bench clean
.DEFAULT_GOAL := help

READY := .venv/.ready
RUN := .venv/bin/python

help:
	@echo "make demo    the main job from enrolment to verdict, and the refusals, step by step"
	@echo "make serve   leave the three services running and print their addresses"
	@echo "make test    all tests, with coverage"
	@echo "make check   lint, format, types, import contracts, documents"
	@echo "make bench   speed against the floor and against peers, written to build/bench.json"

$(READY): requirements/build.txt requirements/dev.txt pyproject.toml scripts/setup.sh scripts/vendor.json scripts/vendor.py
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

demo: $(READY)
	@$(RUN) -m scripts.demo

serve: $(READY)
	@$(RUN) -m scripts.serve

test: $(READY)
	@sh scripts/browser.sh
	@echo "Testing ..."
	@$(RUN) -m pytest --cov --cov-report=term:skip-covered $(ARGS)

check: $(READY)
	@echo "Lint ..."
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --quiet --check . || { echo "Run: .venv/bin/ruff format ."; exit 1; }
	@echo "Types ..."
	@$(RUN) -m mypy --no-error-summary
	@$(RUN) -m mypy --no-error-summary --explicit-package-bases scripts
	@echo "Import contracts ..."
	@.venv/bin/lint-imports --no-cache > .venv/contracts.log 2>&1 || { cat .venv/contracts.log; exit 1; }
	@echo "Documents and house rules ..."
	@$(RUN) -m pytest -q --no-header -p no:cacheprovider tests/house -k "not contract"

bench: $(READY)
	@$(RUN) -m tests.bench

clean:
	@rm -rf build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
