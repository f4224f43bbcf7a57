# `make repro` and `make test` need Python 3.11 and make; everything else is installed here.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
# Where `make data-quality` finds its data.
WORKSPACE ?= .
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.uv/bin:$(PATH)
export DO_NOT_TRACK := true
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export HF_HUB_OFFLINE ?= 1
# Where an environment forbids Python to keep bytecode, two dozen processes would each compile torch.
export PYTHONDONTWRITEBYTECODE :=
export PREFECT_HOME := $(CURDIR)/runs/prefect

.PHONY: repro test lint ui pipeline deploy micro data-quality install lock clean

repro: install ## rebuild everything that is out of date
	dvc repro
	@pf timings
	@echo "report: reports/index.html"

test: install ## the test suite
	pytest -q tests

lint: install ## style, types, and who may import whom
	ruff check .
	ruff format --check .
	mypy
	lint-imports

ui: install ## Prefect, MLflow and the report on loopback
	python -m flows.ui

pipeline: install ## the same work as `make repro`, as one Prefect flow run
	python -m flows.pipeline
	@pf timings

deploy: install ## deployments (nightly, stages, data-quality, promote) on the server of `make ui`
	python -m flows.deploy

micro: install ## the whole pipeline with small parameters, in runs/micro
	.ci/micro runs/micro

data-quality: install ## only the data gate on the data at hand; Data Docs and runs/data_quality.md
	cd $(WORKSPACE) && pf data-quality

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@# Into an environment of its own: a system's Python may not be written to.
	@command -v uv >/dev/null || { $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv; }
	@test -x $(BIN)/python || uv venv --quiet --python 3.11 $(VENV)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip sync --quiet requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --editable .
	@touch $@

lock: ## pin the newest versions that pyproject.toml allows
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --no-header --no-annotate \
	    --upgrade --quiet --output-file requirements.lock

clean: ## remove everything that was built (not the DVC cache)
	@# Of data/raw only what is drawn here: the rest is the user's.
	git clean -fdXq -e '!data/raw/*' data models reports
	rm -rf runs data/raw/shapes
