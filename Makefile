# What a newcomer types: `make train`, `make test`. Everything lives in .venv; nothing else is touched.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/uv pip install --quiet --python $(BIN)/python
UV := uv==0.13.9
WORKERS ?= 2

# What is imported is compiled once, whatever the shell says: processes start in half the time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help train test test-long lint format bench bench-diagnosis requirements clean

help:           ## what there is
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

.venv/made:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "thalweg needs Python 3.11 or newer; name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making .venv"
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@touch $@

.venv/core: .venv/made requirements/core.txt pyproject.toml
	@echo "installing the core"
	@$(PIP) -r requirements/core.txt
	@$(PIP) --no-deps --editable .
	@touch $@

.venv/dev: .venv/made requirements/dev.txt pyproject.toml
	@echo "installing all extras and the tools of development"
	@$(PIP) -r requirements/dev.txt
	@$(PIP) --no-deps --editable .
	@touch $@ .venv/core

train: .venv/core  ## train the course's network on real digits
	@$(BIN)/thalweg train digits

test: .venv/dev  ## lint, types and every test that is quick; pages are photographed into build/screenshots
	@$(MAKE) --no-print-directory lint
	@rm -rf build/screenshots
	THALWEG_SCREENSHOTS=build/screenshots $(BIN)/python -m pytest -q -n $(WORKERS) -m "not long"

test-long: .venv/dev  ## tests that take minutes
	$(BIN)/python -m pytest -q -m long

lint: .venv/dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev  ## the tables of benchmarks/README.md (THALWEG_DATA names a folder with MNIST)
	$(BIN)/python benchmarks/fit.py
	$(BIN)/python benchmarks/faults.py

bench-diagnosis: .venv/dev  ## how often a diagnosis is right about nets of which the truth is known: minutes
	$(BIN)/python benchmarks/diagnosis.py

requirements:  ## pin anew what pyproject.toml asks for
	$(BIN)/uv pip compile --quiet --python-version 3.11 --no-emit-index-url --no-header pyproject.toml -o requirements/core.txt
	$(BIN)/uv pip compile --quiet --python-version 3.11 --no-emit-index-url --no-header pyproject.toml --all-extras \
		--group dev -c requirements/core.txt -o requirements/dev.txt

clean:  ## remove what make made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info src/*.egg-info
