# Facet. `make demo` shows the whole job, `make test` proves it. Each target makes .venv first when it is missing.

.PHONY: help demo serve test check bench contracts analysis conformance certification fuzz clean
.DEFAULT_GOAL := help

READY := .venv/.ready
RUN := .venv/bin/python

help:
	@echo "make demo    the main job from enrolment to verdict, and the refusals, step by step"
	@echo "make serve   leave the three services running and print their addresses"
	@echo "make test    all tests, with coverage"
	@echo "make check   lint, format, types, import contracts, documents"
	@echo "make fuzz    coverage-guided fuzzing of every reader of outside bytes, 20 s each (CPython 3.11)"
	@echo "make bench   speed against the floor and against peers, written to build/bench.json"
	@echo "make contracts  compile the ledger's contracts again, byte for byte as they are committed"
	@echo "make analysis   static analysis of the contracts, with slither in a place of its own"
	@echo "make certification SUITE=<address> SUITE_CA=<pem>   the OpenID Foundation's own suite, where one is running"
	@echo "make clean   remove what the other targets have made"
	@echo "ARGS=...     goes on to the command behind test, bench, contracts and fuzz, as in: make test ARGS='-k ledger'"
	@echo "make conformance SUITES=<folder>   the W3C's own test suites, from a folder with checkouts of them"

$(READY): requirements/build.txt requirements/dev.txt pyproject.toml scripts/setup.sh scripts/vendor.json scripts/vendor.py
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

demo: $(READY)
	@$(RUN) -m scripts.demo

serve: $(READY)
	@$(RUN) -m scripts.serve

test: $(READY)
	@sh scripts/browser.sh
	@$(RUN) -m scripts.peers
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
	@$(RUN) -m scripts.peers
	@$(RUN) -m tests.bench $(ARGS)

contracts: $(READY)
	@$(RUN) -m scripts.peers
	@$(RUN) -m scripts.contracts $(ARGS)

.venv/slither/.ready: requirements/slither.txt $(READY)
	@$(RUN) -m venv .venv/slither
	@.venv/slither/bin/pip install --quiet --require-hashes --no-deps -r requirements/slither.txt
	@touch $@

analysis: .venv/slither/.ready
	@$(RUN) -m scripts.peers
	@$(RUN) -m scripts.analysis

.venv/.fuzz: requirements/fuzz.txt $(READY)
	@$(RUN) -m pip install --quiet --require-hashes --no-deps -r requirements/fuzz.txt
	@touch $@

fuzz: .venv/.fuzz
	@$(RUN) -m tests.fuzz $(ARGS)

conformance: $(READY)
	@test -n "$(SUITES)" || { echo "Say where the suites are: make conformance SUITES=<folder> (docs/conformance.md)"; exit 2; }
	@$(RUN) -m scripts.conformance "$(SUITES)" $(if $(ONLY),--only $(ONLY))

certification: $(READY)
	@test -n "$(SUITE)" -a -n "$(SUITE_CA)" || { echo "Say where a suite runs: make certification SUITE=https://localhost:8443 SUITE_CA=ca.pem (docs/conformance.md)"; exit 2; }
	@$(RUN) -m scripts.certification "$(SUITE)" "$(SUITE_CA)" $(if $(ROLES),--roles $(ROLES)) $(if $(ONLY),--only $(ONLY))

clean:
	@rm -rf build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
