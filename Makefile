# Two commands do everything from a bare machine: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SIZE ?= 100k
TASKS ?= online_retail complete_journey complete_journey_14d starbucks ravenstack telco_ibm
# LightGBM and BLAS fight over cores when both are multi-threaded (84 s against 7 s measured).
export OMP_NUM_THREADS ?= 2
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo example test test-fast test-real test-browser check format notebooks leaderboard bench nights lock clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/run: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements-dev.lock .venv/run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.venv/example: requirements-example.lock .venv/run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-example.lock
	@touch $@

.venv/notebooks: requirements-notebooks.lock .venv/run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-notebooks.lock
	@touch $@

demo: .venv/run  ## simulated shop: history, champion, plan and page, two nights
	$(BIN)/keepwell demo

example: .venv/example  ## a year of real grocery data from a package: champion, plan and page
	$(BIN)/keepwell example

test: .venv/dev  ## all tests; those that need real data or a browser skip with a message where it is absent
	$(BIN)/python -m pytest -n 2 --dist worksteal --doctest-modules

test-fast: .venv/dev  ## the part that needs less than a minute
	$(BIN)/python -m pytest -n 2 --doctest-modules -m "not slow and not real and not browser"

test-real: .venv/dev  ## the tests on real data (KEEPWELL_DATA, default ../shared/data)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m real tests

test-browser: .venv/dev  ## the tests that open the page in Chromium
	$(BIN)/python -m pytest -m browser tests

check: .venv/dev  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev  ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

notebooks: .venv/notebooks  ## open the notebooks in JupyterLab (KEEPWELL_WORKSPACE, default workspaces/demo)
	KEEPWELL_WORKSPACE=$(abspath $(or $(KEEPWELL_WORKSPACE),workspaces/demo)) \
		JUPYTER_CONFIG_PATH=$(CURDIR)/configs/jupyter $(BIN)/jupyter lab notebooks

leaderboard: .venv/dev  ## our model beside its rivals on all real tasks, written to docs/leaderboard.md
	$(BIN)/keepwell leaderboard $(TASKS:%=configs/%.yaml) --out docs/leaderboard.md

bench: .venv/dev  ## speed and memory as ratios, SIZE=100k or SIZE=1m; what the methods reach where the truth is known
	missed=0; for part in "run $(SIZE)" "models $(SIZE)" "allocation $(SIZE)" uplift uplift_gate uplift_live cold_start; do \
		$(BIN)/python -m benchmarks.$$part || missed=$$?; done; exit $$missed

nights: .venv/dev  ## ninety nights in a row: seconds, memory, disk and files beside those of a rebuild
	$(BIN)/python -m benchmarks.nights

lock: .venv/dev  ## renew the lock files (needs the tool uv)
	printf 'hatchling\neditables\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml - -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --extra example --generate-hashes --no-header --no-annotate -c requirements.lock pyproject.toml -o requirements-example.lock
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-header --no-annotate -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --extra notebooks --generate-hashes --no-header --no-annotate -c requirements.lock -c requirements-dev.lock pyproject.toml -o requirements-notebooks.lock

clean:  ## remove the environment and everything made here
	rm -rf .venv workspaces dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache benchmarks/work
