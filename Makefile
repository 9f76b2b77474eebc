# Everything here works in a fresh clone: each target that needs the virtual environment makes it first.
# The network is used for the Python package index alone.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The interpreter that makes the virtual environment: 3.10 or newer.
PYTHON ?= python3
# More arguments for pytest and for the benchmark: make test ARGS="-k ledger"
ARGS ?=
# Tests at once. Each may start a Ray cluster or a server of its own, so that memory bounds them: 4 GB each.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(8, os.cpu_count() or 1, max(1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 32)))')

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := build/demo

.PHONY: help venv demo test lint format bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

venv: $(STAMP) ## make .venv with facejobs and all it needs; again only when pyproject.toml or constraints.txt change

# An environment that is there is brought up to date; one whose interpreter has gone is made anew.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 10) or sys.exit("facejobs needs Python 3.10 or newer; $(PYTHON) is %d.%d. Say which to use: make venv PYTHON=python3.12" % v[:2])'
	@rm -f $(STAMP)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing into $(VENV): minutes on the first time (2.8 GB on disk)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps random-face==2021.7.21.1
	@touch $(STAMP)

# `facejobs run` prints where the report is. Its exit code 3 means: done, with quarantined records within the job's budget.
demo: venv ## make a small archive in build/demo, restore it, and say where the report is
	$(BIN)/python examples/make_archive.py $(DEMO)/archive
	@code=0; $(BIN)/facejobs run examples/archive.yaml || code=$$?; \
	case $$code in \
		0) ;; \
		3) echo "Three files of the demo archive are broken on purpose: they are in quarantine. The report above shows the rest." ;; \
		7) echo "$(DEMO) holds the demo of another version: remove it (rm -r $(DEMO)), and make demo again." >&2; exit $$code ;; \
		*) echo "facejobs run ended with exit code $$code; docs/command-line.md says what it means." >&2; exit $$code ;; \
	esac

test: venv ## run the tests; the summary names those that were skipped, and why
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: venv ## ruff, mypy, and the walls between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy examples
	$(BIN)/lint-imports

format: venv ## let ruff format the code and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv ## measure throughput, start-up, memory and the cost of pasting back
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove what was made: .venv, build, caches
	rm -rf $(VENV) build dist ./*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
