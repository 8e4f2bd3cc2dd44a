# Two commands matter: `make demo` and `make test`. Both set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKER := .venv-worker
WORKER_PYTHON ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13) python3.13)
KUSTO := tests/kusto/node_modules
SOURCES := $(wildcard shared orchestrators local tests benchmarks ops)

# where it is set, each program that a test starts would compile the repository anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo up drill test lint format lock audit migration-sql record-history programs clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Make the virtual environment from the hashed pins

$(VENV)/.ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: setup ## Run the main job end to end on one machine; PROVIDER=anthropic: as with a model
	@$(BIN)/python -m local demo $(if $(PROVIDER),--provider $(PROVIDER)) $(DEMO)

up: setup ## The same world, left running: a pull request to comment on
	@$(BIN)/python -m local up $(if $(PROVIDER),--provider $(PROVIDER))

drill: setup programs ## Lose everything in the middle of 20 jobs, restore it, and report (docs/drills/latest.md)
	@$(BIN)/python -m local drill

test: lint $(WORKER)/.ready programs $(KUSTO)/.ready ## Everything that CI runs
	@$(BIN)/python -m pytest -n 3 --dist worksteal

$(WORKER)/.ready: requirements-worker.txt
	@if $(WORKER_PYTHON) -c '' 2>/dev/null; then \
	  echo "Setting up $(WORKER) …" && $(WORKER_PYTHON) -m venv $(WORKER) && \
	  $(WORKER)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-worker.txt && touch $@; \
	else echo "No CPython 3.13 here ($(WORKER_PYTHON)): the test through the real worker's library is skipped."; fi

$(KUSTO)/.ready: tests/kusto/package-lock.json
	@if { command -v node && command -v npm; } >/dev/null 2>&1; then \
	  echo "Setting up $(KUSTO) …" && (cd tests/kusto && npm ci --silent --ignore-scripts --no-audit --no-fund) && touch $@ \
	  || echo "npm could not install Microsoft's Kusto language service: queries are run, but not typed."; \
	else echo "No node and npm here: queries are run, but not typed by Microsoft's Kusto language service."; fi

# $(call debian,a command that succeeds where the package is there,the package)
define debian
	@{ $(1); } >/dev/null 2>&1 || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing $(2) for the tests …" && \
	  { apt-get install -y -qq $(2) >/dev/null 2>&1 || \
	    { apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq $(2) >/dev/null 2>&1; }; } \
	  || echo "No $(2) here: the tests that need it are skipped. On Debian: apt-get install $(2)"; }
endef

programs:
	$(call debian,ls /usr/lib/postgresql/*/bin/initdb,postgresql)
	$(call debian,command -v chromium || command -v chromium-browser,chromium)
	$(call debian,command -v promtool,prometheus)
	$(call debian,command -v promtool,prometheus)

migration-sql: setup ## Print the migrations for psql; BEHIND=0004: those behind a step
	@$(BIN)/python -m ops records migration-sql $(if $(BEHIND),--behind $(BEHIND))

record-history: setup ## Record today's orchestrations for the replay tests (docs/deployment.md)
	@$(BIN)/python -m tests.histories.record

lint: setup ## Style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports

format: setup ## Let the formatter decide
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## Pin and hash requirements.in and requirements-dev.in; LOCK_OPTIONS=--upgrade: newer ones
	@$(BIN)/python -m pip install --quiet uv
	@for name in requirements requirements-dev; do $(BIN)/uv pip compile $(LOCK_OPTIONS) --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" $$name.in -o $$name.txt; done
	@$(BIN)/uv pip compile $(LOCK_OPTIONS) --quiet --universal --python-version 3.13 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" requirements-worker.in -o requirements-worker.txt

audit: setup ## Known vulnerabilities (needs the network), licences, and the list of parts (SBOM)
	@mkdir -p .local
	@$(BIN)/cyclonedx-py requirements --output-reproducible --of JSON -o .local/sbom.cdx.json requirements.txt
	@$(BIN)/python -m pytest -q tests/unit/test_supply_chain.py
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.txt

clean: ## Remove what the targets above made
	@rm -rf $(VENV) $(WORKER) $(KUSTO) .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
