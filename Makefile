# Nutgraf: make help
PYTHON ?= python3
BIN := .venv/bin
# Each process takes half of the tests, and then from the half that is not yet done.
PARALLEL := -n auto --dist worksteal
SCHEMATHESIS := .venv/faults/bin/schemathesis
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Tests start hundreds of processes: none is to compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run quick test faults cluster pages clients opensearch lint format docs bench scale relevance pins clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 10

run: .venv/.installed  ## start Nutgraf, with the articles of seeds/ if it has none
	@exec $(BIN)/python deploy/run.py

quick: lint  ## check form and types, then run the tests under 50 ms: in 40 seconds
	@$(BIN)/pytest $(PARALLEL) -m 'not slow' --durations=5 --durations-min=0.2 $(ARGS)

test: .venv/.installed-test  ## check form and types, then run all tests on all cores
	@$(MAKE) --silent --no-print-directory --jobs=2 lint tests/__pycache__ opensearch
	@$(BIN)/pytest $(PARALLEL)

# Collecting the tests compiles them, in a new clone only: each process of pytest would
# compile all of them. Mistakes are for the run itself to report.
tests/__pycache__: | .venv/.installed-test
	@$(BIN)/pytest -n0 --collect-only --quiet >/dev/null 2>&1 || true

faults: .venv/.installed-test $(SCHEMATHESIS)  ## kill, fill, damage and fuzz it at length; ARGS="-k kill"
	@FAULTS=full $(BIN)/pytest -v -s $$(grep -rl '^from faults.amounts' tests --include='test_*.py') $(ARGS)
	@[ -n '$(ARGS)' ] || PYTHONPATH=.:tests $(BIN)/python tests/faults/conformance.py $(SCHEMATHESIS) -n 1000

# One process: the servers take the second core.
cluster: .venv/.installed-test opensearch  ## run tests on OpenSearch and PostgreSQL, at length; ARGS="-k kill"
	@CLUSTER=full $(BIN)/pytest -n0 -v -s tests/engines tests/store tests/archive tests/newsroom \
	    tests/service tests/faults/test_cluster.py tests/faults/test_database.py $(ARGS)

# The nodes of tests. Where there are none to be had, tests are skipped.
opensearch: .venv/.installed-test
	@$(BIN)/python tests/real/install.py build/opensearch

# Two at once: each process that runs some of them starts a browser and a server.
pages: .venv/.installed-test  ## look at the pages in Chromium, in all themes and widths; ARGS="-k dark"
	@PAGES=full $(BIN)/pytest -n 2 --dist worksteal tests/browser $(ARGS)

clients: .venv/.installed-test  ## lint the OpenAPI document, generate clients and use them
	@$(BIN)/python tests/clients/install.py build/clients
	@CLIENTS=$(CURDIR)/build/clients $(BIN)/pytest -q -n0 -rs tests/clients $(ARGS)

# It brings a plugin for pytest and much else, which the tests are to know nothing of.
$(SCHEMATHESIS): deploy/constraints.txt .venv/.installed-test
	@$(PYTHON) -m venv .venv/faults
	@.venv/faults/bin/pip install --quiet --disable-pip-version-check \
	    -c deploy/constraints.txt schemathesis==4.32.5
	@touch $@

lint: .venv/.installed-test  ## check form and types only
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: .venv/.installed-test  ## put the code in form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: .venv/.installed  ## write generated parts of docs: help of commands, modules of rooms
	@$(BIN)/python docs/commands.py
	@$(BIN)/python docs/rooms.py

bench: .venv/.installed-bench  ## measure Nutgraf beside its peers; ARGS="--help"
	@$(BIN)/python -m benchmarks $(ARGS)

scale: .venv/.installed-bench  ## measure Nutgraf at 1 to 10 million paragraphs; ARGS="--help"
	@$(BIN)/python -m benchmarks.scale $(ARGS)

relevance: .venv/.installed-bench  ## judge its ranking; COLLECTIONS=folder
	@[ -n '$(COLLECTIONS)' ] || { \
	    echo 'Name the folder of test collections: make relevance COLLECTIONS=folder' >&2; \
	    exit 2; }
	@$(BIN)/python -m benchmarks.ranking '$(COLLECTIONS)' $(ARGS)

pins: .venv/.installed-test  ## write the versions in .venv to deploy/constraints.txt
	@$(BIN)/pip freeze --exclude-editable > deploy/constraints.txt

clean:  ## remove what make made; data/ stays
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# The stamps are why a second run needs no network: pip is called only when one of the
# three files has changed since. What the tests need includes what running needs.
.venv/.installed .venv/.installed-test .venv/.installed-bench: setup.cfg pyproject.toml deploy/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'Nutgraf needs Python 3.11 or newer; name yours: make $(MAKECMDGOALS) PYTHON=python3.11' >&2; \
	    exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear .venv
	@echo 'Installing into .venv, once; this takes about a minute.'
	@$(BIN)/pip install --quiet --disable-pip-version-check -c deploy/constraints.txt \
	    -e '.$(patsubst %,[%],$(patsubst .installed-%,%,$(filter .installed-%,$(@F))))'
	@touch .venv/.installed $@
