.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .tools/uv/bin/uv
# uv brings no Python of its own: the one that is here is the one that runs.
export UV_PYTHON_PREFERENCE := only-system
SERVICES := --no-default-groups --group gateway --group embedder --group indexer --group search --group client

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(UV) ## install everything to work on the project into .venv
	@$(UV) sync --frozen --quiet --group annoy --group training || { \
	  echo "Annoy could not be built (it needs a C++ compiler: apt-get install g++); going on without it."; \
	  $(UV) sync --frozen --quiet --group training; }

demo: $(UV) ## run everything in one process, with a sample catalogue, and open the shop window
	@$(UV) sync --frozen --quiet --inexact $(SERVICES) --group annoy 2>.tools/annoy.log || { \
	  echo "No C++ compiler, so no Annoy: the demo runs without that backend (details in .tools/annoy.log)."; \
	  $(UV) sync --frozen --quiet --inexact $(SERVICES); }
	@.venv/bin/lookalike demo $(ARGS)

test: servers ## run the whole suite, but for the long runs
	.venv/bin/pytest -m "not long" $(ARGS)

test-long: servers ## run what takes more than minutes: long random histories, every rule taken away in turn
	.venv/bin/pytest -m long $(ARGS)

check: setup ## lint, types, import directions, dependencies: what CI checks
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .

servers: setup ## install the real servers that tests run against, as far as this machine allows
	@tests/servers/install

bench: setup ## measure every claim and rewrite the tables of docs/benchmarks.md
	$(UV) sync --frozen --quiet --inexact --group training --group bench
	.venv/bin/python -m benchmarks.report

model: $(UV) ## make the bundled models again, into .models, from photos and weights in DATA (brings TensorFlow)
	@test -d "$(DATA)/weights" || { echo "make model DATA=FOLDER: docs/models.md says what has to be in it."; exit 1; }
	$(UV) sync --frozen --quiet --inexact $(SERVICES) --group training
	.venv/bin/python -m services.embedder.training.bundled $(DATA) .models --scratch .models/scratch

clean: ## remove what the other targets made, the demo's data too
	rm -rf .venv .tools .servers .demo .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lookalike needs Python 3.11 or later; PYTHON=… names another one."; exit 1; }
	@$(PYTHON) -m venv .tools/uv && .tools/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.6'

.PHONY: help setup demo test test-long check servers bench model clean
