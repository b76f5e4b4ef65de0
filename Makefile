# Every target sets itself up: a machine with Python 3.11 to 3.13 and make is enough.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
IMAGES ?=

.PHONY: help demo test lint bench report torture mutations docs setup clean
.DEFAULT_GOAL := help

help: ## show this help
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup ## draw a sample (or take IMAGES=/path/to/train) and run all five steps on it
	$(RUN) -m dogs_vs_cats.demo $(if $(IMAGES),--images "$(IMAGES)")

report: setup ## make the page that shows the last run of the demo again
	$(RUN) -m dogs_vs_cats.report --config config.demo_config

test: setup ## run the tests
	$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile --ignore tests/faults
	$(RUN) -m pytest tests/faults

lint: setup ## check style (ruff), types (mypy) and layers (import-linter)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

torture: setup ## try hundreds of kills, flips and full disks (hours)
	FAULTS=200 $(RUN) -m pytest tests/faults -rP

mutations: setup ## break a hundred random places of the core, one at a time: do the tests notice?
	$(RUN) tests/mutations.py -j 2

docs: setup ## build the documentation into build/docs
	$(RUN) -m sphinx -W --keep-going -q -d build/doctrees docs build/docs

bench: setup ## measure speed against the alternatives
	$(RUN) -m benchmarks

setup: $(READY) ## make the virtual environment and install everything into it

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v.major}.{v.minor}; run make PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet --editable '.[dev,docs,jax,cluster,remote,tensorboard]'
	touch $(READY)

clean: ## remove the virtual environment, the documentation and what the demo wrote
	rm -rf $(VENV) build output/*
