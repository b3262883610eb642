# Two commands: `make run` validates the global brain on the embedded market,
# `make test` checks the whole project. Both install what they need, once.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

export DO_NOT_TRACK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install run smoke test lint types contracts unit slow bench viz repro clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

install: $(STAMP)  ## create .venv and install the pinned dependencies

# torch comes first and exactly, so that nothing else decides which build is taken
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[cpu,dev]"
	touch $@

run: install  ## the main job on the embedded market; ends by naming the report
	$(BIN)/kedro run --pipelines global_validation

smoke: install  ## the main job, small: two assets, under a minute
	$(BIN)/kedro run --pipelines global_validation --env smoke

test: install lint types contracts unit  ## the whole check

lint: install
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench

types: install
	$(BIN)/mypy

contracts: install
	$(BIN)/lint-imports

unit: install
	$(BIN)/pytest --numprocesses 2 --dist loadscope

slow: install  ## tests that take minutes
	$(BIN)/pytest -m slow

bench: install  ## every budget, measured; bench/RESULTS.md
	$(BIN)/python -m bench

viz: install  ## lineage in the browser
	$(BIN)/kedro viz run

repro: install  ## rebuild whatever DVC finds out of date
	$(BIN)/dvc repro

clean:  ## remove caches, never data
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -prune -exec rm -rf {} +
